/** Life of one role: start, say ready, run until told to stop, close in reverse order, within a bound. */
import type { Log } from '#core/log.ts';
import { keepHeapLean } from './lean-process.ts';

export interface Closing {
	/** Closes what was opened, last first; called once. */
	add(name: string, close: () => Promise<void> | void): void;
}

/** Supervised children ignore Ctrl-C, which the terminal sends to the whole group: their parent stops them in order. */
export const supervised = process.send !== undefined && process.env.LINNET_SUPERVISED === '1';

/** A worker waits some seconds for its probes in flight; a parent waits longer than its children. */
const closeWithinMs = supervised ? 10_000 : 17_000;

export async function runRole(log: Log, start: (closing: Closing) => Promise<void>): Promise<void> {
	keepHeapLean();
	const closers: { name: string; close: () => Promise<void> | void }[] = [];
	let stopping: Promise<void> | null = null;
	const stop = (why: string) => {
		stopping ??= (async () => {
			log.debug({ why }, 'stopping');
			const timer = setTimeout(() => {
				log.warn({ afterMs: closeWithinMs }, 'not closed in time: leaving');
				process.exit(1);
			}, closeWithinMs);
			for (const { name, close } of closers.splice(0).reverse()) {
				try {
					await close();
				} catch (error) {
					log.warn({ name, problem: String(error) }, 'did not close cleanly');
				}
			}
			clearTimeout(timer);
			process.exit(process.exitCode ?? 0);
		})();
		return stopping;
	};
	process.on('SIGTERM', () => void stop('SIGTERM'));
	process.on('SIGINT', () => supervised || void stop('SIGINT'));
	// The parent is gone, maybe by kill -9: nobody else will stop us.
	process.on('disconnect', () => void stop('parent gone'));
	process.on('unhandledRejection', (error) => {
		log.error({ problem: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'unhandled failure: restarting');
		process.exitCode = 1;
		void stop('unhandled failure');
	});
	// It may have gone while this was loaded, before anybody listened.
	if (supervised && !process.connected) return stop('parent gone');
	try {
		await start({ add: (name, close) => closers.push({ name, close }) });
	} catch (error) {
		for (const { close } of closers.splice(0).reverse()) await Promise.resolve(close()).catch(() => {});
		throw error;
	}
	process.send?.({ type: 'ready' });
}
