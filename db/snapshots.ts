import { gunzipSync, gzipSync } from 'node:zlib';
import type { Snapshot } from '#core/snapshot.ts';
import { snapshotPieces, type TextIds, type WrittenSnapshot } from '#core/snapshot-text.ts';
import { advisoryLocks, type Db, instant, inTransaction, query, type Sql, type Tx } from './sql.ts';

/** Channel that hears the number of each new snapshot. */
export const snapshotChannel = 'linnet_snapshot';
/** Nobody reads an older one but whoever looks for a fault. Of 10,000 targets each is 3 MB that is vacuumed for as long as it is kept. */
const kept = 10;

const lockNumbers = query('snapshots_lock', `select pg_advisory_xact_lock(${advisoryLocks.snapshots})`);
const selectNext = query<{ number: number }>('snapshots_next', 'select coalesce(max(number), 0) + 1 as number from snapshots');
const insertSnapshot = query(
	'snapshots_publish',
	`with written as (
		insert into snapshots (number, generated_at, document) values ($1::bigint, $2::timestamptz, $3::bytea) returning number
	), trimmed as (
		delete from snapshots where number <= $1::bigint - ${kept}
	)
	select pg_notify('${snapshotChannel}', number::text) from written`,
);
const selectLatest = query<SnapshotRow>(
	'snapshots_latest',
	'select number, document from (select number, document from snapshots order by number desc limit 1) newest where number <> $1::bigint',
);
const selectLatestNumber = query<{ number: number }>('snapshots_latest_number', 'select coalesce(max(number), 0) as number from snapshots');

interface SnapshotRow {
	readonly number: number;
	readonly document: Buffer;
}

export interface StoredSnapshot {
	readonly number: number;
	/** For `unpackSnapshot`. Kept and handed on like this it is 3 MB of 10,000 targets, not 20. */
	readonly packed: Uint8Array;
}

/**
 * Publishes with the next number and wakes the listeners at the commit. Numbers have no gap and follow the order of commit.
 * @param build makes the document for the number it gets; no other publisher stores one meanwhile
 */
export function publishSnapshot<Built extends Snapshot | WrittenSnapshot>(
	sql: Db | Tx,
	build: (number: number, tx: Tx) => Built | Promise<Built>,
	textIds?: TextIds,
): Promise<Built> {
	return inTransaction(sql, async (tx) => {
		await tx.run(lockNumbers);
		const [next] = await tx.run(selectNext);
		const snapshot = await build(next?.number ?? 1, tx);
		if (snapshot.number !== next?.number) throw new Error(`Expected the snapshot to have number ${next?.number}, got ${snapshot.number}`);
		await tx.run(insertSnapshot, [snapshot.number, instant(Date.parse(snapshot.generatedAt)), packSnapshot(snapshotPieces(snapshot, textIds))]);
		return snapshot;
	});
}

/** Null before the first, and when the newest is the one that is known already: then nothing is sent. */
export async function readLatestSnapshot(sql: Sql, knownNumber = 0): Promise<StoredSnapshot | null> {
	const [row] = await sql.run(selectLatest, [knownNumber]);
	return row === undefined ? null : { number: row.number, packed: row.document };
}

/** 0 before the first. */
export async function readLatestSnapshotNumber(sql: Sql): Promise<number> {
	return (await sql.run(selectLatestNumber))[0]?.number ?? 0;
}

/** What a damaged row can make us allocate at once. */
const biggestPiece = 2 ** 26;

/**
 * Fast before small: level 6 takes twice as long for a quarter less.
 * @param text whole or in pieces: joined first it would stand there twice
 */
export function packSnapshot(text: string | readonly string[]): Uint8Array {
	const pieces = typeof text === 'string' ? [text] : text;
	const bytes = Buffer.allocUnsafeSlow(pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0));
	let at = 0;
	for (const piece of pieces) at += bytes.write(piece, at);
	const packed = gzipSync(bytes, { level: 1 });
	freeNow(bytes);
	return packed;
}

/** @returns what `readSnapshot` of core/snapshot-text.ts reads */
export function unpackSnapshot(packed: Uint8Array): string {
	return withUnpacked(packed, (bytes) => bytes.toString('utf8'));
}

/** @param read of the bytes that hold the text; none of them may be kept, for they are freed at once */
export function withUnpacked<T>(packed: Uint8Array, read: (bytes: Buffer) => T): T {
	const document = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
	const isPacked = document[0] === 0x1f && document[1] === 0x8b;
	if (!isPacked) return read(document);
	// In pieces of the default 16 KB half of the time goes into joining them; the size stands at the end (RFC 1952, modulo 2^32).
	const chunkSize = Math.min(Math.max(document.readUInt32LE(document.length - 4) + 1, 16_384), biggestPiece);
	const bytes = gunzipSync(document, { chunkSize });
	try {
		return read(bytes);
	} finally {
		freeNow(bytes);
	}
}

/** Of 10,000 targets 17 MB, which else stay until the next full collection. A small one may share its memory with others. */
function freeNow(bytes: Buffer): void {
	if (bytes.buffer.byteLength >= 2 ** 20) (bytes.buffer as ArrayBuffer).transfer(0);
}
