/** Reads the providers' official status pages: politely, within bounds, and never as evidence. */
import { request } from 'undici';
import type { Log } from '#core/log.ts';
import { matchTargets, type OfficialIncident, type OfficialPage } from '#core/official.ts';
import { hideSecrets } from '#core/redact.ts';
import type { Target } from '#core/target.ts';
import {
	endOfficialIncidents,
	listOfficialPages,
	type OfficialPageState,
	recordPageFailure,
	recordPageRead,
	writeOfficialIncidents,
} from '#db/official-incidents.ts';
import { type Db, isUnavailable, transaction } from '#db/sql.ts';
import { officialAddress, readOfficialPage } from '#providers/official/index.ts';

export interface OfficialTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
	targets(): readonly Target[];
	/** Default 60 s: nobody's page is asked more often. The demo's story is short. */
	readonly everyMs?: number;
	/** What may be in no text that is kept: a page can repeat a key of ours. Absent: nothing is known. */
	secrets?(): Promise<readonly string[]>;
}

export interface ReadPage {
	readonly provider: string;
	/** `unchanged`: it said so, or it says the same. */
	readonly what: 'read' | 'unchanged' | 'failed';
	/** New or changed. */
	readonly incidents: number;
	/** Why it failed; null when it did not. */
	readonly problem: string | null;
}

const minuteMs = 60_000;
const longestPauseMs = 3_600_000;
const timeoutMs = 15_000;
const bodyLimit = 8 * 1024 * 1024;

/** Each provider's page that is due: a minute after it was last read, after failures twice as long each time, an hour at most. */
export async function watchOfficialPages(tools: OfficialTools): Promise<ReadPage[]> {
	const { db, log, now, targets, everyMs = minuteMs } = tools;
	const secrets = (await tools.secrets?.()) ?? [];
	const known = new Map((await listOfficialPages(db)).map((state) => [state.provider, state]));
	const read: ReadPage[] = [];
	for (const [provider, own] of Map.groupBy(targets(), (target) => target.provider)) {
		const page = own[0]?.officialPage;
		if (page === undefined) continue;
		if (now() < dueAt(db, known.get(provider), everyMs)) continue;
		const one = await readOne(db, provider, page, own, known.get(provider) ?? null, now, secrets);
		if (one.problem !== null) log.warn({ provider, problem: one.problem }, 'official page not read');
		else if (one.incidents > 0) log.info({ provider, incidents: one.incidents }, 'official page: new words');
		read.push(one);
	}
	return read;
}

/** When a failure was last met, ms since epoch, by provider: it need not outlive the process. */
const failures = new WeakMap<object, Map<string, number>>();

function failuresOf({ pool }: Db): Map<string, number> {
	const known = failures.get(pool) ?? new Map<string, number>();
	failures.set(pool, known);
	return known;
}

function dueAt(db: Db, state: OfficialPageState | undefined, everyMs: number): number {
	if (state === undefined) return 0;
	const lastAt = Math.max(state.readAt ?? 0, failuresOf(db).get(state.provider) ?? 0);
	return lastAt + Math.min(everyMs * 2 ** Math.min(state.failureCount, 10), Math.max(longestPauseMs, everyMs));
}

