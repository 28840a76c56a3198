/**
 * Waits that all end when the signal does. One listener for all: a signal looks through those that it has at each new one, and of 10,000 targets
 * 500 slots wait for their millisecond.
 * @returns resolves after so many ms, at once when the signal has been aborted
 */
export function createPauses(stop: AbortSignal): (ms: number) => Promise<void> {
	const waiting = new Map<NodeJS.Timeout, () => void>();
	const endAll = () => {
		for (const [timer, end] of waiting) {
			clearTimeout(timer);
			end();
		}
		waiting.clear();
	};
	stop.addEventListener('abort', endAll, { once: true });
	return (ms) => {
		if (stop.aborted) return Promise.resolve();
		return new Promise((resolve) => {
			const timer = setTimeout(() => {
				waiting.delete(timer);
				resolve();
			}, ms);
			waiting.set(timer, resolve);
		});
	};
}
