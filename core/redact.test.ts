import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanText, redact, secretsOf } from './redact.ts';

const glue = (...parts: string[]) => parts.join('');

describe('redaction', () => {
	test.each([
		['the key itself', 'Incorrect API key provided: my-own-secret.', ['my-own-secret'], 'my-own-secret'],
		['an OpenAI-like key', glue('bad ', 'sk', '-proj-', 'abcDEF123456'), [], 'abcDEF123456'],
		['a half-masked key', glue('key ', 'sk', '-abc', '*****', 'wxyz'), [], 'wxyz'],
		['a Google-like key', glue('key ', 'AI', 'za', 'SyAbcdefghij12345'), [], 'SyAbcdefghij'],
		['an AWS-like id', glue('id ', 'AK', 'IA', 'ABCDEFGH1234'), [], 'ABCDEFGH1234'],
		['a bearer token', glue('sent Bearer ', 'abcdefghijklmnop'), [], 'abcdefghijklmnop'],
		['a JWT', glue('token: ', 'ey', 'J', 'hbGciOiJIUzI1', '.eyJzdWIi', '.sig-nature'), [], 'hbGciOiJIUzI1'],
		['any long mixed run', 'got 9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c', [], '9f8e7d6c5b4a'],
	])('hides %s', (_what, text, secrets, leak) => {
		const shown = redact(text, secrets);
		expect(shown).not.toContain(leak);
		expect(shown).toContain('[redacted]');
	});

	test('leaves an ordinary sentence alone', () => {
		const sentence = 'Rate limit reached for gpt-6-luna: Limit 60, Used 60. Please try again in 1.2s.';
		expect(redact(sentence, ['test-key'])).toBe(sentence);
	});

	test('no secret survives, wherever it stands in whatever text', () => {
		const secret = fc.stringMatching(/^[A-Za-z0-9_-]{8,40}$/);
		fc.assert(
			fc.property(fc.string(), secret, fc.string(), (before, key, after) => {
				const shown = redact(`${before}${key}${after}`, [key]);
				return !shown.includes(key) || '[redacted]'.includes(key);
			}),
		);
	});

	test.each([
		['as it is', (key: string) => key],
		['in capitals', (key: string) => key.toUpperCase()],
		['in a URL', encodeURIComponent],
		['in JSON', (key: string) => key.replaceAll('/', '\\/')],
		['in HTML', (key: string) => key.replaceAll('/', '&#x2f;').replaceAll('=', '&#x3d;').replaceAll('+', '&#x2b;')],
		['in base64', (key: string) => Buffer.from(key).toString('base64')],
		['in base64url', (key: string) => Buffer.from(key).toString('base64url')],
		['in hex', (key: string) => Buffer.from(key).toString('hex')],
	])('hides a key of plain words that is repeated %s, and what is left of it at the end of a text', (_, write) => {
		const key = 'wary/otter+hums?low=tide';
		const said = write(key);
		expect(redact(`you sent ${said}!`, [key])).toBe('you sent [redacted]!');
		for (let length = 9; length < said.length; length += 1)
			expect(redact(`you sent ${said.slice(0, length)}`, [key]).replace('[redacted]', '')).not.toContain(said.slice(0, 9));
	});

	test.each([
		['in JSON in JSON', (key: string) => key.replaceAll('/', '\\\\/')],
		['half escaped', (key: string) => key.replaceAll('/', '&#x2F;').replaceAll('=', '%3D')],
	])('hides a key of plain words that is repeated %s', (_, write) => {
		const key = 'wary/otter+hums?low=tide';
		expect(redact(`you sent ${write(key)}!`, [key])).toBe('you sent [redacted]!');
	});

	test('a credential’s parts and the headers that the operator adds are secret too', () => {
		expect(secretsOf('wary-otter:hums/low', { 'x-team': 'Bearer tide-at-dawn', accept: '*/*' })).toEqual([
			'wary-otter:hums/low',
			'wary-otter',
			'hums/low',
			'Bearer tide-at-dawn',
			'tide-at-dawn',
		]);
		expect(secretsOf(null)).toEqual([]);
	});

	test('a secret across the cut does not leave its first half', () => {
		const key = 'test-key-number-one';
		expect(redact(`${'x '.repeat(145)}${key}`, [key])).not.toContain('test-key');
	});
});

describe('cleaned text', () => {
	test('holds no control character and no lone surrogate, and is never longer than asked', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), fc.nat(50), (text, most) => {
				const shown = redact(text, [], most);
				// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is tested.
				return shown.length <= most && !/[\u0000-\u001f\u007f-\u009f]/.test(shown) && shown.isWellFormed();
			}),
		);
		expect(cleanText('a\u0000b\nc\u202ed')).toBe('a b c d');
	});
});
