import { instant, query, type Sql } from './sql.ts';

const upsert = query(
	'channel_states_disable',
	`insert into channel_states (channel, endpoint, settings_hash, disabled_at, reason) values ($1::text, $2::text, $3::text, $4::timestamptz, $5::text)
	on conflict (channel, endpoint) do update set settings_hash = excluded.settings_hash, disabled_at = excluded.disabled_at, reason = excluded.reason`,
);
const select = query<DisabledEndpoint>(
	'channel_states_list',
	'select channel, endpoint, settings_hash as "settingsHash", disabled_at as "disabledAt", reason from channel_states order by channel, endpoint',
);

/** An endpoint that wants no more, with the settings that it said so for: with others it is tried again. */
export interface DisabledEndpoint {
	readonly channel: string;
	readonly endpoint: string;
	readonly settingsHash: string;
	/** ms since epoch. */
	readonly disabledAt: number;
	readonly reason: string;
}

export async function disableEndpoint(sql: Sql, { channel, endpoint, settingsHash, disabledAt, reason }: DisabledEndpoint): Promise<void> {
	await sql.run(upsert, [channel, endpoint, settingsHash, instant(disabledAt), reason]);
}

export function listDisabledEndpoints(sql: Sql): Promise<DisabledEndpoint[]> {
	return sql.run(select);
}
