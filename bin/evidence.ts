import type { Evidence, SeriesPoint } from '#api/evidence.ts';
import { type Histogram, quantile } from '#core/histogram.ts';
import { isOutcome } from '#core/outcome.ts';
import { overrideIncident } from '#core/override-incident.ts';
import { findIncident } from '#db/incidents.ts';
import { listOperatorEntries } from '#db/operator-entries.ts';
import { listResults } from '#db/read-results.ts';
import { readSeries } from '#db/rollups.ts';
import { listMarks } from '#db/series-marks.ts';
import type { Db } from '#db/sql.ts';

/** Null without a value. */
function percentilesOf(histogram: Histogram): SeriesPoint['ttftMs'] {
	const [p50, p90, p95, p99] = [0.5, 0.9, 0.95, 0.99].map((share) => quantile(histogram, share));
	return p50 == null || p90 == null || p95 == null || p99 == null ? null : { p50, p90, p95, p99 };
}

/** The API's reads of the record. */
export function createEvidence(db: Db): Evidence {
	return {
		async results(targetId, { cursor, limit, outcome }) {
			try {
				const page = await listResults(db, { targetId, before: cursor, limit, ...(outcome !== null && isOutcome(outcome) ? { outcome } : {}) });
				return { results: page.results.map(({ id, result }) => ({ id, ...result })), next: page.next };
			} catch (error) {
				if (error instanceof RangeError) return null;
				throw error;
			}
		},
		async series(targetId, range) {
			const points = await readSeries(db, targetId, range);
			return points.map(({ at, rollup }) => ({
				at,
				count: rollup.count,
				missed: rollup.missed,
				good: rollup.good,
				bad: rollup.bad,
				excluded: rollup.excluded,
				ttftMs: percentilesOf(rollup.ttft),
				totalMs: rollup.total.buckets.length === 0 ? null : { p50: quantile(rollup.total, 0.5) ?? 0, p95: quantile(rollup.total, 0.95) ?? 0 },
				outputTokensPerSecond: rollup.speed.buckets.length === 0 ? null : { p50: quantile(rollup.speed, 0.5) ?? 0, p10: quantile(rollup.speed, 0.1) ?? 0 },
			}));
		},
		marks: (targetId, range) => listMarks(db, targetId, range),
		async incident(id) {
			const incident = await findIncident(db, id);
			return incident === null ? null : overrideIncident(incident, (await listOperatorEntries(db, [id])).get(id) ?? []);
		},
	};
}
