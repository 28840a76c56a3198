import type { Rollup } from './rollup.ts';

const dayMs = 86_400_000;

/** What the slots of one UTC day were for availability. */
export type DayCount = Pick<Rollup, 'good' | 'bad' | 'excluded'>;

/** Of UTC days that follow each other. Figures side by side: as a map of objects the ninety days of 10,000 targets take 65 MB. */
export class DayCounts {
	/** Since 1970. */
	readonly firstDay: number;
	/** Good, bad and excluded of the first day, then of the next. */
	readonly counts: Int32Array;

	/** Of as many days as `counts` has threes. @param firstDay since 1970 */
	constructor(firstDay: number, counts: Int32Array) {
		this.firstDay = firstDay;
		this.counts = counts;
	}

	/** @param days from `firstDay` on, all zero until something is added */
	static zeros(firstDay: number, days: number): DayCounts {
		return new DayCounts(firstDay, new Int32Array(days * 3));
	}

	/** @throws {RangeError} for a day that it has no place for */
	add(day: number, { good, bad, excluded }: DayCount): void {
		const at = (day - this.firstDay) * 3;
		if (!(at >= 0 && at < this.counts.length)) throw new RangeError(`Expected one of ${this.counts.length / 3} days from ${this.firstDay} on, got ${day}`);
		for (const [i, count] of [good, bad, excluded].entries()) this.counts[at + i] = (this.counts[at + i] ?? 0) + count;
	}

	/** @param from first instant of the day, ms since epoch. Zeros for a day that is not in here. */
	of(from: number): DayCount {
		const at = (from / dayMs - this.firstDay) * 3;
		return { good: this.counts[at] ?? 0, bad: this.counts[at + 1] ?? 0, excluded: this.counts[at + 2] ?? 0 };
	}

	/** With the days of `other` in place of its own: itself, the very same, where none differs. */
	replacedBy(other: DayCounts): DayCounts {
		const offset = (other.firstDay - this.firstDay) * 3;
		if (other.counts.every((count, at) => count === (this.counts[offset + at] ?? 0))) return this;
		const firstDay = Math.min(this.firstDay, other.firstDay);
		const length = Math.max(this.counts.length + (this.firstDay - firstDay) * 3, other.counts.length + (other.firstDay - firstDay) * 3);
		const counts = new Int32Array(length);
		counts.set(this.counts, (this.firstDay - firstDay) * 3);
		counts.set(other.counts, (other.firstDay - firstDay) * 3);
		return new DayCounts(firstDay, counts);
	}

	/** Without the days before the first that has a count. */
	trimmed(): DayCounts {
		const first = this.counts.findIndex((count) => count !== 0);
		const days = first < 0 ? this.counts.length / 3 : Math.floor(first / 3);
		return new DayCounts(this.firstDay + days, this.counts.slice(days * 3));
	}
}
