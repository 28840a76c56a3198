import type { ProbeResult } from '#core/probe-result.ts';
import { targetId } from '#core/target.ts';
import { findKeys, internNames } from './names.ts';
import { dayOf, ensureDayPartitions } from './partitions.ts';
import { cleanText, quarantine, type Refusal } from './quarantine.ts';
import { kindCodes, outcomeCodes, phaseCodes, sliCodes } from './result-codes.ts';
import { type Db, isUnavailable, query } from './sql.ts';

/** Column of the table, its type, and where its value comes from. */
interface Column {
	readonly type: string;
	readonly of: (row: KeyedResult) => unknown;
}

interface KeyedResult {
	readonly targetKey: number;
	readonly vantageKey: number;
	readonly canaryKey: number;
	readonly result: ProbeResult;
}

/** To the µs: within what `real` keeps of anything below 16 s, and far from the tiny numbers that it refuses. */
const micro = (value: number | null) => (value === null ? null : Math.round(value * 1_000) / 1_000);
const whole = (value: number | null) => (value === null ? null : Math.round(value));
const text = (value: string | null) => (value === null ? null : cleanText(value));
// As double seconds an instant keeps its ms until the year 285,616, and is shorter than a timestamp's text.
const seconds = (at: number | null) => (at === null ? null : Math.round(at) / 1_000);

const columns: Readonly<Record<string, Column>> = {
	slot_at: { type: 'float8', of: ({ result }) => seconds(result.slotAt) },
	started_at: { type: 'float8', of: ({ result }) => seconds(result.startedAt) },
	cost_nano_usd: { type: 'int8', of: ({ result }) => (result.costMicroUsd === null ? null : Math.round(result.costMicroUsd * 1_000)) },
	target_key: { type: 'int4', of: (row) => row.targetKey },
	vantage_key: { type: 'int2', of: (row) => row.vantageKey },
	canary_key: { type: 'int2', of: (row) => row.canaryKey },
	kind: { type: 'int2', of: ({ result }) => kindCodes[result.kind] },
	outcome: { type: 'int2', of: ({ result }) => outcomeCodes[result.outcome] },
	sli: { type: 'int2', of: ({ result }) => sliCodes[result.sli] },
	phase: { type: 'int2', of: ({ result }) => (result.phase === null ? null : phaseCodes[result.phase]) },
	http_status: { type: 'int2', of: ({ result }) => whole(result.httpStatus) },
	dns_ms: { type: 'float4', of: ({ result }) => micro(result.dnsMs) },
	connect_ms: { type: 'float4', of: ({ result }) => micro(result.connectMs) },
	tls_ms: { type: 'float4', of: ({ result }) => micro(result.tlsMs) },
	ttfb_ms: { type: 'float4', of: ({ result }) => micro(result.ttfbMs) },
	ttft_ms: { type: 'float4', of: ({ result }) => micro(result.ttftMs) },
	max_gap_ms: { type: 'float4', of: ({ result }) => micro(result.maxGapMs) },
	total_ms: { type: 'float4', of: ({ result }) => micro(result.totalMs) },
	lag_ms: { type: 'float4', of: ({ result }) => micro(result.lagMs) },
	input_tokens: { type: 'int4', of: ({ result }) => whole(result.inputTokens) },
	output_tokens: { type: 'int4', of: ({ result }) => whole(result.outputTokens) },
	output_tokens_per_second: { type: 'float4', of: ({ result }) => micro(result.outputTokensPerSecond) },
	retry_after_ms: { type: 'int4', of: ({ result }) => whole(result.retryAfterMs) },
	served_model: { type: 'text', of: ({ result }) => text(result.servedModel) },
	request_id: { type: 'text', of: ({ result }) => text(result.requestId) },
	evidence: { type: 'jsonb', of: ({ result }) => (result.evidence === null ? null : evidenceText(result.evidence)) },
};
const names = Object.keys(columns);
const picks = Object.values(columns).map((column) => column.of);
const selected = names.map((name) => (name.endsWith('_at') ? `to_timestamp(${name})` : name));

// unnest with ON CONFLICT in batches of 200–1000: up to 1.7 times the time of COPY, which can't skip a duplicate (measured, bench/record.ts).
const insertRows = query<{ replaced_missed: boolean }>(
	'probe_results_insert',
	`insert into probe_results (${names.join(', ')})
	select ${selected.join(', ')}
	from unnest(${Object.values(columns)
		.map(({ type }, i) => `$${i + 1}::${type}[]`)
		.join(', ')}) as given(${names.join(', ')})
	on conflict (target_key, slot_at, vantage_key, canary_key, kind) do update set
		seq = excluded.seq, replaced_missed = true, ${names.map((name) => `${name} = excluded.${name}`).join(', ')}
		where probe_results.started_at is null and excluded.started_at is not null
	returning replaced_missed`,
);

export interface InsertBounds {
	/** ms since epoch. */
	readonly now: number;
	/** How long raw results are kept: an older one is refused. */
	readonly retentionDays: number;
}

export const defaultRetentionDays = 14;

export interface InsertedCounts {
	readonly inserted: number;
	/** Results that came for a slot already marked as missed. */
	readonly replaced: number;
	/** Slots that had their result already. */
	readonly duplicates: number;
	/** Refused, and kept in the quarantine with the reason. */
	readonly quarantined: number;
}

/**
 * Records results in one round trip, each slot once: a real result replaces a missed marker, anything else that comes second is dropped.
 * A result that can't be recorded goes to the quarantine and never hurts its neighbours.
 * @throws only when the database is away (`isUnavailable`): then the batch can be given again.
 */
