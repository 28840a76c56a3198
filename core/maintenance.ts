/** Announced maintenance, once or recurring, and its windows in a stretch of time. */
import { instantOf, type Weekday, wallTimeAt, weekdays } from './wall-clock.ts';

export type Recurrence =
	| { readonly every: 'day'; readonly timeZone: string }
	| { readonly every: 'week'; readonly days: readonly Weekday[]; readonly timeZone: string }
	/** A month without that day has no window. */
	| { readonly every: 'month'; readonly day: number; readonly timeZone: string };

/** Null means "all". */
export interface MaintenanceScope {
	readonly provider: string | null;
	readonly model: string | null;
	readonly vantage: string | null;
}

export interface Maintenance {
	readonly id: string;
	readonly title: string;
	readonly scope: MaintenanceScope;
	/** Start of the first window, ms since epoch; its local time of day is that of every further one. */
	readonly fromAt: number;
	readonly durationMs: number;
	/** Null: once. */
	readonly recurrence: Recurrence | null;
	/** No window starts at or after it; null: for ever. */
	readonly untilAt: number | null;
	/** A window under way ends then, and none follows; null while it stands. */
	readonly cancelledAt: number | null;
}

/** Times in ms since epoch, `toAt` not included. */
export interface MaintenanceWindow {
	readonly id: string;
	readonly title: string;
	readonly scope: MaintenanceScope;
	readonly fromAt: number;
	readonly toAt: number;
}

const dayMs = 86_400_000;
/** A stretch that asks for more is cut: a year of daily windows is enough for everything that asks. */
const maxWindows = 400;

/** Windows that touch `fromAt` (included) to `toAt` (not included), oldest first; local times of day hold over changes of clocks. */
export function windowsOf(maintenance: Maintenance, { fromAt, toAt }: { readonly fromAt: number; readonly toAt: number }): MaintenanceWindow[] {
	const { id, title, scope, durationMs, recurrence, untilAt, cancelledAt } = maintenance;
	const starts = recurrence === null ? [maintenance.fromAt] : startsOf(maintenance.fromAt, recurrence, Math.max(maintenance.fromAt, fromAt - durationMs), toAt);
	return starts
		.filter((start) => (untilAt === null || start < untilAt) && (cancelledAt === null || start < cancelledAt))
		.map((start) => ({ id, title, scope, fromAt: start, toAt: Math.min(start + durationMs, cancelledAt ?? Number.POSITIVE_INFINITY) }))
		.filter((window) => window.fromAt < toAt && window.toAt > fromAt);
}

function startsOf(firstAt: number, recurrence: Recurrence, fromAt: number, toAt: number): number[] {
	const { timeZone } = recurrence;
	const { minute } = wallTimeAt(firstAt, timeZone);
	const starts: number[] = [];
	const begin = wallTimeAt(fromAt, timeZone);
	// From the local day before, so that no change of clocks hides a window.
	for (let day = -1; starts.length < maxWindows; day += 1) {
		const midnight = new Date(Date.UTC(begin.year, begin.month - 1, begin.day) + day * dayMs);
		const [year, month, date, weekday] = [midnight.getUTCFullYear(), midnight.getUTCMonth() + 1, midnight.getUTCDate(), midnight.getUTCDay()];
		const start = instantOf(year, month, date, minute, timeZone);
		if (start >= toAt) break;
		if (start < fromAt) continue;
		const due =
			recurrence.every === 'day' ||
			(recurrence.every === 'week' && recurrence.days.some((name) => weekdays.indexOf(name) === weekday)) ||
			(recurrence.every === 'month' && recurrence.day === date);
		if (due) starts.push(start);
	}
	return starts;
}

/** True when maintenance of `scope` covers what stands in `subject`: all it names are the subject's own. */
export function coversScope(scope: MaintenanceScope, subject: MaintenanceScope): boolean {
	return (['provider', 'model', 'vantage'] as const).every((key) => scope[key] === null || scope[key] === subject[key]);
}
