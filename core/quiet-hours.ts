/** Hours in which a route stays quiet. */
import type { Impact } from './incident.ts';
import { type Weekday, wallTimeAt, weekdays } from './wall-clock.ts';

export interface QuietHours {
	/** Minutes since local midnight; an end before the start is on the next day. */
	readonly fromMinute: number;
	readonly toMinute: number;
	/** Days on which it starts. */
	readonly days: readonly Weekday[];
	readonly timeZone: string;
	/** Impacts that are told all the same. */
	readonly except: readonly Impact[];
}

/** The hours that keep an impact quiet at an instant; null when none does. */
export function quietAt(hours: readonly QuietHours[], impact: Impact, at: number): QuietHours | null {
	return hours.find((each) => !each.except.includes(impact) && isWithin(each, at)) ?? null;
}

function isWithin({ fromMinute, toMinute, days, timeZone }: QuietHours, at: number): boolean {
	const { minute, weekday } = wallTimeAt(at, timeZone);
	const starts = (day: number) => days.some((name) => weekdays.indexOf(name) === day % 7);
	if (fromMinute < toMinute) return starts(weekday) && minute >= fromMinute && minute < toMinute;
	return (starts(weekday) && minute >= fromMinute) || (starts(weekday + 6) && minute < toMinute);
}
