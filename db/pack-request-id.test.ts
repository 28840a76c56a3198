import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packRequestId, unpackRequestId } from './pack-request-id.ts';

it.each([
	['req_011CSHoEeqs5C35K2UUqFCyu', 20],
	['req_8f4e2c1d9a7b6e5f4c3d2b1a09f8e7d6', 17],
	['chatcmpl-9c5f1f2e-7b3a-4d7e-9f1a-2b3c4d5e6f70', 17],
	['chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG', 24],
	['9c5f1f2e-7b3a-4d7e-9f1a-2b3c4d5e6f70', 17],
	['gen-1732380000-AbCdEfGhIjKlMnOpQrSt', 26],
	['Root=1-67891233-abcdef012345678912345678', 41],
	['7', 2],
	['req_', 1],
])('%s takes %d bytes', (id, bytes) => {
	expect(packRequestId(id)).toHaveLength(bytes);
	expect(unpackRequestId(packRequestId(id))).toBe(id);
});

it('gives back every id, and nothing for nothing', () => {
	const wellFormed = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.toWellFormed());
	const letters = fc.stringMatching(/^(req_|chatcmpl-|msg_|)[A-Za-z0-9_-]{0,40}$/);
	fc.assert(
		fc.property(fc.oneof(wellFormed, letters, fc.uuid(), fc.stringMatching(/^[0-9a-f]{0,40}$/)), (id) => {
			expect(unpackRequestId(packRequestId(id))).toBe(id);
		}),
	);
	expect(unpackRequestId(packRequestId(null))).toBeNull();
});
