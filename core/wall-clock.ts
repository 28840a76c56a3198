/** Local wall time of a time zone ↔ instants, by the zone data of the runtime. */

export interface WallTime {
	readonly year: number;
	/** 1 to 12. */
	readonly month: number;
	readonly day: number;
	/** 0 is Sunday. */
	readonly weekday: number;
	/** Minutes since local midnight, 0 to 1439. */
	readonly minute: number;
}

export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof weekdays)[number];

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
	const known = formats.get(timeZone);
	if (known !== undefined) return known;
	const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
	const made = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...parts });
	formats.set(timeZone, made);
	return made;
}

export function isTimeZone(name: string): boolean {
	try {
		formatOf(name);
		return true;
	} catch {
		return false;
	}
}

/** What a local calendar says, as if it were UTC; ms. */
function localMs(at: number, timeZone: string): number {
	const read: Record<string, number> = {};
	for (const { type, value } of formatOf(timeZone).formatToParts(at)) read[type] = Number(value);
	return Date.UTC(read.year ?? 0, (read.month ?? 1) - 1, read.day, read.hour, read.minute, read.second);
}

export function wallTimeAt(at: number, timeZone: string): WallTime {
	const local = new Date(localMs(at, timeZone));
	return {
		year: local.getUTCFullYear(),
		month: local.getUTCMonth() + 1,
		day: local.getUTCDate(),
		weekday: local.getUTCDay(),
		minute: local.getUTCHours() * 60 + local.getUTCMinutes(),
	};
}

/** The instant at which a local clock shows a time, ms since epoch; of a time that a change of clocks skips, the same span after midnight; of a doubled one, the first. */
export function instantOf(year: number, month: number, day: number, minute: number, timeZone: string): number {
	const wanted = Date.UTC(year, month - 1, day) + minute * 60_000;
	// Offsets before and after any change of clocks near by; the first candidate whose clock shows the wanted time is the earlier of a doubled one.
	const offsets = [wanted - 86_400_000, wanted + 86_400_000].map((at) => localMs(at, timeZone) - at);
	const candidates = offsets.map((offset) => wanted - offset).sort((a, b) => a - b);
	return candidates.find((at) => localMs(at, timeZone) === wanted) ?? candidates[1] ?? wanted;
}

/** `22:30` → minutes since midnight; null when it is no time of day. */
export function parseTimeOfDay(text: string): number | null {
	const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
	return match === null ? null : Number(match[1]) * 60 + Number(match[2]);
}
