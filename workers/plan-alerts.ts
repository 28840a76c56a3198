/** How every subject stands on every channel -> the messages that are due now, in one transaction. */
import { type ChannelSettings, channelOf } from '#alerts/index.ts';
import type { AlertRoute } from '#core/alert.ts';
import { fallbackAfterMs } from '#core/alert-delivery.ts';
import { type Plan, planAlerts } from '#core/alert-plan.ts';
import type { Log } from '#core/log.ts';
import { listAcknowledgements } from '#db/acknowledgements.ts';
import { branchThread } from '#db/alert-notices.ts';
import { listGroups, listThreads, lockPlans, storePlan } from '#db/alert-plans.ts';
import { listMaintenances } from '#db/maintenances.ts';
import { takeFallbacks } from '#db/outbox.ts';
import { listSilences } from '#db/silences.ts';
import { type Db, type Tx, transaction } from '#db/sql.ts';

export interface PlanTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
	routes(): readonly AlertRoute[];
	/** Settings by channel name, as configured now. */
	channels(): Readonly<Record<string, ChannelSettings>>;
}

const nothing: Plan = { messages: [], holds: [], untold: [], escalations: [] };

/** @returns what was planned; nothing while another process plans */
export async function planMessages({ db, log, now, routes, channels }: PlanTools): Promise<Plan> {
	const plan = await transaction(db, async (tx) => {
		if (!(await lockPlans(tx))) return nothing;
		const at = now();
		const configured = channels();
		await fallBack(tx, configured, at);
		const threads = await listThreads(tx);
		if (threads.length === 0) return nothing;
		const subjectIds = [...new Set(threads.map(({ subjectId }) => subjectId))];
		const resends = Object.entries(configured).flatMap(([name, settings]) => {
			const everyMs = channelOf(settings).resendEveryMs;
			return everyMs === null ? [] : [[name, everyMs] as const];
		});
		const decided = planAlerts({
			now: at,
			threads,
			groups: await listGroups(tx),
			routes: routes(),
			silences: await listSilences(tx, at),
			maintenances: await listMaintenances(tx, { fromAt: at, toAt: at + 1 }),
			acknowledged: new Map((await listAcknowledgements(tx, subjectIds)).map(({ subjectId, transition }) => [subjectId, transition])),
			resendEveryMs: new Map(resends),
		});
		// Of a channel that is no longer configured the message waits in the outbox, where it is seen.
		const endpointsOf = (channel: string) => {
			const settings = configured[channel];
			return settings === undefined ? [''] : channelOf(settings).endpoints(settings);
		};
		await storePlan(tx, decided, threads, endpointsOf, at);
		for (const { subjectId, channel } of decided.escalations) await branchThread(tx, subjectId, channel, 'escalation', at);
		return decided;
	});
	for (const { channel, groupId, reason, message } of plan.messages) {
		const facts = { channel, groupId, kind: message.kind, reason, members: message.members.length };
		if (reason === 'resend') log.debug(facts, 'alert sent again');
		else log.info(facts, 'alert to send');
	}
	for (const { subjectId, channel } of plan.escalations) log.warn({ subjectId, channel }, 'nobody acknowledged: escalated');
	return plan;
}

/** What a channel could not be told within the first minutes, or never will be, its fallback hears of. */
async function fallBack(tx: Tx, channels: Readonly<Record<string, ChannelSettings>>, at: number): Promise<void> {
	const fallbacks = new Map(Object.entries(channels).flatMap(([name, { fallback }]) => (fallback === undefined ? [] : [[name, fallback] as const])));
	if (fallbacks.size === 0) return;
	for (const { channel, message } of await takeFallbacks(tx, [...fallbacks.keys()], fallbackAfterMs, at)) {
		for (const { event } of message.members) await branchThread(tx, event.incident.id, fallbacks.get(channel) ?? '', 'fallback', at);
	}
}
