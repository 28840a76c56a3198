import { expect, it } from 'vitest';
import { decideFullLoop, type LoopFacts } from './full-loop.ts';

const minute = 60_000;
const now = Date.parse('2026-11-23T12:00:00Z');
const whole: LoopFacts = { now, intervalMs: minute, measuredAt: now - minute, unjudgedSinceAt: null, publishedAt: now - 10_000, untoldSinceAt: null };

it.each<[string, Partial<LoopFacts>, string | null]>([
	['all of it was done', {}, null],
	['a message of now is on its way', { untoldSinceAt: now - minute, unjudgedSinceAt: now - 1_000 }, null],
	['no probe ran yet', { measuredAt: null }, 'probe'],
	['probes stopped', { measuredAt: now - 6 * minute }, 'probe'],
	['probes are as rare as asked for', { intervalMs: 60 * minute, measuredAt: now - 6 * minute }, null],
	['nobody judges', { unjudgedSinceAt: now - 2 * minute }, 'verdict'],
	['nobody publishes', { publishedAt: now - 2 * minute }, 'snapshot'],
	['nothing was ever published', { publishedAt: null }, 'snapshot'],
	['an alert is old', { untoldSinceAt: now - 11 * minute }, 'outbox'],
])('%s', (_, changes, missing) => {
	const decision = decideFullLoop({ ...whole, ...changes });
	expect(decision.complete ? null : decision.missing).toBe(missing);
});
