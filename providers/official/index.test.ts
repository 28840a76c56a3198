import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OfficialIncident } from '#core/official.ts';
import { mostIncidents, type OfficialReading } from './draft.ts';
import { isPageKind, officialAddress, pageKinds, readOfficialPage } from './index.ts';
import { instantOf, plainText, webAddress } from './plain-text.ts';
import { NotAPage } from './read-json.ts';

const base = 'https://status.acme.example';
const sample = (name: string) => readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url), 'utf8');
const read = (kind: string, name: string, only: string | null = null) => readOfficialPage({ url: base, kind, only }, sample(name));
const time = (at: number | null) => (at === null ? null : new Date(at).toISOString().slice(0, 16));
const brief = ({ incidents }: OfficialReading) =>
	incidents.map((one) => [
		one.officialId,
		one.title,
		one.impact,
		one.status,
		time(one.startedAt),
		time(one.firstUpdateAt),
		time(one.resolvedAt),
		one.components.join(),
	]);

describe('recorded pages', () => {
	test('Statuspage: newest first, what is no incident left out with its reason', () => {
		const reading = read('statuspage', 'statuspage.json');
		expect(brief(reading)).toEqual([
			['p2', 'Slow answers', 'minor', 'investigating', '2026-11-23T10:00', '2026-11-23T10:00', null, ''],
			['p1', 'Elevated errors on Small 2', 'major', 'resolved', '2026-11-20T09:50', '2026-11-20T09:55', '2026-11-20T10:40', 'API'],
		]);
		expect(reading.incidents[1]?.updates.map(({ status, body }) => [status, body])).toEqual([
			['resolved', 'This incident has been resolved.'],
			['investigating', 'We are <b>looking</b> into it. More soon.'],
		]);
		expect(reading.skipped).toEqual(['expected an incident with an id, got "without an id" without one']);
		expect(reading.openOnly).toBe(false);
	});

	test('incident.io serves Statuspage’s shape, or its own of what is open', () => {
		expect(brief(read('incident-io', 'statuspage.json'))).toHaveLength(2);
		const reading = read('incident-io', 'incident-io.json');
		expect(brief(reading)).toEqual([
			['01M', 'Move', 'maintenance', 'scheduled', '2026-11-25T02:00', '2026-11-23T08:00', null, ''],
			['01K', 'Partial outage of chat', 'major', 'identified', '2026-11-23T10:20', '2026-11-23T10:20', null, 'Chat'],
		]);
		expect(reading.openOnly).toBe(true);
	});

	test('Better Stack: reports with their updates and the names of what they hit', () => {
		const reading = read('better-stack', 'better-stack.json');
		expect(brief(reading)).toEqual([
			['900', 'Slow inference', 'minor', 'investigating', '2026-11-23T09:30', '2026-11-23T09:40', null, 'Inference'],
			['901', 'Down', 'critical', 'resolved', '2026-11-20T09:30', '2026-11-20T09:30', '2026-11-20T09:50', ''],
		]);
		expect(reading.incidents[0]?.updates.map(({ body }) => body)).toEqual(['Still at it.', 'We see slow answers.']);
	});

	test('Instatus: what is open only', () => {
		const reading = read('instatus', 'instatus.json');
		expect(brief(reading)).toEqual([
			['https://status.acme.example/m1', 'Upgrade', 'maintenance', 'scheduled', '2026-11-24T01:00', '2026-11-24T01:00', null, ''],
			['https://status.acme.example/inc1', 'Model outage', 'critical', 'investigating', '2026-11-23T09:00', '2026-11-23T09:00', null, ''],
		]);
		expect(reading.openOnly).toBe(true);
	});

	test('Google Cloud: of a whole cloud only what concerns the provider', () => {
		expect(brief(read('google-cloud', 'google-cloud.json'))).toHaveLength(2);
		const { incidents } = read('google-cloud', 'google-cloud.json', 'gemini|vertex');
		expect(brief({ incidents, skipped: [], openOnly: false })).toEqual([
			[
				'G1',
				'Vertex Gemini API: elevated 429 and 5xx',
				'major',
				'resolved',
				'2026-11-20T08:00',
				'2026-11-20T08:20',
				'2026-11-20T09:00',
				'Vertex Gemini API,Multiple Products',
			],
		]);
		expect(incidents[0]?.url).toBe('https://status.acme.example/incidents/G1');
	});

	test('Atom as Statuspage writes it: updates without a year, over its turn', () => {
		const reading = read('rss', 'statuspage.atom');
		expect(brief(reading)).toEqual([
			['tag:status.acme.example,2005:Incident/31', 'Errors & time-outs', 'unknown', 'resolved', '2025-12-31T23:40', '2025-12-31T23:40', '2026-01-02T00:30', ''],
		]);
		expect(reading.incidents[0]?.updates.map(({ status, body }) => [status, body])).toEqual([
			['resolved', 'Fixed.'],
			['investigating', 'We look.'],
		]);
	});

	test('RSS of a cloud: a state in the title or in the words', () => {
		expect(brief(read('rss', 'cloud.rss'))).toEqual([
			['https://status.acme.example/#bedrock_2', 'Informational message', 'unknown', 'investigating', '2026-11-23T08:00', '2026-11-23T08:00', null, ''],
			[
				'https://status.acme.example/#bedrock_1',
				'[RESOLVED] Increased Error Rates',
				'unknown',
				'resolved',
				'2026-11-20T18:40',
				'2026-11-20T18:40',
				'2026-11-20T18:40',
				'',
			],
		]);
	});
});

