import type { DayView } from './snapshot.ts';
import { type State, states } from './state.ts';

/** Days that follow each other, in a few characters each: as objects the ninety days of 10,000 targets take 70 MB, for readers who seldom look. */
export class PackedDays {
	readonly text: string;

	/** @param text as made by `of` */
	constructor(text: string) {
		this.text = text;
	}

	/** @throws {Error} when a day is missing */
	static of(days: readonly DayView[]): PackedDays {
		return new PackedDays(pack(days));
	}

	/** Oldest first, anew each time. @throws {Error} when the text was never packed */
	unpack(): DayView[] {
		return unpack(this.text);
	}

	/** Whoever writes it as JSON gives the days, never the packing. */
	toJSON(): DayView[] {
		return this.unpack();
	}
}

const dayMs = 86_400_000;

/** First date, then of each following day the index of its state, and its figures without the zeros at the end. */
function pack(days: readonly DayView[]): string {
	const first = days[0];
	if (first === undefined) return '';
	const dates = datesFrom(first.date, days.length);
	// Joined at the end: a string that grows by pieces is a tree of them, ten times as large, until somebody reads it.
	const parts = [first.date];
	let index = 0;
	for (const day of days) {
		if (day.date !== dates[index]) throw new Error(`Expected days that follow each other from ${first.date}, got ${day.date} at ${index}`);
		index += 1;
		parts.push(`${states.indexOf(day.state)}${figuresOf(day)}`);
	}
	return parts.join(' ');
}

function figuresOf({ good, bad, excluded, downMinutes, degradedMinutes }: DayView): string {
	if (degradedMinutes !== 0) return `,${good},${bad},${excluded},${downMinutes},${degradedMinutes}`;
	if (downMinutes !== 0) return `,${good},${bad},${excluded},${downMinutes}`;
	if (excluded !== 0) return `,${good},${bad},${excluded}`;
	if (bad !== 0) return `,${good},${bad}`;
	return good === 0 ? '' : `,${good}`;
}

function unpack(text: string): DayView[] {
	if (text === '') return [];
	const [first = '', ...parts] = text.split(' ');
	const dates = datesFrom(first, parts.length);
	return parts.map((part, index) => {
		if (part.length === 1) return emptyDay(dates[index] ?? '', index, stateOf(Number(part), text));
		const [stateIndex = -1, good = 0, bad = 0, excluded = 0, downMinutes = 0, degradedMinutes = 0] = part.split(',').map(Number);
		return { date: dates[index] ?? '', state: stateOf(stateIndex, text), downMinutes, degradedMinutes, good, bad, excluded };
	});
}

let known: readonly string[] = [];
/** By the index of the day, then by state: most targets have been measured for fewer than ninety days, and share those before. */
let empty: Partial<Record<State, DayView>>[] = [];

function emptyDay(date: string, index: number, state: State): DayView {
	const ofDay = (empty[index] ??= {});
	return (ofDay[state] ??= { date, state, downMinutes: 0, degradedMinutes: 0, good: 0, bad: 0, excluded: 0 });
}

/** All targets of a snapshot have the same days: kept from one to the next, a date costs nothing. */
function datesFrom(first: string, count: number): readonly string[] {
	if (known[0] !== first || known.length < count) {
		const start = Date.parse(first);
		known = Array.from({ length: count }, (_, index) => new Date(start + index * dayMs).toISOString().slice(0, 10));
		empty = [];
	}
	return known;
}

function stateOf(index: number, text: string): State {
	const state = states[index];
	if (state === undefined) throw new Error(`Expected the index of a state, got ${index} in ${text.slice(0, 80)}`);
	return state;
}
