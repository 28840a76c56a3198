/** What routers report of their real traffic, as evidence with a bounded weight. Pure. */
import { isOutcome, sliOf } from '#core/outcome.ts';

export interface ReportedTraffic {
	readonly targetId: string;
	/** As the reporter calls itself: nothing stops it from having many names, so all of them together are bounded too. */
	readonly source: string;
	/** Requests per outcome code. */
	readonly outcomes: Readonly<Record<string, number>>;
}

/** How far back reports are looked at. */
export const reportsHeardMs = 300_000;
/** Of the 18.5 that open an outage: whatever is reported, most of it and three bad results must be our own. */
const sourceNats = 2;
const allNats = 4;
const leastBad = 3;
const [someShare, halfShare] = [0.2, 0.5];

/** @returns target id → nats; targets whose traffic fails no more than a fifth are left out. */
export function weighReports(reports: readonly ReportedTraffic[]): Record<string, number> {
	const found: Record<string, number> = {};
	for (const { targetId, outcomes } of reports) {
		let [good, bad] = [0, 0];
		for (const [code, count] of Object.entries(outcomes)) {
			// What a reporter could not connect to may be its own network: without a second witness it is excluded, as for a canary.
			const sli = isOutcome(code) ? sliOf(code, null) : 'excluded';
			if (sli === 'good') good += count;
			else if (sli === 'bad') bad += count;
		}
		const share = bad / (good + bad);
		if (bad < leastBad || share < someShare) continue;
		found[targetId] = Math.min(allNats, (found[targetId] ?? 0) + (share >= halfShare ? sourceNats : sourceNats / 2));
	}
	return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}
