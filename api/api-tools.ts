/** What every route gets, and nothing else. */

import type { Response } from 'express';
import type { Log } from '#core/log.ts';
import type { Evidence } from './evidence.ts';
import type { Observations } from './observations.ts';
import type { OnCallDesk } from './on-call-desk.ts';
import { Problem, quote } from './problem.ts';
import type { Signer } from './sign-feed.ts';
import type { SnapshotSource, SnapshotView } from './snapshot-source.ts';

export interface Readiness {
	readonly ready: boolean;
	/** Name → what was found; public, so no secret and no address. */
	readonly checks: Readonly<Record<string, unknown>>;
}

export interface ApiTools {
	readonly snapshots: SnapshotSource;
	readonly evidence: Evidence;
	/** Exposition text of other processes, added to ours; series that we give too are dropped from it. */
	readonly metrics?: () => Promise<string>;
	/** ms since epoch. */
	now(): number;
	readonly log: Log;
	/** Folder of the static site; null when this process serves none. */
	readonly siteDir: string | null;
	readonly version: string;
	/** Signs the feeds; null or absent: they go unsigned. */
	readonly signer?: Signer | null;
	/** Opens the admin routes; null or absent: they are closed. */
	readonly adminToken?: string | null;
	/** Reports of routers; absent: none are taken and none are shown. */
	readonly observations?: Observations;
	/** Where on-call says and asks; absent: its routes answer 404. */
	readonly desk?: OnCallDesk;
	readiness(): Readiness | Promise<Readiness>;
	/** How long a read of the record may take before the answer is 503. Default 3 s. */
	readonly evidenceTimeoutMs?: number;
}

const retryAfterS = 5;

/** The snapshot as of now, with its freshness in headers that a 304 carries too. Throws 503 before the first. */
export function readSnapshot({ snapshots, now }: ApiTools, res: Response): SnapshotView {
	const view = snapshots.at(now());
	if (view === null) throw new Problem(503, 'no-snapshot', 'Nothing has been measured yet: the first snapshot is being made', { retryAfterS });
	const { snapshot } = view;
	res.setHeader('Linnet-Snapshot', String(snapshot.number));
	res.setHeader('Linnet-Generated-At', snapshot.generatedAt);
	res.setHeader('Linnet-Stale-After', snapshot.staleAfter);
	res.setHeader('Linnet-Revision', snapshot.verdictRevision);
	res.setHeader('Linnet-Simulated', String(snapshot.simulated));
	return view;
}

/** A read of the record: 503 when it fails or takes too long. The caller never waits for a database that is away. */
export async function readRecord<Value>({ log, evidenceTimeoutMs = 3_000 }: ApiTools, what: string, read: () => Promise<Value>): Promise<Value> {
	const away = (cause: unknown) =>
		new Problem(503, 'record-away', `The record can’t be read now (${what}); verdicts and health don’t need it and are being served`, { retryAfterS, cause });
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`Expected an answer within ${evidenceTimeoutMs} ms`)), evidenceTimeoutMs);
	});
	try {
		return await Promise.race([read(), late]);
	} catch (error) {
		log.warn({ err: error, what }, 'record not readable');
		throw away(error);
	} finally {
		clearTimeout(timer);
	}
}

export function unknownTarget(id: string): Problem {
	return new Problem(404, 'unknown-target', `Expected the id of a target (provider:model:operation, listed at /v1/targets), got ${quote(id)}`);
}

/** Short for caches that stand between, long for when we're down: the answer says itself how old it is. */
export const feedCache = 'public, max-age=2, stale-while-revalidate=10, stale-if-error=86400';