/** Reads one page now and stores what it says. */
export async function readOne(
	db: Db,
	provider: string,
	page: OfficialPage,
	targets: readonly Target[],
	state: OfficialPageState | null,
	now: () => number,
	secrets: readonly string[] = [],
): Promise<ReadPage> {
	const address = officialAddress(page);
	try {
		if (address === null) throw new Error(`no reader for pages of kind "${page.kind}"`);
		const answer = await fetchPage(address, state?.url === address ? state : null, secrets);
		const at = now();
		const stored = { url: address, kind: page.kind, etag: answer.etag, lastModified: answer.lastModified };
		failuresOf(db).delete(provider);
		if (answer.text === null) {
			await recordPageRead(db, provider, { ...stored, changed: false }, at);
			return { provider, what: 'unchanged', incidents: 0, problem: null };
		}
		const { incidents: said, openOnly } = readPage(page, answer.text, secrets);
		const incidents = said.filter(({ officialId }) => isClean(officialId, secrets)).map((incident) => withoutSecrets(incident, secrets));
		const changed = await transaction(db, async (tx) => {
			const matched = incidents.map((incident) => ({ ...incident, targetIds: matchTargets(incident, targets) }));
			const written = await writeOfficialIncidents(tx, provider, matched, at);
			const open = matched.map(({ officialId }) => officialId);
			const ended = openOnly ? await endOfficialIncidents(tx, provider, open, at) : [];
			await recordPageRead(tx, provider, { ...stored, changed: written.length + ended.length > 0 }, at);
			return written.length + ended.length;
		});
		return { provider, what: changed > 0 ? 'read' : 'unchanged', incidents: changed, problem: null };
	} catch (error) {
		if (!(error instanceof PageFault) && isUnavailable(error)) throw error;
		const problem = hideSecrets(describe(error), secrets);
		failuresOf(db).set(provider, now());
		await recordPageFailure(db, provider, { url: address ?? page.url, kind: page.kind }, problem);
		return { provider, what: 'failed', incidents: 0, problem };
	}
}

/** What is no page is quoted in the error, cut anywhere: then without secrets from the start. */
function readPage(page: OfficialPage, text: string, secrets: readonly string[]): ReturnType<typeof readOfficialPage> {
	try {
		return readOfficialPage(page, text);
	} catch {
		return readOfficialPage(page, hideSecrets(text, secrets));
	}
}

const isClean = (text: string, secrets: readonly string[]) => hideSecrets(text, secrets) === text;

/** An id that repeats a secret names nothing, and a link with one leads nowhere. */
function withoutSecrets(incident: OfficialIncident, secrets: readonly string[]): OfficialIncident {
	const hide = (text: string) => hideSecrets(text, secrets);
	const { title, url, components, updates } = incident;
	return {
		...incident,
		title: hide(title),
		// An escaped slash has become two.
		url: url !== null && isClean(url, secrets) && isClean(url.replace(/(?<!:)\/{2,}/g, '/'), secrets) ? url : null,
		components: components.map(hide),
		updates: updates.map((update) => ({ ...update, body: hide(update.body) })),
	};
}

class PageFault extends Error {}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface Answer {
	/** Null: unchanged. */
	readonly text: string | null;
	readonly etag: string | null;
	readonly lastModified: string | null;
}

/** Redirects are not followed: only the configured host is spoken to. @throws PageFault */
async function fetchPage(address: string, state: OfficialPageState | null, secrets: readonly string[]): Promise<Answer> {
	const headers: Record<string, string> = {
		accept: 'application/json, application/rss+xml, application/atom+xml;q=0.9, */*;q=0.1',
		'user-agent': 'linnet (status page reader)',
	};
	if (state?.etag != null) headers['if-none-match'] = state.etag;
	if (state?.lastModified != null) headers['if-modified-since'] = state.lastModified;
	try {
		const { statusCode, headers: got, body } = await request(address, { headers, signal: AbortSignal.timeout(timeoutMs) });
		const header = (name: string) => {
			const value = got[name];
			return typeof value === 'string' && value.length <= 1_000 && isClean(value, secrets) ? value : null;
		};
		if (statusCode === 304) {
			await body.dump();
			return { text: null, etag: state?.etag ?? null, lastModified: state?.lastModified ?? null };
		}
		if (statusCode !== 200) {
			await body.dump({ limit: 65_536 });
			throw new PageFault(`expected 200 from ${address}, got HTTP ${statusCode}${header('location') === null ? '' : ` to ${header('location')}`}`);
		}
		const chunks: Uint8Array[] = [];
		let size = 0;
		for await (const chunk of body as AsyncIterable<Uint8Array>) {
			size += chunk.length;
			if (size > bodyLimit) throw new PageFault(`expected at most ${bodyLimit} bytes from ${address}, got more`);
			chunks.push(chunk);
		}
		return { text: Buffer.concat(chunks).toString('utf8'), etag: header('etag'), lastModified: header('last-modified') };
	} catch (error) {
		if (error instanceof PageFault) throw error;
		throw new PageFault(`${address}: ${(error as NodeJS.ErrnoException).code ?? describe(error)}`, { cause: error });
	}
}
