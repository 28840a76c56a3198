/** Reports of routers on their real traffic: what comes in, and how it is shown. Pure. */
import { z } from 'zod';
import { countOf, highestBucket, lowestBucket, quantile } from '#core/histogram.ts';
import { isOutcome, outcomes } from '#core/outcome.ts';
import type { Observation, ObservedTraffic, Recorded } from '#db/observations.ts';
import { Problem, quote } from './problem.ts';

export interface Observations {
	/** Rejects when the record is away. */
	record(observations: readonly Observation[]): Promise<Recorded>;
	/** The last hour's, from memory. */
	of(targetId: string): readonly ObservedTraffic[];
}

export const maxReports = 1_000;
const longestSpanMs = 3_600_000;
const oldestMs = 86_400_000;
/** Clocks differ. */
const aheadMs = 300_000;

const name = z.string().regex(/^[\w.:/@+-]{1,100}$/);
const histogram = z.strictObject({
	buckets: z.array(z.int().min(lowestBucket).max(highestBucket)).max(1_000).describe('ascending; bucket i holds ms in (1.05^(i-1), 1.05^i]'),
	counts: z.array(z.int().min(1).max(1_000_000_000)).max(1_000),
});

export const observationSchema = z.strictObject({
	id: name.describe('your own; the same from the same source is stored once'),
	source: name.describe('who reports'),
	target: z.string().max(500).describe('provider:model:operation'),
	from: z.iso.datetime({ offset: true }),
	to: z.iso.datetime({ offset: true }).describe('at most an hour later'),
	outcomes: z.record(z.string(), z.int().min(0).max(1_000_000_000)).describe(`requests per outcome code: ${outcomes.join(', ')}`),
	ttftMs: histogram.optional().describe('time to first token of the ok ones'),
});

function faultOf(report: z.infer<typeof observationSchema>, now: number): string | null {
	const [fromAt, toAt] = [Date.parse(report.from), Date.parse(report.to)];
	const code = Object.keys(report.outcomes).find((outcome) => !isOutcome(outcome));
	if (code !== undefined) return `outcomes to hold codes of the list, got ${quote(code)}`;
	if (!(fromAt < toAt && toAt - fromAt <= longestSpanMs)) return 'from to be before to, by an hour at most';
	if (toAt > now + aheadMs || toAt < now - oldestMs) return `to to be within the last day, got ${quote(report.to)}`;
	const { buckets, counts } = report.ttftMs ?? { buckets: [], counts: [] };
	if (buckets.length !== counts.length) return 'ttftMs to have as many counts as buckets';
	if (buckets.some((bucket, index) => index > 0 && bucket <= (buckets[index - 1] ?? 0))) return 'ttftMs.buckets to ascend';
	if (countOf({ buckets, counts }) > (report.outcomes.ok ?? 0)) return 'ttftMs to count no more answers than were ok';
	return null;
}

function readJson(text: string, where: string): unknown {
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new Problem(400, 'bad-body', `Expected JSON${where}, got ${quote(text)}`, { cause });
	}
}

/** All reports of a body, or a problem that names the first at fault by its place, from 1. */
export function parseObservations(type: string, text: string, now: number): Observation[] {
	const isLines = type === 'application/x-ndjson';
	const lines = isLines ? text.split('\n').filter((line) => line.trim() !== '') : [];
	if (lines.length > maxReports) throw new Problem(400, 'too-many-reports', `Expected at most ${maxReports} reports, got ${lines.length}`);
	const given = isLines ? lines.map((line, index) => readJson(line, ` in line ${index + 1}`)) : readJson(text, '');
	const reports = Array.isArray(given) ? given : [given];
	if (reports.length === 0 || reports.length > maxReports)
		throw new Problem(400, 'too-many-reports', `Expected 1 to ${maxReports} reports, got ${reports.length}`);
	return reports.map((report, index): Observation => {
		const parsed = observationSchema.safeParse(report);
		if (!parsed.success) {
			const [issue] = parsed.error.issues;
			throw new Problem(400, 'bad-report', `Report ${index + 1}, ${issue?.path.join('.') || 'as a whole'}: ${issue?.message}`);
		}
		const fault = faultOf(parsed.data, now);
		if (fault !== null) throw new Problem(400, 'bad-report', `Report ${index + 1}: expected ${fault}`);
		const { id, source, target, from, to, outcomes: counted, ttftMs } = parsed.data;
		return { id, source, targetId: target, fromAt: Date.parse(from), toAt: Date.parse(to), outcomes: counted, ttft: ttftMs ?? { buckets: [], counts: [] } };
	});
}

/** Beside the canaries, with its source; never mixed into their numbers. */
export function observedView({ source, fromAt, toAt, reportCount, outcomes: counted, ttft }: ObservedTraffic) {
	const [p50, p95] = [quantile(ttft, 0.5), quantile(ttft, 0.95)];
	return {
		source,
		from: new Date(fromAt).toISOString(),
		to: new Date(toAt).toISOString(),
		reports: reportCount,
		requests: Object.values(counted).reduce((sum, count) => sum + count, 0),
		outcomes: counted,
		ttftMs: p50 === null || p95 === null ? null : { p50, p95, count: countOf(ttft) },
	};
}
