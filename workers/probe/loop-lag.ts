/** Watches how late this process's own timers run: every mark of a probe can be bent by that much. */
export interface LoopLag {
	/** Worst delay in ms between `sinceMs` (performance.now) and now, a block that is still going on included. */
	worstSince(sinceMs: number): number;
	/** Above this a result is the monitor's own trouble. */
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

/** @param limitMs default 500: a delay that moves a typical first-token time into another class, and that no quiet machine shows. */
export function watchLoopLag({ limitMs = 500 }: { limitMs?: number } = {}): LoopLag {
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