test.each([
	['statuspage', `${base}/`, `${base}/api/v2/incidents.json`],
	['better-stack', base, `${base}/index.json`],
	['rss', `${base}/feed.xml`, `${base}/feed.xml`],
	['onlineornot', base, null],
])('a page of kind %s at %s is read at %s', (kind, url, expected) => {
	expect(officialAddress({ url, kind, only: null })).toBe(expected);
});

const fixtures = {
	statuspage: 'statuspage.json',
	'incident-io': 'incident-io.json',
	'better-stack': 'better-stack.json',
	instatus: 'instatus.json',
	'google-cloud': 'google-cloud.json',
	rss: 'statuspage.atom',
};

function expectSound({ incidents, skipped }: OfficialReading): void {
	expect(incidents.length).toBeLessThanOrEqual(mostIncidents);
	expect(skipped.length).toBeLessThanOrEqual(20);
	expect(new Set(incidents.map(({ officialId }) => officialId)).size).toBe(incidents.length);
	const textual = (text: string, longest: number) => text.length <= longest && !/[\p{Cc}]/u.test(text) && text.isWellFormed();
	const soundTime = (at: number) => Number.isInteger(at) && at > 0;
	const isSound = (one: OfficialIncident) =>
		textual(one.officialId, 200) &&
		textual(one.title, 300) &&
		one.title !== '' &&
		soundTime(one.startedAt) &&
		soundTime(one.firstUpdateAt) &&
		(one.resolvedAt === null || (soundTime(one.resolvedAt) && one.status === 'resolved')) &&
		(one.url === null || /^https?:/.test(one.url)) &&
		one.components.every((name) => textual(name, 120)) &&
		one.updates.length <= 50 &&
		one.updates.every((update, i) => textual(update.body, 2_000) && soundTime(update.at) && update.at <= (one.updates[i - 1]?.at ?? Number.POSITIVE_INFINITY));
	expect(incidents.filter((one) => !isSound(one))).toEqual([]);
}

function readOrRefuse(kind: string, text: string): OfficialReading | null {
	try {
		return readOfficialPage({ url: base, kind, only: null }, text);
	} catch (error) {
		expect(error).toBeInstanceOf(NotAPage);
		return null;
	}
}

/** Puts a value into one place of a document. */
function replaceAt(value: unknown, place: number, wedge: unknown): unknown {
	let left = place;
	const walk = (one: unknown): unknown => {
		if (left-- === 0) return wedge;
		if (Array.isArray(one)) return one.map(walk);
		if (typeof one === 'object' && one !== null) return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, walk(inner)]));
		return one;
	};
	return walk(value);
}