export async function insertResults(db: Db, results: readonly ProbeResult[], given: Partial<InsertBounds> = {}): Promise<InsertedCounts> {
	const bounds = { now: Date.now(), retentionDays: defaultRetentionDays, ...given };
	const refusals: Refusal[] = [];
	const sound = results.filter((result) => {
		const reason = refusalOf(result, bounds);
		if (reason !== null) refusals.push({ reason, document: result });
		return reason === null;
	});
	const targetKeys = await findKeys(db, 'target', sound.map(targetId));
	const vantageKeys = await internNames(
		db,
		'vantage',
		sound.map(({ vantage }) => vantage),
	);
	const canaryKeys = await internNames(
		db,
		'canary',
		sound.map(({ canary }) => canary),
	);
	const bySlot = new Map<string, KeyedResult>();
	let repeated = 0;
	for (const result of sound) {
		const targetKey = targetKeys.get(targetId(result));
		const vantageKey = vantageKeys.get(result.vantage);
		const canaryKey = canaryKeys.get(result.canary);
		if (targetKey === undefined || vantageKey === undefined || canaryKey === undefined) {
			refusals.push({ reason: 'unknown target', document: result });
			continue;
		}
		// ON CONFLICT DO UPDATE must not meet one row twice.
		const slot = `${targetKey} ${vantageKey} ${canaryKey} ${result.kind} ${Math.round(result.slotAt)}`;
		const earlier = bySlot.get(slot);
		if (earlier !== undefined) repeated++;
		if (earlier === undefined || (earlier.result.startedAt === null && result.startedAt !== null)) {
			bySlot.set(slot, { targetKey, vantageKey, canaryKey, result });
		}
	}
	const rows = [...bySlot.values()];
	await ensureDays(db, rows);
	const { inserted, replaced, refused } = await insertOrSplit(db, rows, refusals);
	await quarantine(db, refusals);
	return { inserted, replaced, duplicates: rows.length - inserted - replaced - refused + repeated, quarantined: refusals.length };
}

/** Halves a batch that the database refuses until the one bad row is alone. */
async function insertOrSplit(db: Db, rows: readonly KeyedResult[], refusals: Refusal[]): Promise<{ inserted: number; replaced: number; refused: number }> {
	if (rows.length === 0) return { inserted: 0, replaced: 0, refused: 0 };
	try {
		const stored = await db.run(
			insertRows,
			picks.map((pick) => rows.map(pick)),
		);
		const replaced = stored.filter((row) => row.replaced_missed).length;
		return { inserted: stored.length - replaced, replaced, refused: 0 };
	} catch (error) {
		if (isUnavailable(error)) throw error;
		const [only] = rows;
		if (rows.length === 1 && only !== undefined) {
			refusals.push({ reason: `refused by the database: ${error instanceof Error ? error.message : String(error)}`, document: only.result });
			return { inserted: 0, replaced: 0, refused: 1 };
		}
		const middle = rows.length >> 1;
		const left = await insertOrSplit(db, rows.slice(0, middle), refusals);
		const right = await insertOrSplit(db, rows.slice(middle), refusals);
		return { inserted: left.inserted + right.inserted, replaced: left.replaced + right.replaced, refused: left.refused + right.refused };
	}
}

const madeDays = new WeakMap<object, Set<string>>();

async function ensureDays(db: Db, rows: readonly KeyedResult[]): Promise<void> {
	const made = madeDays.get(db.pool) ?? new Set();
	madeDays.set(db.pool, made);
	const wanted = [...new Set(rows.map(({ result }) => dayOf(result.slotAt)))].filter((day) => !made.has(day));
	if (wanted.length === 0) return;
	await ensureDayPartitions(db, wanted);
	for (const day of wanted) made.add(day);
}

const futureMs = 600_000;
const longestEvidence = 8_192;
const longestText = 512;
const greatestInt = 0x7fffffff;
const durations = ['dnsMs', 'connectMs', 'tlsMs', 'ttfbMs', 'ttftMs', 'maxGapMs', 'totalMs', 'lagMs', 'outputTokensPerSecond'] as const;
const integers = ['inputTokens', 'outputTokens', 'retryAfterMs', 'costMicroUsd'] as const;

/** Why a result can't be recorded; null when it can. */
export function refusalOf(result: ProbeResult, { now, retentionDays }: InsertBounds): string | null {
	const { slotAt, startedAt } = result;
	if (!Number.isFinite(slotAt) || (startedAt !== null && !Number.isFinite(startedAt))) return 'invalid time';
	if (slotAt > now + futureMs || (startedAt ?? 0) > now + futureMs) return 'from the future';
	if (dayOf(slotAt) < dayOf(now - retentionDays * 86_400_000) || (startedAt ?? now) < 0) return 'older than the retention';
	if (outcomeCodes[result.outcome] === undefined || sliCodes[result.sli] === undefined || kindCodes[result.kind] === undefined) return 'unknown code';
	if (result.phase !== null && phaseCodes[result.phase] === undefined) return 'unknown code';
	for (const field of durations) {
		const value = result[field];
		if (value !== null && !(value >= 0 && value < 1e12)) return `invalid ${field}`;
	}
	for (const field of integers) {
		const value = result[field];
		if (value !== null && !(value >= 0 && value <= greatestInt)) return `invalid ${field}`;
	}
	if (result.httpStatus !== null && !(result.httpStatus >= 0 && result.httpStatus <= 999)) return 'invalid httpStatus';
	if ([result.vantage, result.canary, result.servedModel, result.requestId].some((value) => value !== null && value.length > longestText)) return 'oversized';
	if (result.evidence !== null && evidenceText(result.evidence).length > longestEvidence) return 'oversized';
	return null;
}

function evidenceText(evidence: object): string {
	return JSON.stringify(evidence, (_key, value) => (typeof value === 'string' ? cleanText(value) : value));
}
