import pg from 'pg';
import { connectionOf } from './sql.ts';

export interface ListenOptions {
	readonly url: string;
	readonly channels: readonly string[];
	/** One notification; payload is empty when it has none. */
	readonly onNotify: (channel: string, payload: string) => void;
	/** After the first connection and after every reconnection: whatever was sent meanwhile is lost, so read once. */
	readonly onConnect: () => void;
	/** A connection was lost or refused; it is tried again by itself. */
	readonly onError: (error: Error) => void;
}

const shortestRetryMs = 250;
const longestRetryMs = 5_000;
// A dropped network leaves a socket that looks alive: nothing is sent on it but this.
const heartbeatMs = 15_000;

/** LISTEN on a connection of its own that comes back by itself. Returns at once; `onConnect` tells when it hears. */
export function listen({ url, channels, onNotify, onConnect, onError }: ListenOptions): { close(): Promise<void> } {
	let client: pg.Client | null = null;
	let timer: NodeJS.Timeout | undefined;
	let retryMs = shortestRetryMs;
	let closed = false;

	const connect = async () => {
		const own = new pg.Client({ ...connectionOf(url, heartbeatMs), application_name: 'linnet listen' });
		client = own;
		let lost = false;
		const lose = (error: Error) => {
			if (lost || closed) return;
			lost = true;
			clearTimeout(timer);
			onError(error);
			own.end().catch(() => {}); // It is broken already.
			timer = setTimeout(connect, retryMs);
			retryMs = Math.min(retryMs * 2, longestRetryMs);
		};
		const beat = () => {
			timer = setTimeout(async () => {
				const answered = own.query('select 1').then(() => true);
				const silence = new Promise<boolean>((done) => setTimeout(done, heartbeatMs, false).unref());
				if (await Promise.race([answered, silence]).catch(() => false)) beat();
				else lose(new Error('the listening connection does not answer'));
			}, heartbeatMs);
			timer.unref();
		};
		own.on('error', lose);
		own.on('end', () => lose(new Error('the listening connection ended')));
		own.on('notification', ({ channel, payload }) => onNotify(channel, payload ?? ''));
		try {
			await own.connect();
			for (const channel of channels) await own.query(`listen ${pg.escapeIdentifier(channel)}`);
		} catch (error) {
			lose(error as Error);
			return;
		}
		if (lost || closed) return;
		retryMs = shortestRetryMs;
		beat();
		onConnect();
	};
	void connect();
	return {
		async close() {
			closed = true;
			clearTimeout(timer);
			await client?.end().catch(() => {}); // It may be broken already.
		},
	};
}
