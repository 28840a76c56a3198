/** Watches how late this process's own timers run: every mark of a probe can be bent by that much. */
export interface LoopLag {
	/** Worst delay in ms between `sinceMs` (performance.now) and now, a block that is still going on included. */
	worstSince(sinceMs: number): number;
	/** What a mark may be late by; more is the monitor's own trouble (`isBent`). */
	readonly limitMs: number;
	stop(): void;
}

/** Fine enough to see what moves a first-token time, cheap enough to forget: 50 timer calls a second. */
const beatMs = 20;
/** Longer than the longest probe by far. */
const keepMs = 15 * 60_000;
/** Below this it is the timer's own grain. */
const noiseMs = 2;

interface Delay {
	readonly at: number;
	readonly ms: number;
}

/**
 * Could the delay have bent this probe's marks to what is not worth publishing? A twentieth of what was measured is let pass, because quantiles are
 * kept no finer (core/histogram.ts); and `limitMs`, because answers from nearby are short.
 */
export function isBent({ limitMs }: Pick<LoopLag, 'limitMs'>, lagMs: number, totalMs: number): boolean {
	return lagMs > Math.max(limitMs, totalMs / 20);
}

/** @param limitMs default 50: a busy machine shows 5 to 15, a process that has just been started among others up to 80 (measured on two cores). */
export function watchLoopLag({ limitMs = 50 }: { limitMs?: number } = {}): LoopLag {
	let delays: Delay[] = [];
	let lastBeatAt = performance.now();
	const timer = setInterval(() => {
		const now = performance.now();
		const ms = now - lastBeatAt - beatMs;
		lastBeatAt = now;
		if (ms < noiseMs) return;
		delays.push({ at: now, ms });
		if (delays.length > 4_096) delays = delays.filter(({ at }) => now - at < keepMs).slice(-2_048);
	}, beatMs);
	timer.unref();
	return {
		limitMs,
		worstSince(sinceMs) {
			const now = performance.now();
			let worst = Math.max(0, now - Math.max(lastBeatAt, sinceMs) - beatMs);
			for (let i = delays.length - 1; i >= 0; i--) {
				const delay = delays[i];
				if (delay === undefined || delay.at < sinceMs) break;
				// Of a block that began before the probe only the part within it counts.
				worst = Math.max(worst, Math.min(delay.ms, delay.at - sinceMs));
			}
			return worst;
		},
		stop: () => clearInterval(timer),
	};
}

/** A lag that never was: for single probes by hand, and tests. */
export const noLag: LoopLag = { limitMs: Number.POSITIVE_INFINITY, worstSince: () => 0, stop() {} };
