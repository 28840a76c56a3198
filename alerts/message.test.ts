import { describe, expect, it } from 'vitest';
import { eventOfModel, sampleAlert, sampleEvent } from '#test/sample-alert.ts';
import { sampleNow } from '#test/sample-results.ts';
import { cutBytes, cutLines, cutText } from './cut-text.ts';
import { textOf, titleOf } from './message.ts';

const at = new Date(sampleNow + 60_000);
const one = (changes: Parameters<typeof sampleEvent>[0]) => sampleAlert({ members: [{ news: 'new', event: sampleEvent(changes) }] });

describe('the words of an alert', () => {
	it('say what, since when, how bad, whose fault with what evidence, what to use instead, and where to look', () => {
		expect([titleOf(sampleAlert()), ...textOf(sampleAlert(), at)]).toEqual([
			'Down: m on groq: outage',
			'Since 2026-11-23 12:00:00 UTC, impact major, cause: the provider.',
			'3 of the last 3 results failed: server_error ×3 (HTTP 503).',
			'Measured since then: 3 bad, 0 good, 0 excluded from local.',
			'Well now, same model: cerebras.',
			'https://status.example.org/incident/inc-1.html',
		]);
	});

	it('a simulated alert says so first', () => {
		expect(titleOf(sampleAlert({ simulated: true }))).toBe('[simulated] Down: m on groq: outage');
	});

	it('our own trouble asks for action, says what to do, and blames nobody', () => {
		const message = one({ class: 'operator', incident: { cause: 'credentials', impact: 'none', title: 'groq: our key is refused' }, advice: 'renew it.' });
		expect(titleOf(message)).toBe('Action needed: groq: our key is refused');
		expect(textOf(message, at)).toContain('Since 2026-11-23 12:00:00 UTC, impact none, ours: our API key.');
		expect(textOf(message, at)).toContain('What to do: renew it.');
	});

	it('of forty models it is one message that names the provider, tells a few whole and lists the rest', () => {
		const members = Array.from({ length: 60 }, (_, i) => ({ news: 'new' as const, event: eventOfModel(`m${i}`) }));
		expect(titleOf(sampleAlert({ members }))).toBe('Down: 60 problems at groq');
		const text = textOf(sampleAlert({ members }), at);
		expect(text).toContain('And 55 more');
		expect(text.at(-1)).toBe('… and 15 more');
	});

	it('the end says how long it was', () => {
		const message = sampleAlert({ kind: 'resolved', members: [{ news: 'resolved', event: sampleEvent({}, 'resolved') }] });
		expect(titleOf(message)).toBe('Resolved: m on groq: outage');
		expect(textOf(message, at)).toContain('Over since 2026-11-23 12:10:40 UTC; lasted 10 min.');
	});
});

describe('cutting', () => {
	it.each([
		['abc', 3, 'abc'],
		['abcd', 3, 'ab…'],
		['a😀😀', 4, 'a😀…'],
		['a😀😀', 3, 'a…'],
	])('%s to %d units: %s', (text, max, expected) => expect(cutText(text, max)).toBe(expected));

	it.each([
		['äöü', 6, 'äöü'],
		['äöüä', 7, 'äö…'],
		['äöüä', 6, 'ä…'],
	])('%s to %d bytes: %s', (text, max, expected) => expect(cutBytes(text, max)).toBe(expected));

	it('of lines keeps whole ones, and counts the rest', () => {
		expect(cutLines(['one', 'two', 'three', 'four', 'five', 'a very long line indeed'], 30)).toBe('one\ntwo\n… and 4 more lines');
		expect(cutLines(['a single line that is too long'], 10)).toBe('a single …');
	});
});
