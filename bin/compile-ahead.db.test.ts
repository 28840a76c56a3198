import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '#test/e2e/service.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { compileAhead } from './compile-ahead.ts';

let database: TestDatabase;
let dir: string;
const cache = () => join(dir, 'compile-cache');
const compiled = async () => (await readdir(cache(), { recursive: true })).sort();
const entry = join(import.meta.dirname, 'linnet.mjs');

beforeEach(async () => {
	database = await createTestDatabase();
	dir = await mkdtemp(join(tmpdir(), 'linnet-ahead-'));
	await writeFile(
		join(dir, 'linnet.yaml'),
		'providers: [{ id: one, dialect: openai-chat, baseUrl: "http://127.0.0.1:9/v1", apiKeyEnv: null, models: [{ model: a/b, upstreamModel: b }] }]',
	);
});
afterEach(async () => {
	await database.drop();
	// The process that draws the page outlives the API by the files that it has in hand.
	await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

async function runUntilReady(args: readonly string[]): Promise<void> {
	const port = String(await freePort());
	const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL: database.url, LINNET_DATA: dir, NODE_COMPILE_CACHE: cache(), PORT: port };
	const child = spawn(process.execPath, [entry, ...args], { cwd: dir, env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
	const exited = once(child, 'exit');
	const first = await Promise.race([once(child, 'message'), exited]);
	expect(first, args.join(' ')).toEqual([{ type: 'ready' }, undefined]);
	// What was compiled besides is written when it ends by itself.
	child.kill('SIGTERM');
	expect(await exited).toEqual([0, null]);
}

test('no role finds anything that it must compile itself', async () => {
	await compileAhead(cache(), new AbortController().signal);
	// The entry is no TypeScript and costs nothing.
	await promisify(execFile)(process.execPath, [entry, '--version'], { env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: cache() } });
	const before = await compiled();
	expect(before.length).toBeGreaterThan(500);
	for (const role of ['api', 'worker --jobs judge', 'worker --jobs probe']) {
		await runUntilReady(role.split(' '));
		expect(await compiled(), role).toEqual(before);
	}
});

test('where it can not be made, nothing fails', async () => {
	await writeFile(cache(), '');
	await compileAhead(join(cache(), 'below-a-file'), new AbortController().signal);
	await compileAhead(undefined, new AbortController().signal);
});
