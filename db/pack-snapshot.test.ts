import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packSnapshot, unpackSnapshot } from './snapshots.ts';

describe('a packed snapshot', () => {
	test('of any text is unpacked to it, here and by whoever reads gzip', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
				const packed = packSnapshot(text);
				expect(unpackSnapshot(packed)).toBe(text);
				expect(gunzipSync(packed).toString('utf8')).toBe(text);
			}),
		);
	});

	test.each([1, 20_000, 3_000_000])('of %i characters comes back whole, and again', (length) => {
		const packed = packSnapshot('x'.repeat(length));
		expect(unpackSnapshot(packed)).toBe('x'.repeat(length));
		expect(unpackSnapshot(packed).length).toBe(length);
	});

	test('of a version that did not pack is read too', () => {
		expect(unpackSnapshot(Buffer.from('{"a":1}'))).toBe('{"a":1}');
	});
});
