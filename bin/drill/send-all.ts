import { randomBytes } from 'node:crypto';
import { silentLog } from '#core/log.ts';
import type { Db } from '#db/sql.ts';
import { deliver } from '#workers/deliver.ts';

const secret = `whsec_${randomBytes(24).toString('base64')}`;

/** Delivers what is due to the drill's own channel, until nothing is. */
export async function sendAll(db: Db, url: string, now: () => number): Promise<void> {
	const channels = () => ({ drill: { type: 'webhook' as const, url, secretEnv: 'DRILL_SECRET' } });
	for (;;) {
		const sent = await deliver({ db, log: silentLog, now, channels, readSecret: () => secret, random: () => 0 });
		if (sent.length === 0) return;
		await Promise.all(sent);
	}
}
