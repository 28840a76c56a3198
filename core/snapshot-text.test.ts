import { expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { readSnapshot, writeSnapshot } from './snapshot-text.ts';

test('what is written is read as it was, and written the same again', () => {
	const snapshot = sampleSnapshot({ providers: 6, modelsPerProvider: 8 });
	const text = writeSnapshot(snapshot);
	const read = readSnapshot(text);
	expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(snapshot)));
	expect(writeSnapshot(read)).toBe(text);
});

test('a snapshot of a version that did not pack is read too', () => {
	const snapshot = sampleSnapshot({ providers: 2, modelsPerProvider: 2 });
	const text = JSON.stringify(snapshot);
	expect(JSON.parse(JSON.stringify(readSnapshot(text)))).toEqual(JSON.parse(text));
});

test('what is no snapshot is refused', () => {
	expect(() => readSnapshot('{"targets":[{}]}')).toThrow('Expected a snapshot');
	expect(() => readSnapshot('{')).toThrow(SyntaxError);
});
