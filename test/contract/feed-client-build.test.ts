/** What is published of the client: small, alone, and understood by a strict reader of types. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
let out: string;
beforeAll(() => {
	out = mkdtempSync(join(tmpdir(), 'linnet-client-'));
	execFileSync(process.execPath, [join(root, 'client', 'build.mjs'), out]);
}, 60_000);
afterAll(() => rmSync(out, { recursive: true }));

test('it is at most 6 KB minified and imports nothing', () => {
	const file = join(out, 'health-client.js');
	expect(statSync(file).size).toBeLessThanOrEqual(6_144);
	expect(readFileSync(file, 'utf8')).not.toMatch(/\bimport\b[\s({"']|\brequire\b|\bprocess\b|\bBuffer\b|node:/);
});

test('it runs where there is nothing but the web’s own names', () => {
	// A context without require, process or Buffer stands for edge and browser.
	const script = `
		import vm from 'node:vm'; import fs from 'node:fs';
		const context = vm.createContext({ fetch: async () => { throw new Error('offline') }, AbortController, setTimeout, clearTimeout, performance, TextDecoder, TextEncoder, atob });
		const module = new vm.SourceTextModule(fs.readFileSync(process.argv[1], 'utf8'), { context });
		await module.link(() => { throw new Error('it imports') });
		await module.evaluate();
		const client = module.namespace.createHealthClient({ url: 'http://feed.invalid', targets: ['a:m/x:chat'] });
		await client.ready;
		console.log(JSON.stringify([client.rank('m/x'), client.isHealthy('a:m/x:chat')]));
		client.close();`;
	const printed = execFileSync(
		process.execPath,
		['--experimental-vm-modules', '--no-warnings', '--input-type=module', '-e', script, join(out, 'health-client.js')],
		{
			encoding: 'utf8',
		},
	);
	expect(JSON.parse(printed)).toEqual([['a:m/x:chat'], true]);
});

test('its types hold for a strict reader with the DOM’s names only', () => {
	writeFileSync(
		join(out, 'use.ts'),
		`import { createHealthClient, type Change } from './health-client.js';
const client = createHealthClient({ url: 'https://status.example.org', pollMs: 1_000 });
const order: string[] = client.rank('m/x');
client.onChange((changes: readonly Change[]) => changes[0]?.previous === 'unknown');
export const well: boolean = client.isHealthy(order[0] ?? '');\n`,
	);
	const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
	const options = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,dom', '--types', ''];
	execFileSync(process.execPath, [tsc, ...options, join(out, 'use.ts')], { encoding: 'utf8' });
}, 60_000);
