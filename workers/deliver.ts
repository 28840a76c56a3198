/** Outbox -> channels: leases what is due, sends it, records how it ended. A crash between send and record repeats a message with the same id; it never loses one. */

import { request } from 'undici';
import { type ChannelSettings, channelOf } from '#alerts/index.ts';
import { type AlertEvent, type DeliveryOutcome, decideDelivery } from '#core/alert.ts';
import type { Log } from '#core/log.ts';
import { parseRetryAfter } from '#core/retry-after.ts';
import { type Delivery, leaseDueDeliveries, markDelivered, markFailed } from '#db/outbox.ts';
import type { Db } from '#db/sql.ts';

export interface DeliverTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
	/** Settings by channel name, as configured now. */
	channels(): Readonly<Record<string, ChannelSettings>>;
	readSecret(envName: string): string | undefined;
	random(): number;
}

const batchSize = 20;
/** Longer than the slowest attempt, so that no other worker takes it meanwhile. */
const leaseMs = 30_000;
const timeoutMs = 20_000;
const bodyLimit = 16_384;

/** Leases what is due and starts sending it. @returns one promise a delivery: each goes its own way, so a slow channel delays no other. */
export async function deliver(tools: DeliverTools): Promise<Promise<void>[]> {
	const due = await leaseDueDeliveries(tools.db, tools.now(), batchSize, leaseMs);
	return due.map((delivery) => deliverOne(tools, delivery));
}

async function deliverOne({ db, log, now, channels, readSecret, random }: DeliverTools, delivery: Delivery): Promise<void> {
	const settings = channels()[delivery.channel];
	const facts = { deliveryId: delivery.deliveryId, channel: delivery.channel, incidentId: delivery.incidentId, attempt: delivery.attemptCount };
	const outcome: DeliveryOutcome =
		settings === undefined
			? { kind: 'failed', status: null, retryAfterMs: null, message: `channel "${delivery.channel}" is not configured` }
			: await send(settings, delivery, now, readSecret);
	const decision = decideDelivery(outcome, delivery.attemptCount, random());
	if (decision.kind === 'delivered') {
		await markDelivered(db, delivery, now());
		log.info(facts, 'alert delivered');
	} else if (decision.kind === 'retry') {
		await markFailed(db, delivery, { error: decision.reason, nextAttemptAt: now() + decision.afterMs });
		log.warn({ ...facts, reason: decision.reason, afterMs: decision.afterMs }, 'alert not delivered: trying again');
	} else {
		await markFailed(db, delivery, { error: decision.reason, nextAttemptAt: null });
		log.error({ ...facts, reason: decision.reason }, 'alert dead-lettered');
	}
}

async function send(
	settings: ChannelSettings,
	delivery: Delivery,
	now: () => number,
	readSecret: (name: string) => string | undefined,
): Promise<DeliveryOutcome> {
	const failed = (message: string, status: number | null = null, after: number | null = null): DeliveryOutcome => ({
		kind: 'failed',
		status,
		retryAfterMs: after,
		message,
	});
	const channel = channelOf(settings);
	const secret = (name: string) => {
		const value = readSecret(name);
		if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
		return value;
	};
	try {
		const wire = channel.request(delivery.payload as AlertEvent, settings, { id: delivery.messageId, at: new Date(now()), secret });
		const signal = AbortSignal.timeout(timeoutMs);
		const response = await request(wire.url, { method: wire.method, headers: { ...wire.headers, 'user-agent': 'linnet' }, body: wire.body, signal });
		const body = await readBounded(response.body, bodyLimit);
		if (channel.accepted(response.statusCode, body)) return { kind: 'delivered' };
		const after = parseRetryAfter(response.headers as Record<string, string>, null, now());
		return failed(`answered ${response.statusCode}`, response.statusCode, after);
	} catch (error) {
		// The URL may hold a token: only the kind of failure is told.
		const { code, name, message } = error as NodeJS.ErrnoException;
		return failed(
			name === 'TimeoutError' ? `no answer within ${timeoutMs / 1_000} s` : (code ?? (message.startsWith('the environment variable') ? message : name)),
		);
	}
}

async function readBounded(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > limit) break;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
}
