import { instant, query, type Sql, type Tx } from './sql.ts';

const selectState = query<StoredDetectorState<unknown> & { updatedAt: number }>(
	'detector_state_read',
	'select version, read_through_seq as "readThroughSeq", state, updated_at as "updatedAt" from detector_state where name = $1::text',
);

const upsertState = query<{ name: string }>(
	'detector_state_write',
	`insert into detector_state as kept (name, version, read_through_seq, state, updated_at)
	values ($1::text, $2::int, $3::bigint, $4::jsonb, $5::timestamptz)
	on conflict (name) do update set version = excluded.version, read_through_seq = excluded.read_through_seq, state = excluded.state,
		updated_at = excluded.updated_at
		where kept.read_through_seq <= excluded.read_through_seq
	returning name`,
);

export interface StoredDetectorState<State> {
	/** Shape of the state: with another one the caller starts anew. */
	readonly version: number;
	/** It has judged every result through this one. */
	readonly readThroughSeq: number;
	readonly state: State;
}

/** Null before the first write. */
export async function readDetectorState<State>(sql: Sql, name: string): Promise<(StoredDetectorState<State> & { readonly updatedAt: number }) | null> {
	const [row] = await sql.run(selectState, [name]);
	return row === undefined ? null : { ...row, state: row.state as State };
}

/** In the transaction of the decisions that led to it. @throws when somebody has already read further: their decisions stand, ours must roll back. */
export async function writeDetectorState<State>(
	tx: Tx,
	name: string,
	{ version, readThroughSeq, state }: StoredDetectorState<State>,
	now: number,
): Promise<void> {
	const written = await tx.run(upsertState, [name, version, readThroughSeq, JSON.stringify(state), instant(now)]);
	if (written.length === 0) throw new Error(`Expected detector ${name} to be at most at ${readThroughSeq}: another one has judged further`);
}
