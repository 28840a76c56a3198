import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { createSnapshotReader, createTextIds, readSnapshot, snapshotPieces, type WrittenSnapshot, writeSnapshot, writeTarget } from './snapshot-text.ts';

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

/** Publications one after the other: what each target is named, by index; a name is a text. Every publisher keeps the targets that it wrote. */
function publisher(by: string) {
	const textIds = createTextIds(by);
	const written = new Map<string, WrittenSnapshot['targets'][number]>();
	return (names: readonly string[]): Buffer => {
		const base: Snapshot = sampleSnapshot({ providers: 1, modelsPerProvider: 1 });
		const [view] = base.targets;
		if (view === undefined) throw new Error('Expected the sample to have a target');
		const targets = names.map((reason, index) => {
			const key = `${index} ${reason}`;
			const known = written.get(key) ?? writeTarget({ ...view, id: `t${index}`, reason });
			written.set(key, known);
			return known;
		});
		return Buffer.from(snapshotPieces({ ...base, targets }, textIds).join(''));
	};
}

const wholly = (bytes: Buffer) => readSnapshot(bytes.toString('utf8'));

test('whoever reads one publication after the other, of several publishers, reads of each what stands in it', () => {
	const publication = fc.record({ by: fc.integer({ min: 0, max: 1 }), names: fc.array(fc.constantFrom('a', 'é\n,', '}]', ''), { maxLength: 5 }) });
	fc.assert(
		fc.property(fc.array(publication, { maxLength: 8 }), (publications) => {
			const publishers = [publisher('one'), publisher('other')];
			const read = createSnapshotReader();
			for (const { by, names } of publications) {
				const bytes = publishers[by]?.(names) ?? Buffer.of();
				expect(read(bytes)).toEqual(wholly(bytes));
				expect(wholly(bytes).targets.map(({ reason }) => reason)).toEqual(names);
			}
		}),
	);
});

test('a target that has not moved is not read anew, one that has is', () => {
	const [publish, read] = [publisher('one'), createSnapshotReader()];
	const [before, after] = [read(publish(['a', 'b', 'c'])), read(publish(['a', 'moved', 'c']))];
	expect(after.targets.map((target, index) => target === before.targets[index])).toEqual([true, false, true]);
	expect(read(publisher('other')(['a', 'b', 'c'])).targets[0]).not.toBe(after.targets[0]);
});

test('a text without ids, of an older version too, is read whole', () => {
	const snapshot = sampleSnapshot({ providers: 2, modelsPerProvider: 2 });
	for (const text of [writeSnapshot(snapshot), JSON.stringify(snapshot)]) expect(createSnapshotReader()(Buffer.from(text))).toEqual(readSnapshot(text));
});

test('what is cut off is refused', () => {
	const bytes = publisher('one')(['a', 'b']);
	for (const length of [bytes.length - 500, bytes.indexOf(10) + 1, bytes.indexOf(10), 100]) {
		expect(() => createSnapshotReader()(bytes.subarray(0, length))).toThrow();
	}
});
