import { randomBytes } from 'node:crypto';
import { defaultPolicy } from '#core/alert.ts';
import { silentLog } from '#core/log.ts';
import type { Db } from '#db/sql.ts';
import { deliver } from '#workers/deliver.ts';
import { planMessages } from '#workers/plan-alerts.ts';

const secret = `whsec_${randomBytes(24).toString('base64')}`;

/** Each incident a message of its own, at once: what is measured is the verdict, not the patience of a route. */
export const drillRoutes = [{ match: {}, channels: ['drill'], policy: { ...defaultPolicy, groupBy: 'incident' as const, groupWaitMs: 0, groupIntervalMs: 0 } }];

/** Plans what the drill's own channel is owed and delivers what is due, until nothing is. */
export async function sendAll(db: Db, url: string, now: () => number): Promise<void> {
	const tools = {
		...{ db, log: silentLog, now, readSecret: () => secret, random: () => 0, routes: () => drillRoutes },
		channels: () => ({ drill: { type: 'webhook' as const, url, secretEnv: 'DRILL_SECRET' } }),
	};
	await planMessages(tools);
	for (;;) {
		const sent = await deliver(tools);
		if (sent.length === 0) return;
		await Promise.all(sent);
	}
}
