/** Publisher, database and API die in each order; a reader keeps the last verdicts until their deadline and then sees `unknown`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Change, createHealthClient, type HealthClient } from '#client/health-client.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { publishSnapshot } from '#db/snapshots.ts';
import { freePort, until } from '#test/e2e/service.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';

const lifeMs = 6_000;
let database: TestDatabase;
let dir: string;
let api: ChildProcess;
let url: string;
let client: HealthClient;
let snapshot: Snapshot;
let down: string;

beforeEach(async () => {
	database = await createTestDatabase();
	dir = await mkdtemp(join(tmpdir(), 'linnet-outlives-'));
	const port = await freePort();
	url = `http://127.0.0.1:${port}`;
	api = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'bin', 'linnet.mjs'), 'api'], {
		cwd: dir,
		stdio: 'ignore',
		env: { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL: database.url, LINNET_DATA: dir, PORT: String(port) },
	});
	const publicKey = await until('the key', async () => {
		const answer = await fetch(`${url}/v1/key`).catch(() => null);
		return answer?.ok ? ((await answer.json()) as { publicKey: string }).publicKey : null;
	});
	// What a publisher left that was killed right after.
	snapshot = await publishSnapshot(database.db, (number) => {
		const now = Date.now();
		return { ...sampleSnapshot({ providers: 3, modelsPerProvider: 8, hostile: false, now, number }), staleAfter: new Date(now + lifeMs).toISOString() };
	});
	down = snapshot.targets.find((target) => target.state === 'major_outage')?.id ?? '';
	client = createHealthClient({ url, publicKey, pollMs: 50, timeoutMs: 500 });
	await until('verdicts', async () => !client.isHealthy(down));
});
afterEach(async () => {
	client.close();
	if (api.exitCode === null && api.signalCode === null) {
		api.kill('SIGKILL');
		await once(api, 'exit');
	}
	await database.drop();
	// The process that draws the page outlives the API by the files that it has in hand.
	await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

async function killApi(): Promise<void> {
	const exited = once(api, 'exit');
	api.kill('SIGKILL');
	await exited;
}

async function killDatabase(): Promise<void> {
	await database.drop();
	// The pool is closed; `drop` again at the end must find nothing to do.
	database = { ...database, drop: async () => {} };
}

const orders: Record<string, readonly (() => Promise<void>)[]> = {
	'the publisher alone': [],
	'the database, then nothing else': [killDatabase],
	'the API': [killApi],
	'the database, then the API': [killDatabase, killApi],
	'the API, then the database': [killApi, killDatabase],
};

test.each(Object.keys(orders))('who dies: %s', async (name) => {
	const changed = new Promise<{ changes: readonly Change[]; at: number }>((resolve) => client.onChange((changes) => resolve({ changes, at: Date.now() })));
	for (const kill of orders[name] ?? []) {
		await kill();
		expect(client.isHealthy(down)).toBe(false);
	}
	const { changes, at } = await changed;
	expect(new Set(changes.map(({ state }) => state))).toEqual(new Set(['unknown']));
	// Not before the deadline, give or take the second that the Date header rounds to.
	expect(at).toBeGreaterThan(Date.parse(snapshot.staleAfter) - 1_001);
	expect(client.isHealthy(down)).toBe(true);
	const model = snapshot.targets.find((target) => target.id === down)?.model ?? '';
	expect(client.rank(model)).toHaveLength(snapshot.targets.filter((target) => target.model === model).length);
	if (api.signalCode === null) {
		await until('stale verdicts', async () => {
			const { targets } = (await (await fetch(`${url}/v1/verdicts`)).json()) as { targets: Record<string, { state: string }> };
			return Object.values(targets).every(({ state }) => state === 'unknown');
		});
		await until('a page that says so without JavaScript', async () => (await (await fetch(url)).text()).includes(' data-stale'));
		expect(await readFile(join(dir, 'site', 'index.html'), 'utf8')).toContain(' data-stale');
	}
});
