import { describe, expect, test } from 'vitest';
import { outcomes } from '#core/outcome.ts';
import { PackedDays } from '#core/packed-days.ts';
import { availability } from '#core/sli.ts';
import type { DayView, Snapshot } from '#core/snapshot.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { countsOf, type Definition, definitionNames, uptimeView } from './uptime-view.ts';

/** A day of 116 results that ran: at least one of each group of outcomes. */
const day = {
	ok: 90,
	server_error: 4,
	overloaded: 2,
	connect_failed: 2,
	throttled: 2,
	rate_limited: 1,
	auth_failed: 3,
	model_not_found: 1,
	forbidden: 1,
	bad_request: 1,
	canary_mismatch: 2,
	content_blocked: 1,
	edge_blocked: 1,
	monitor_fault: 5,
};

const blank = (date: string): DayView => ({ date, state: 'unknown', downMinutes: 0, degradedMinutes: 0, good: 0, bad: 0, excluded: 0 });
const dateOf = (daysAgo: number) => new Date(Date.UTC(2026, 10, 23) - daysAgo * 86_400_000).toISOString().slice(0, 10);

function snapshotOf(changes: Partial<Snapshot['targets'][number]>): Snapshot {
	const base = sampleSnapshot({ providers: 1, modelsPerProvider: 1, hostile: false });
	const [target] = base.targets;
	if (target === undefined) throw new Error('Expected a sample target');
	return { ...base, generatedAt: '2026-11-23T12:00:00.000Z', targets: [{ ...target, ...changes }] };
}

function countedUnder(definition: Definition, changes: Partial<Snapshot['targets'][number]>) {
	const snapshot = snapshotOf(changes);
	return uptimeView(snapshot, definition).targets[snapshot.targets[0]?.id ?? ''];
}

describe('the same day under each definition, by hand', () => {
	test.each([
		// 90 ok and 3 answers that only our expectation refused; errors 4 + 2 + 2, key 3, missing model 1; limits 3, geo 1, our request 1, firewall 1, monitor 5.
		['openrouter', 93, 12, 11],
		// As above, but every fault of the caller is left out: the key and the missing model move over.
		['vercel', 93, 8, 15],
		// Everything but a complete, right answer; only what the monitor did to itself is left out.
		['strict', 90, 21, 5],
	] as const)('%s: %d good, %d bad, %d excluded', (definition, good, bad, excluded) => {
		expect(good + bad + excluded).toBe(116);
		expect(countedUnder(definition, { outcomes: day })).toEqual(availability(good, bad, excluded));
	});

	test('linnet gives what the rest of the snapshot gives', () => {
		const { availability: own } = snapshotOf({}).targets[0] ?? {};
		expect(countedUnder('linnet', {})).toEqual(own?.['1d']);
	});

	test('statuspage: nine days and the half of today, 43.2 minutes down of 13,680; a day without data is no uptime', () => {
		const days = Array.from({ length: 90 }, (_, index): DayView => {
			const date = dateOf(89 - index);
			if (index < 80) return blank(date);
			return { ...blank(date), state: 'operational', good: 1_440, downMinutes: index === 84 ? 36 : index === 89 ? 7.2 : 0, degradedMinutes: 20 };
		});
		expect(countedUnder('statuspage', { days: PackedDays.of(days) })).toEqual({
			good: 13_636.8,
			bad: 43.2,
			excluded: 0,
			ratio: 1 - 43.2 / 13_680,
			low: null,
			high: null,
		});
		expect(countedUnder('statuspage', { days: PackedDays.of(days.map(({ date }) => blank(date))) })?.ratio).toBeNull();
	});

	test('without data no definition says 100 %', () => {
		for (const definition of ['openrouter', 'vercel', 'strict'] as const)
			expect(countedUnder(definition, { outcomes: { monitor_fault: 9 } })?.ratio).toBeNull();
	});
});

test('the table that is given beside the numbers covers every outcome', () => {
	for (const definition of definitionNames) {
		const counts = countsOf(definition);
		if (definition === 'statuspage') expect(counts).toBeNull();
		else expect(Object.keys(counts ?? {})).toEqual([...outcomes]);
	}
	expect(countsOf('openrouter')?.auth_failed).toBe('bad');
	expect(countsOf('vercel')?.auth_failed).toBe('excluded');
	expect(countsOf('linnet')?.connect_failed).toBe('bad_if_confirmed');
});
