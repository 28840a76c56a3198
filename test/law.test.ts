import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const oxlint = join(dirname(createRequire(import.meta.url).resolve('oxlint/package.json')), 'bin', 'oxlint');
let house: string;

beforeAll(() => {
	house = mkdtempSync(join(tmpdir(), 'linnet-law-'));
	copyFileSync(join(root, '.oxlintrc.json'), join(house, '.oxlintrc.json'));
	symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
});
afterAll(() => rmSync(house, { recursive: true }));

/** What the linter says of one file with one line. */
function lint(file: string, line: string): { breach: boolean; output: string } {
	const path = join(house, file);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, `${line}\n`);
	const { stdout } = spawnSync(process.execPath, [oxlint, '-f', 'unix', file], { cwd: house, encoding: 'utf8' });
	rmSync(path);
	return { breach: stdout.includes('no-restricted-imports'), output: stdout };
}

describe('the law of imports', () => {
	it.each([
		['core', "export { readFileSync } from 'node:fs';"],
		['core', "export type { Db } from '#db/sql.ts';"],
		['providers', "export type { Db } from '#db/sql.ts';"],
		['providers', "export { request } from 'undici';"],
		['alerts', "export { request } from 'undici';"],
		['config', "export type { Db } from '#db/sql.ts';"],
		['db', "export { catalog } from '#providers/catalog.ts';"],
		['db', "export { Queue } from 'bullmq';"],
		['workers', "export { createApp } from '#api/create-app.ts';"],
		['workers', "export { Queue } from 'bullmq';"],
		['api', "export const routes = await import('#workers/evaluator.ts');"],
		['status-page', "export { listIncidents } from '#db/incidents.ts';"],
		['client', "export { wilson } from '#core/sli.ts';"],
		['simulator', "export { dialects } from '#providers/index.ts';"],
		['bin', "export { wilson } from '../core/sli.ts';"],
	])('%s may not: %s', (room, line) => {
		const { breach, output } = lint(`${room}/planted.ts`, line);
		expect(breach, output).toBe(true);
	});

	it.each([
		['core', "export { wilson } from './sli.ts';"],
		['providers', "export { wilson } from '#core/sli.ts';"],
		['workers', "export { request } from 'undici';"],
		['db', "export { readFile } from 'node:fs/promises';"],
		['bin', "export { createApp } from '#api/create-app.ts';"],
	])('%s may: %s', (room, line) => {
		const { breach, output } = lint(`${room}/planted.ts`, line);
		expect(breach, output).toBe(false);
	});

	it('only workers/queue.ts knows BullMQ', () => {
		expect(lint('workers/queue.ts', "export { Queue } from 'bullmq';").breach).toBe(false);
	});

	it('ARCHITECTURE.md names every room of the law', () => {
		const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
		for (const room of ['core', 'providers', 'alerts', 'config', 'db', 'workers', 'api', 'status-page', 'simulator', 'bin'])
			expect(text).toContain(`\`${room}/\``);
	});
});
