/** Outbox -> channels: leases what is due, sends it, records how it ended. A crash between send and record repeats a message with the same id; it never loses one. */
import { createHash } from 'node:crypto';
import { type ChannelSettings, channelOf } from '#alerts/index.ts';
import { type DeliveryOutcome, decideDelivery } from '#core/alert-delivery.ts';
import type { Log } from '#core/log.ts';
import { disableEndpoint, listDisabledEndpoints } from '#db/channel-states.ts';
import { type Delivery, lastSettings, leaseDueDeliveries, markDelivered, markFailed } from '#db/outbox.ts';
import type { Db } from '#db/sql.ts';
import { type SendTools, sendMessage } from './send-message.ts';

export interface DeliverTools extends SendTools {
	readonly db: Db;
	readonly log: Log;
	/** Settings by channel name, as configured now. */
	channels(): Readonly<Record<string, ChannelSettings>>;
	random(): number;
}

const batchSize = 50;
/** Longer than the slowest attempt, so that no other worker takes it meanwhile. */
const leaseMs = 30_000;

/** Leases what is due and starts sending it. @returns one promise a delivery: each goes its own way, so a slow channel delays no other. */
export async function deliver(tools: DeliverTools): Promise<Promise<void>[]> {
	const due = await leaseDueDeliveries(tools.db, tools.now(), batchSize, leaseMs);
	return due.map((delivery) => deliverOne(tools, delivery));
}

async function deliverOne(tools: DeliverTools, delivery: Delivery): Promise<void> {
	const { db, log, now, random } = tools;
	const { deliveryId, channel, endpoint, groupId, attemptCount: attempt } = delivery;
	const facts = { deliveryId, channel, groupId, kind: delivery.message.kind, attempt };
	const settings = await settingsFor(tools, delivery);
	const outcome = settings === null ? failure(`channel "${channel}" is not configured`) : await attemptOne(tools, delivery, settings);
	const retryEveryMs = settings === null ? null : channelOf(settings).resendEveryMs;
	const decision = decideDelivery(outcome, { attempt, ageMs: now() - delivery.createdAt, jitter: random(), retryEveryMs });
	if (decision.kind === 'delivered') {
		await markDelivered(db, delivery, now(), settings);
		log.info(facts, 'alert delivered');
	} else if (decision.kind === 'retry') {
		const nextAttemptAt = now() + decision.afterMs;
		const askedToWait = outcome.kind === 'failed' && outcome.retryAfterMs !== null;
		await markFailed(db, delivery, { error: decision.reason, nextAttemptAt, notBefore: askedToWait ? nextAttemptAt : null });
		log.warn({ ...facts, reason: decision.reason, afterMs: decision.afterMs }, 'alert not delivered: trying again');
	} else {
		if (decision.disable && settings !== null)
			await disableEndpoint(db, { channel, endpoint, settingsHash: settingsHash(settings), disabledAt: now(), reason: decision.reason });
		await markFailed(db, delivery, { error: decision.reason, nextAttemptAt: null });
		log.error({ ...facts, reason: decision.reason }, 'alert dead-lettered');
	}
}

/** Null: it is configured no more, and nothing of this group ever got through. */
async function settingsFor({ db, channels }: DeliverTools, delivery: Delivery): Promise<ChannelSettings | null> {
	const configured = channels()[delivery.channel];
	const keeps = configured !== undefined && channelOf(configured).keepsAlerts;
	if (configured !== undefined && !(keeps && delivery.message.kind === 'resolved')) return configured;
	// What was triggered is closed where it was triggered, also when the channel has changed since or is gone. A failed try goes by today's settings.
	if (configured !== undefined && delivery.attemptCount > 1) return configured;
	return ((await lastSettings(db, delivery)) as ChannelSettings | null) ?? configured ?? null;
}

async function attemptOne(tools: DeliverTools, delivery: Delivery, settings: ChannelSettings): Promise<DeliveryOutcome> {
	const { channel, endpoint, messageId: id, sequence, message } = delivery;
	const disabled = (await listDisabledEndpoints(tools.db)).some(
		(each) => each.channel === channel && each.endpoint === endpoint && each.settingsHash === settingsHash(settings),
	);
	if (disabled) return failure('the receiver wants no more (HTTP 410) until the channel is configured anew', true);
	return sendMessage(tools, settings, message, { id, sequence, endpoint });
}

function failure(message: string, final = false): DeliveryOutcome {
	return { kind: 'failed', status: null, retryAfterMs: null, message, final };
}

/** Of a channel as it is configured: it changes with any setting. */
export function settingsHash(settings: ChannelSettings): string {
	return createHash('sha256').update(JSON.stringify(settings)).digest('hex');
}
