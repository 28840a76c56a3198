/** The record -> the next numbered snapshot -> everybody who listens. */
import { type AnnouncedMaintenance, buildSnapshot, type TargetFacts } from '#core/build-snapshot.ts';
import { emptyRollup } from '#core/rollup.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { Target } from '#core/target.ts';
import { readDoubts } from '#db/evaluator-state.ts';
import { listIncidents } from '#db/incidents.ts';
import { readRecentResults } from '#db/read-results.ts';
import type { RollupReader } from '#db/rollup-reader.ts';
import { publishSnapshot as storeSnapshot } from '#db/snapshots.ts';
import type { Db } from '#db/sql.ts';
import { firstScheduledAt } from '#db/targets.ts';
import { evaluatorName } from './evaluator.ts';

export interface PublishTools {
	readonly db: Db;
	/** Kept between publications: what hardly moves is read less often. */
	readonly rollups: RollupReader;
	now(): number;
	targets(): readonly Target[];
	status(): { readonly title: string; readonly url: string | null };
	readonly simulated: boolean;
	intervalMs(): number;
	/** Announced, running or ahead. */
	maintenances(): Promise<readonly AnnouncedMaintenance[]>;
}

const dayMs = 86_400_000;
/** More than the page shows, so that the 90-day bars know of each. */
const incidentsRead = 5_000;

export async function publishSnapshot({
	db,
	rollups,
	now,
	targets,
	status,
	simulated,
	intervalMs,
	maintenances: readMaintenances,
}: PublishTools): Promise<Snapshot> {
	const at = now();
	const since = at - 90 * dayMs;
	const configured = targets();
	const [firstSeen, recent, windows, days, incidents, doubts, maintenances] = await Promise.all([
		firstScheduledAt(db),
		readRecentResults(db, at - dayMs),
		rollups.windows(at),
		rollups.days(at),
		listIncidents(db, { resolvedSinceAt: since, limit: incidentsRead }),
		readDoubts(db, evaluatorName),
		readMaintenances(),
	]);
	const facts = new Map(
		configured.map(({ id, canaries }): [string, TargetFacts] => {
			const own = windows.get(id) ?? {};
			const primary = (window: '30m' | '1d') => own[window]?.byCanary[canaries[0]?.name ?? ''] ?? emptyRollup;
			return [
				id,
				{
					firstScheduledAt: firstSeen.get(id) ?? at,
					windows: Object.fromEntries(Object.entries(own).map(([window, { all }]) => [window, all])),
					latency: { '30m': primary('30m'), '1d': primary('1d') },
					days: days.get(id) ?? new Map(),
					recent: recent.get(id) ?? {},
				},
			];
		}),
	);
	const vantages = [...new Set([...recent.values()].flatMap((one) => Object.keys(one)))].sort();
	return storeSnapshot(db, (number) =>
		buildSnapshot({ now: at, number, ...status(), simulated, intervalMs: intervalMs(), vantages, targets: configured, facts, incidents, doubts, maintenances }),
	);
}
