/** What to add to this process's performance.now() to get ms on the machine's monotonic clock, which all its processes share. */
export function clockOffsetMs(): number {
	let best = { width: Number.POSITIVE_INFINITY, offsetMs: 0 };
	// A preemption between the two readings would bend it: the closest pair of several counts.
	for (let i = 0; i < 100; i++) {
		const before = performance.now();
		const sharedMs = Number(process.hrtime.bigint()) / 1e6;
		const width = performance.now() - before;
		if (width < best.width) best = { width, offsetMs: sharedMs - before - width / 2 };
	}
	return best.offsetMs;
}
