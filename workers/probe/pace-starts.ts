/** Spreads starts that would collide: what one probe's start computes would bend the marks of those that are under way. */
export interface StartPace {
	/** When a probe that is ready at `nowMs` may start, on the same clock: at once, or behind those before it. */
	admit(nowMs: number): number;
}

/**
 * A start takes about half a millisecond of CPU, three with TLS; this leaves the loop time for the marks of others in between. 100 starts at
 * once then take 0.2 s, and 500 a second pass: several times what one loop can carry with TLS.
 */
export const startEveryMs = 2;
/** A wait shows as `startedAt` − `slotAt`; beyond this it would push slots out of their interval, and they start all the same. */
const mostWaitMs = 2_000;

export function paceStarts(everyMs = startEveryMs): StartPace {
	let freeAt = Number.NEGATIVE_INFINITY;
	return {
		admit(nowMs) {
			const at = Math.min(Math.max(nowMs, freeAt), nowMs + mostWaitMs);
			freeAt = at + everyMs;
			return at;
		},
	};
}
