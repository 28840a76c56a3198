import { expect, test } from 'vitest';
import { isKept, pressureOf } from './spool-pressure.ts';

const mb = 2 ** 20;
test.each([
	['nothing waits, and the disk is full', 0, 0, 1],
	['little waits', 10, 5_000, 1],
	['the disk is not known', 10, null, 1],
	['half full', 128, 5_000, 2],
	['seven tenths full', 180, 5_000, 4],
	['nine tenths full', 231, 5_000, null],
	['over full', 300, 5_000, null],
	['little waits, the disk is nearly full', 1, 200, 2],
	['little waits, the disk is all but full', 1, 40, 4],
	['little waits, the disk is full', 1, 3, null],
	['half full, the disk is full', 128, 3, null],
] as const)('%s: %d of 256 MB used, %s MB free: one slot in %s', (_, used, free, keepOneIn) => {
	const pressure = pressureOf({ usedBytes: used * mb, maxBytes: 256 * mb, freeBytes: free === null ? null : free * mb });
	expect(pressure.keepOneIn).toBe(keepOneIn);
	expect(pressure.reason === null).toBe(keepOneIn === 1);
});

test.each([
	[1, 12],
	[2, 6],
	[4, 3],
	[null, 0],
])('one in %s keeps %d of twelve slots that follow each other', (keepOneIn, kept) => {
	const slots = Array.from({ length: 12 }, (_, i) => 7_123 + i * 60_000);
	expect(slots.filter((slotAt) => isKept({ keepOneIn, reason: null }, slotAt, 60_000))).toHaveLength(kept);
});