describe.each(Object.entries(fixtures))('a page of kind %s', (kind, fixture) => {
	test('that is anything at all is read within bounds or refused as no page', () => {
		expect(isPageKind(kind)).toBe(true);
		fc.assert(
			fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
				const reading = readOrRefuse(kind, text);
				if (reading !== null) expectSound(reading);
			}),
			{ numRuns: 100 },
		);
	});

	test('that is cut anywhere, or holds anything in one place, is read within bounds or refused', () => {
		const text = sample(fixture);
		const wedges = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.anything({ withNullPrototype: false }),
			fc.constantFrom('__proto__', 'toString', '<script>', '9999-99-99', -1, 1e300),
		);
		fc.assert(
			fc.property(fc.nat(text.length), fc.nat(120), wedges, (cut, place, wedge) => {
				const damaged = fixture.endsWith('.json')
					? (JSON.stringify(replaceAt(JSON.parse(text), place, wedge)) ?? '')
					: text.slice(0, cut) + String(JSON.stringify(wedge)) + text.slice(cut);
				for (const one of [damaged, text.slice(0, cut)]) {
					const reading = readOrRefuse(kind, one);
					if (reading !== null) expectSound(reading);
				}
			}),
			{ numRuns: 100 },
		);
	});
});

test('what a Statuspage says is read as it was said', () => {
	const word = fc.stringMatching(/^[A-Za-z][A-Za-z ,.]{0,60}[a-z]$/).map((text) => text.replace(/ +/g, ' '));
	const instant = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2026, 11) }).map((ms) => Math.floor(ms / 1_000) * 1_000);
	const incident = fc.record({
		id: fc.uuid(),
		name: word,
		impact: fc.constantFrom('none', 'minor', 'major', 'critical'),
		startedAt: instant,
		lengthMs: fc.option(fc.nat(1e8)),
		body: word,
	});
	fc.assert(
		fc.property(fc.uniqueArray(incident, { selector: ({ id }) => id, maxLength: 20 }), (said) => {
			const iso = (at: number) => new Date(at).toISOString();
			const page = {
				incidents: said.map(({ id, name, impact, startedAt, lengthMs, body }) => ({
					...{ id, name, impact, started_at: iso(startedAt), status: lengthMs === null ? 'identified' : 'resolved' },
					resolved_at: lengthMs === null ? null : iso(startedAt + lengthMs),
					incident_updates: [{ status: 'identified', body, created_at: iso(startedAt) }],
				})),
			};
			const { incidents } = pageKinds.statuspage.read(JSON.stringify(page), base);
			expect(incidents.map((one) => [one.officialId, one.title, one.impact, one.startedAt, one.resolvedAt, one.updates[0]?.body]).sort()).toEqual(
				said
					.map(({ id, name, impact, startedAt, lengthMs, body }) => [id, name, impact, startedAt, lengthMs === null ? null : startedAt + lengthMs, body])
					.sort(),
			);
		}),
		{ numRuns: 50 },
	);
});

test('a feed that declares entities of its own does not grow', () => {
	const bomb = `<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "${'x'.repeat(1_000)}"><!ENTITY b "${'&a;'.repeat(1_000)}">]><rss><channel><item><guid>1</guid><title>${'&b;'.repeat(100)}</title><pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>`;
	const reading = readOrRefuse('rss', bomb);
	if (reading !== null) expectSound(reading);
});

test.each([
	['<p>One<br/>two &amp; <b>three</b></p>', 'One two & three'],
	['a\u0000b\nc\u2028d', 'a b c d'],
	['&lt;script&gt;', '<script>'],
	['&#x1F600; &#0; &#xD800; &nope;', '😀 &#0; &#xD800; &nope;'],
])('plain text of %j is %j', (html, text) => {
	expect(plainText(html, 100)).toBe(text);
});

test('addresses other than of the web, and times out of time, are none', () => {
	expect(['javascript:alert(1)', 'data:text/html,x', '', 7, null].map((value) => webAddress(value))).toEqual([null, null, null, null, null]);
	expect(webAddress('/incidents/1', base)).toBe('https://status.acme.example/incidents/1');
	expect(['yesterday', '1999-01-01', '9999-01-01', null, {}].map(instantOf)).toEqual([null, null, null, null, null]);
	expect(instantOf(1_795_000_000)).toBe(1_795_000_000_000);
});
