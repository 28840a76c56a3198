/** Providers that are simulated in this process: while it has no turn on the CPU, all of them are slow in truth. */
export interface Stalls {
	/** Slots, ms since epoch, that may have met one. */
	readonly slots: readonly { readonly fromAt: number; readonly toAt: number }[];
	stop(): void;
}

const lookEveryMs = 100;
/** Beyond what a busy test does between two looks. */
const stallMs = 500;
/** As long as the longest probe waits. */
const reachMs = 6_000;

/** @param now the clock of the slots, ms since epoch */
export function watchStalls(now: () => number = Date.now): Stalls {
	const slots: { fromAt: number; toAt: number }[] = [];
	let lookedMs = performance.now();
	const timer = setInterval(() => {
		const gapMs = performance.now() - lookedMs;
		lookedMs = performance.now();
		if (gapMs > stallMs) slots.push({ fromAt: now() - gapMs - reachMs, toAt: now() + 1_000 });
	}, lookEveryMs);
	return { slots, stop: () => clearInterval(timer) };
}
