import type { Doubt } from '#core/judge-target.ts';
import { instant, query, type Sql, type Tx } from './sql.ts';

const selectHead = query<EvaluatorHead>(
	'evaluator_head_read',
	'select journal_number as "journalNumber", read_through_seq as "readThroughSeq" from evaluator_heads where name = $1::text',
);

const upsertHead = query<{ name: string }>(
	'evaluator_head_write',
	`insert into evaluator_heads as kept (name, journal_number, read_through_seq, updated_at, doubts)
	values ($1::text, $2::bigint, $3::bigint, $4::timestamptz, $5::jsonb)
	on conflict (name) do update set journal_number = excluded.journal_number, read_through_seq = excluded.read_through_seq, updated_at = excluded.updated_at,
		doubts = excluded.doubts where kept.journal_number = excluded.journal_number - 1
	returning name`,
);

const insertStep = query(
	'evaluator_journal_add',
	'insert into evaluator_journal (name, number, at, read_through_seq, inputs) values ($1::text, $2::bigint, $3::timestamptz, $4::bigint, $5::jsonb)',
);

const selectSteps = query<{ number: number; at: number; readThroughSeq: number; inputs: unknown }>(
	'evaluator_journal_read',
	'select number, at, read_through_seq as "readThroughSeq", inputs from evaluator_journal where name = $1::text and number > $2::bigint order by number',
);

const trimSteps = query('evaluator_journal_trim', 'delete from evaluator_journal where name = $1::text and number <= $2::bigint');

const clearParts = query('evaluator_checkpoint_clear', 'delete from evaluator_checkpoints where name = $1::text');

const insertPart = query(
	'evaluator_checkpoint_add',
	'insert into evaluator_checkpoints (name, part, journal_number, read_through_seq, state) values ($1::text, $2::text, $3::bigint, $4::bigint, $5::text)',
);

const selectParts = query<EvaluatorHead & { part: string; state: string }>(
	'evaluator_checkpoint_read',
	'select part, journal_number as "journalNumber", read_through_seq as "readThroughSeq", state from evaluator_checkpoints where name = $1::text order by part',
);

export interface EvaluatorHead {
	/** Number of the last step; 0 before the first. */
	readonly journalNumber: number;
	/** It has judged every result through this one. */
	readonly readThroughSeq: number;
}

/** One step: what was heard beside the results, then the results up to `readThroughSeq`, then a tick; all at `at` (ms since epoch). */
export interface JournalStep extends EvaluatorHead {
	readonly at: number;
	/** Null: none. */
	readonly inputs: readonly unknown[] | null;
	/** What is in doubt after it. */
	readonly doubts: readonly Doubt[];
}

/** Stands after a step. */
export interface Checkpoint extends EvaluatorHead {
	/** Piece → JSON. */
	readonly parts: ReadonlyMap<string, string>;
}

export async function readEvaluatorHead(sql: Sql, name: string): Promise<EvaluatorHead> {
	const [head] = await sql.run(selectHead, [name]);
	return head ?? { journalNumber: 0, readThroughSeq: 0 };
}

const selectDoubts = query<{ doubts: Doubt[] }>('evaluator_doubts', 'select doubts from evaluator_heads where name = $1::text');

/** After the last step that was committed. */
export async function readDoubts(sql: Sql, name: string): Promise<readonly Doubt[]> {
	return (await sql.run(selectDoubts, [name]))[0]?.doubts ?? [];
}

/** In the transaction of the step's decisions. @throws when another evaluator has taken that step: its decisions stand, ours must roll back. */
export async function addJournalStep(tx: Tx, name: string, { journalNumber, readThroughSeq, at, inputs, doubts }: JournalStep): Promise<void> {
	const written = await tx.run(upsertHead, [name, journalNumber, readThroughSeq, instant(at), JSON.stringify(doubts)]);
	if (written.length === 0) throw new Error(`Expected evaluator ${name} to be at step ${journalNumber - 1}: another one has judged further`);
	await tx.run(insertStep, [name, journalNumber, instant(at), readThroughSeq, inputs === null ? null : JSON.stringify(inputs)]);
}

/** In order. */
export async function readJournalAfter(sql: Sql, name: string, number: number): Promise<Omit<JournalStep, 'doubts'>[]> {
	const steps = await sql.run(selectSteps, [name, number]);
	return steps.map(({ number: journalNumber, at, readThroughSeq, inputs }) => ({ journalNumber, readThroughSeq, at, inputs: inputs as unknown[] | null }));
}

/** Replaces the checkpoint, and forgets the steps that it stands after. */
export async function writeCheckpoint(tx: Tx, name: string, { journalNumber, readThroughSeq, parts }: Checkpoint): Promise<void> {
	await tx.run(clearParts, [name]);
	for (const [part, state] of parts) await tx.run(insertPart, [name, part, journalNumber, readThroughSeq, state]);
	await tx.run(trimSteps, [name, journalNumber]);
}

/** Null before the first. */
export async function readCheckpoint(sql: Sql, name: string): Promise<Checkpoint | null> {
	const rows = await sql.run(selectParts, [name]);
	const first = rows[0];
	if (first === undefined) return null;
	const { journalNumber, readThroughSeq } = first;
	return { journalNumber, readThroughSeq, parts: new Map(rows.map(({ part, state }) => [part, state])) };
}
