import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { rankTargets } from './rank-targets.ts';
import { availability } from './sli.ts';
import { states } from './state.ts';

const base = sampleSnapshot({ providers: 3, modelsPerProvider: 3, hostile: false }).targets[6];
if (base === undefined) throw new Error('Expected a sample target');

function target(id: string, changes: Partial<typeof base>) {
	return { ...(base as NonNullable<typeof base>), id, state: 'operational' as const, ...changes };
}

const ttft = (p95: number) => ({ p50: p95 / 2, p90: p95, p95, p99: p95, count: 30 });
const day = (good: number, bad: number) => ({ ...(base as NonNullable<typeof base>).availability, '1d': availability(good, bad, 0) });

test('a working provider stands before a faster one that fails', () => {
	const ranked = rankTargets([target('fast', { state: 'major_outage', ttftMs: ttft(100) }), target('slow', { ttftMs: ttft(900) })]);
	expect(ranked.map((entry) => entry.target.id)).toEqual(['slow', 'fast']);
});

test('a provider without data stands after a slow one and before a failing one', () => {
	const ranked = rankTargets([
		target('down', { state: 'major_outage' }),
		target('blind', { state: 'unknown' }),
		target('slow', { state: 'degraded_performance' }),
	]);
	expect(ranked.map((entry) => entry.target.id)).toEqual(['slow', 'blind', 'down']);
});

test('a clear difference of availability decides before latency, a difference by chance does not', () => {
	const clear = rankTargets([
		target('worse', { availability: day(1_300, 140), ttftMs: ttft(100) }),
		target('better', { availability: day(1_440, 0), ttftMs: ttft(900) }),
	]);
	expect(clear[0]?.target.id).toBe('better');
	const chance = rankTargets([
		target('slower', { availability: day(1_440, 0), ttftMs: ttft(900) }),
		target('faster', { availability: day(1_439, 1), ttftMs: ttft(100) }),
	]);
	expect(chance[0]?.target.id).toBe('faster');
	expect(chance[0]?.why).toContain('p95 100 ms');
});

test('who refuses for want of capacity stands back, but before who fails', () => {
	const capacity = { ...base.capacity, served: 20, refused: 4, ratio: 20 / 24 };
	const ranked = rankTargets([
		target('down', { state: 'major_outage' }),
		target('busy', { capacity, ttftMs: ttft(100) }),
		target('free', { ttftMs: ttft(900) }),
	]);
	expect(ranked.map((entry) => entry.target.id)).toEqual(['free', 'busy', 'down']);
	expect(ranked[1]?.why).toBe('refuses for want of capacity: 4 of 24 in 30 min');
});

test('a model that is retired at a provider stands last among equals, whatever was wished for; a deprecated one gives way only to an equal', () => {
	const cheap = { inputUsdPerMTok: 0.1, outputUsdPerMTok: 0.1 };
	const ranked = rankTargets(
		[target('ended', { lifecycle: 'retired', price: cheap }), target('ending', { lifecycle: 'deprecated' }), target('staying', { lifecycle: 'active' })],
		[['cheaper', ({ price }) => price?.inputUsdPerMTok ?? 9]],
	);
	expect(ranked.map((entry) => entry.target.id)).toEqual(['staying', 'ending', 'ended']);
	expect(ranked[2]?.why).toBe('this model is retired there');
});

test('the order does not depend on the order of the input', () => {
	const drawn = fc.record({
		state: fc.constantFrom(...states),
		p95: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
		bad: fc.integer({ min: 0, max: 20 }),
	});
	fc.assert(
		fc.property(fc.array(drawn, { maxLength: 8 }), fc.func(fc.integer()), (list, key) => {
			const targets = list.map(({ state, p95, bad }, index) =>
				target(`t${index}`, { state, availability: day(100, bad), ttftMs: p95 === null ? null : ttft(p95), ttftMs1d: null }),
			);
			const shuffled = [...targets].sort((a, b) => key(a.id) - key(b.id));
			expect(rankTargets(shuffled).map((entry) => entry.target.id)).toEqual(rankTargets(targets).map((entry) => entry.target.id));
		}),
	);
});
