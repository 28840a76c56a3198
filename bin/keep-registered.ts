import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#core/log.ts';

/** Schedulers live in the queue's store: what stopped them there is mended within this time. */
const registerEveryMs = 4_000;

/** Registers now, and again and again until `stop`. Throws when the first time fails. */
export async function keepRegistered(stop: AbortSignal, log: Log, register: () => Promise<void>): Promise<void> {
	await register();
	void (async () => {
		while (!stop.aborted) {
			await sleep(registerEveryMs, undefined, { signal: stop }).catch(() => {});
			if (!stop.aborted) await register().catch((error) => log.warn({ problem: String(error) }, 'schedulers not registered: trying again'));
		}
	})();
}
