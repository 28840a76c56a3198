import type { CanaryTest } from '#core/self-test.ts';
import { instant, query, type Sql } from './sql.ts';

type Row = Omit<CanaryTest, 'refusal'> & { readonly field: string | null; readonly advice: string | null };

const columns = `target_id as "targetId", canary, request_key as "requestKey", accepted_at as "acceptedAt", fate, fate_at as "fateAt", field, advice, message`;
const select = query<Row>('canary_tests_read', `select ${columns} from canary_tests where target_id = any($1::text[]) order by target_id, canary`);
const selectFaults = query<Row>('canary_tests_faults', `select ${columns} from canary_tests where fate <> 'accepted' order by target_id, canary`);
// Workers of several vantages test the same canary: the newest word stands, and an acceptance of the same request is not forgotten.
const upsert = query(
	'canary_tests_write',
	`insert into canary_tests as kept (target_id, canary, request_key, accepted_at, fate, fate_at, field, advice, message)
	values ($1::text, $2::text, $3::text, $4::timestamptz, $5::text, $6::timestamptz, $7::text, $8::text, $9::text)
	on conflict (target_id, canary) do update set request_key = excluded.request_key, fate = excluded.fate, fate_at = excluded.fate_at,
		field = excluded.field, advice = excluded.advice, message = excluded.message,
		accepted_at = case when kept.request_key = excluded.request_key then greatest(kept.accepted_at, excluded.accepted_at) else excluded.accepted_at end
		where kept.fate_at <= excluded.fate_at and not (kept.request_key = excluded.request_key and kept.accepted_at is not null and excluded.fate = 'unclear')`,
);

function testOf({ field, advice, ...row }: Row): CanaryTest {
	return { ...row, refusal: advice === null ? null : { field, advice } };
}

/** What is known of the canaries of these targets; none yet: no row. */
export async function readCanaryTests(sql: Sql, targetIds: readonly string[]): Promise<CanaryTest[]> {
	return (await sql.run(select, [targetIds])).map(testOf);
}

/** Canaries that their target refuses, or has not accepted yet though it answers: an operator's to mend. Removed targets included. */
export async function listCanaryFaults(sql: Sql): Promise<CanaryTest[]> {
	return (await sql.run(selectFaults)).map(testOf);
}

export async function writeCanaryTest(sql: Sql, test: CanaryTest): Promise<void> {
	const { targetId, canary, requestKey, acceptedAt, fate, fateAt, refusal, message } = test;
	const row = [targetId, canary, requestKey, acceptedAt === null ? null : instant(acceptedAt), fate, instant(fateAt), refusal?.field ?? null];
	await sql.run(upsert, [...row, refusal?.advice ?? null, message]);
}
