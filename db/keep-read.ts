export interface KeptFor {
	/** How many times as long as it took to read. */
	readonly perReadMs: number;
	readonly atMostMs: number;
	/** The first one: read by cold code and from a cold disk, it took longer than the next one will. Left out: as any. */
	readonly firstAtMostMs?: number;
}

/** What would be kept for `fromMs` or longer is kept until the next mark instead: each `everyMs` since the epoch, and `lateMs` after it. */
export interface Marks<Found> {
	readonly fromMs: number;
	readonly everyMs: number;
	readonly lateMs: number;
	/** A small answer that took long did so because the machine was busy. */
	isLarge(found: Found): boolean;
}

export interface KeptRead<Found> {
	(now: number): Promise<Found>;
	/** Whether it would be read anew at this instant. */
	isDue(now: number): boolean;
}

/**
 * A read that is asked for more often than its answer moves: what it costs decides how long it is kept, so that a small installation is always fresh.
 * One for a process; `now` in ms since epoch.
 */
export function keepRead<Found>(
	read: (now: number) => Promise<Found>,
	{ perReadMs, atMostMs, firstAtMostMs = atMostMs }: KeptFor,
	marks: Marks<Found> | null = null,
): KeptRead<Found> {
	let kept: { readonly at: number; readonly forMs: number; readonly found: Found } | null = null;
	const keptAt = (now: number) => (kept !== null && now >= kept.at && now - kept.at < kept.forMs ? kept : null);
	const answer = async (now: number) => {
		const known = keptAt(now);
		if (known !== null) return known.found;
		const startedMs = performance.now();
		const found = await read(now);
		const forMs = Math.min(kept === null ? firstAtMostMs : atMostMs, perReadMs * (performance.now() - startedMs));
		const isLong = marks !== null && forMs >= marks.fromMs && marks.isLarge(found);
		kept = { at: now, forMs: isLong ? marks.everyMs - ((now - marks.lateMs) % marks.everyMs) : forMs, found };
		return found;
	};
	return Object.assign(answer, { isDue: (now: number) => keptAt(now) === null });
}
