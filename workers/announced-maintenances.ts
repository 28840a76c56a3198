/** Announced maintenance as the verdict and the page hear of it. */
import type { AnnouncedMaintenance } from '#core/build-snapshot.ts';
import type { MaintenanceWindow } from '#core/judge/judge-state.ts';
import { listMaintenances } from '#db/maintenances.ts';
import type { Sql } from '#db/sql.ts';

const dayMs = 86_400_000;
/** A window that is announced while it runs holds from here on. */
const readEveryMs = 2_000;

/** Windows that run now or begin within a day, oldest first. */
export async function announcedMaintenances(sql: Sql, now: number): Promise<AnnouncedMaintenance[]> {
	const windows = await listMaintenances(sql, { fromAt: now, toAt: now + dayMs });
	return windows.map(({ id, title, scope, fromAt, toAt }) => ({ id, ...scope, operation: null, reason: title, fromAt, toAt }));
}

export interface MaintenanceWatch {
	/** Reads anew when what is known is older than 2 s. */
	refresh(): Promise<void>;
	windows(): readonly MaintenanceWindow[];
}

/** For the evaluator, whose inputs are at hand when it steps. */
export function watchMaintenances(sql: Sql, now: () => number): MaintenanceWatch {
	let [readAt, known]: [number, readonly MaintenanceWindow[]] = [Number.NEGATIVE_INFINITY, []];
	return {
		async refresh() {
			const at = now();
			if (Math.abs(at - readAt) < readEveryMs) return;
			known = (await announcedMaintenances(sql, at)).map(({ id, provider, model, vantage, fromAt, toAt }) => ({ id, provider, model, vantage, fromAt, toAt }));
			readAt = at;
		},
		windows: () => known,
	};
}
