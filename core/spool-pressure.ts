/** How much is still probed while results wait on the disk: it slows down before the disk would have to refuse one. */

export interface SpoolFacts {
	/** Bytes that wait, and how many may. */
	readonly usedBytes: number;
	readonly maxBytes: number;
	/** Free on the disk itself; null when that is not known. */
	readonly freeBytes: number | null;
}

export interface SpoolPressure {
	/** 1: every slot is probed; n: one in n; null: none. */
	readonly keepOneIn: number | null;
	/** In words, for the operator; null when every slot is probed. */
	readonly reason: string | null;
}

/** From this fill of the spool on, or below so many free bytes: the first that holds. */
const steps = [
	{ usedRatio: 0.9, freeBytes: 16 * 2 ** 20, keepOneIn: null, words: 'nothing is probed' },
	{ usedRatio: 0.7, freeBytes: 64 * 2 ** 20, keepOneIn: 4, words: 'one slot in four is probed' },
	{ usedRatio: 0.5, freeBytes: 256 * 2 ** 20, keepOneIn: 2, words: 'every second slot is probed' },
] as const;

const percent = (ratio: number) => `${Math.floor(ratio * 100)} %`;

/** Nothing waits: no pressure, however full the disk is. */
export function pressureOf({ usedBytes, maxBytes, freeBytes }: SpoolFacts): SpoolPressure {
	if (usedBytes === 0) return { keepOneIn: 1, reason: null };
	const usedRatio = usedBytes / maxBytes;
	for (const step of steps) {
		if (usedRatio >= step.usedRatio) return { keepOneIn: step.keepOneIn, reason: `the spool is ${percent(usedRatio)} full: ${step.words}` };
		if (freeBytes !== null && freeBytes < step.freeBytes)
			return { keepOneIn: step.keepOneIn, reason: `the disk of the spool has ${Math.floor(freeBytes / 2 ** 20)} MB left: ${step.words}` };
	}
	return { keepOneIn: 1, reason: null };
}

/** Whether a slot is among those kept: by its number, so that each target goes on being probed, less often. */
export function isKept({ keepOneIn }: SpoolPressure, slotAt: number, intervalMs: number): boolean {
	return keepOneIn !== null && Math.floor(slotAt / intervalMs) % keepOneIn === 0;
}

/** Share of the slots that are not probed, 0..1. */
export function leftOutRatio({ keepOneIn }: SpoolPressure): number {
	return keepOneIn === null ? 1 : 1 - 1 / keepOneIn;
}

/** Names of the gauges, by vantage, that tell the judge and Prometheus of it. */
export const spoolGauges = { bytes: 'linnet_spool_bytes', leftOut: 'linnet_spool_left_out_ratio' } as const;
