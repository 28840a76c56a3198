import type { ProbeResult, RateLimitHeaders } from '#core/probe-result.ts';
import { targetId } from '#core/target.ts';
import { type Db, query, type Sql } from './sql.ts';

const figures = ['requestsLimit', 'requestsRemaining', 'tokensLimit', 'tokensRemaining', 'resetMs'] as const satisfies readonly (keyof RateLimitHeaders)[];

const upsert = query(
	'headroom_write',
	`insert into headroom as known (target_key, vantage_key, at, requests_limit, requests_remaining, tokens_limit, tokens_remaining, reset_ms)
	select t.target_key, v.vantage_key, to_timestamp(told.at_s), told.requests_limit, told.requests_remaining, told.tokens_limit, told.tokens_remaining, told.reset_ms
	from unnest($1::text[], $2::text[], $3::float8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[])
		as told(target_id, vantage, at_s, requests_limit, requests_remaining, tokens_limit, tokens_remaining, reset_ms)
	join targets t on t.target_id = told.target_id
	join vantages v on v.name = told.vantage
	on conflict (target_key, vantage_key) do update set at = excluded.at, requests_limit = excluded.requests_limit,
		requests_remaining = excluded.requests_remaining, tokens_limit = excluded.tokens_limit, tokens_remaining = excluded.tokens_remaining,
		reset_ms = excluded.reset_ms
		where excluded.at > known.at`,
);

const select = query<Headroom>(
	'headroom_read',
	`select t.target_id as "targetId", v.name as vantage, h.at, h.requests_limit as "requestsLimit", h.requests_remaining as "requestsRemaining",
		h.tokens_limit as "tokensLimit", h.tokens_remaining as "tokensRemaining", h.reset_ms as "resetMs"
	from headroom h join targets t using (target_key) join vantages v using (vantage_key)
	where t.removed_at is null and h.at >= $1::timestamptz order by v.name`,
);

/** The newest rate-limit headers of a target from a vantage. */
export interface Headroom extends RateLimitHeaders {
	readonly targetId: string;
	readonly vantage: string;
	/** Start of the probe, ms since epoch. */
	readonly at: number;
}

/** Each target's own row is written at most this often: what changes with every probe need not be on the disk each time. */
const everyMs = 10_000;
/** And one that tells the same, so much: of an account that little else uses each probe does. */
const sameEveryMs = 180_000;
/** Of the limit. Less is the probes' own use. */
const sameShare = 0.01;
/** And all that waits is written together at most this often: beside each batch of a busy prober it took 4 % of Postgres. */
const togetherMs = 2_000;
const greatest = 2 ** 53 - 1;

interface Notes {
	/** Target and vantage -> what was written. */
	readonly noted: Map<string, { readonly at: number; readonly told: RateLimitHeaders }>;
	readonly waiting: Map<string, ProbeResult>;
	writtenAt: number;
}

const notesOf = new WeakMap<object, Notes>();

/** Keeps the newest headers of each target and vantage. What comes within seconds of the last write waits for the next call. */
export async function noteHeadroom(db: Db, results: readonly ProbeResult[], now: number): Promise<void> {
	const notes = notesOf.get(db.pool) ?? { noted: new Map(), waiting: new Map(), writtenAt: 0 };
	notesOf.set(db.pool, notes);
	const { noted, waiting } = notes;
	for (const result of results) {
		const told = result.evidence?.rateLimit;
		if (told === undefined || result.startedAt === null) continue;
		const id = `${targetId(result)} ${result.vantage}`;
		const before = noted.get(id);
		const keptMs = before === undefined ? 0 : isAlike(before.told, told) ? sameEveryMs : everyMs;
		if (Math.abs(now - (before?.at ?? 0)) >= keptMs && (waiting.get(id)?.startedAt ?? 0) <= result.startedAt) waiting.set(id, result);
	}
	if (waiting.size === 0 || Math.abs(now - notes.writtenAt) < togetherMs) return;
	const told = [...waiting];
	const newest = told.map(([, result]) => result);
	const bounded = (value: number | null | undefined) => (value == null || !(value >= 0) ? null : Math.min(greatest, Math.round(value)));
	await db.run(upsert, [
		newest.map(targetId),
		newest.map(({ vantage }) => vantage),
		newest.map(({ startedAt }) => (startedAt ?? 0) / 1_000),
		...figures.map((figure) => newest.map(({ evidence }) => bounded(evidence?.rateLimit?.[figure]))),
	]);
	notes.writtenAt = now;
	for (const [id, result] of told) {
		if (result.evidence?.rateLimit !== undefined) noted.set(id, { at: now, told: result.evidence.rateLimit });
		// A newer one may have come meanwhile.
		if (waiting.get(id) === result) waiting.delete(id);
	}
}

function isAlike(before: RateLimitHeaders, now: RateLimitHeaders): boolean {
	return (['requests', 'tokens'] as const).every((of) => {
		const [limit, left] = [now[`${of}Limit`], now[`${of}Remaining`]];
		const leftBefore = before[`${of}Remaining`];
		if (before[`${of}Limit`] !== limit || (left === 0) !== (leftBefore === 0)) return false;
		return left === leftBefore || (limit !== null && left !== null && leftBefore !== null && Math.abs(left - leftBefore) < limit * sameShare);
	});
}

/** Of the configured targets, told since then. */
export function readHeadroom(sql: Sql, sinceAt: number): Promise<Headroom[]> {
	return sql.run(select, [new Date(sinceAt).toISOString()]);
}
