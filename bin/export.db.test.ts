import { createPublicKey, verify } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { healthSchema, shieldSchema, verdictsSchema } from '#api/schema.ts';
import { signedBytes } from '#api/sign-feed.ts';
import { publishSnapshot } from '#db/snapshots.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { readSettings } from './environment.ts';
import { exportSite } from './export.ts';

let database: TestDatabase;
let dir: string;
beforeEach(async () => {
	database = await createTestDatabase();
	dir = await mkdtemp(join(tmpdir(), 'linnet-export-'));
});
afterEach(async () => {
	await database.drop();
	await rm(dir, { recursive: true });
});

const out = () => join(dir, 'out');
const settings = () => readSettings({ DATABASE_URL: database.url, LINNET_DATA: join(dir, 'data') });
const read = (path: string) => readFile(join(out(), path), 'utf8');

describe('an export', () => {
	test('before the first snapshot is refused', async () => {
		await expect(exportSite(settings(), out(), null)).rejects.toThrow('nothing has been measured yet');
	});

	test('holds pages, feeds with a proof that the key confirms, badges; every link inside it leads to a file of it', async () => {
		const snapshot = await publishSnapshot(database.db, (number) => sampleSnapshot({ number, now: Date.now() }));
		await exportSite(settings(), out(), 'https://copy.example.org/llm');
		const { publicKey } = JSON.parse(await read('key.json')) as { publicKey: string };
		const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'base64').toString('base64url') }, format: 'jwk' });
		for (const [name, schema] of [['verdicts.json', verdictsSchema] as const, ['health.json', healthSchema] as const]) {
			const body = await readFile(join(out(), name));
			const proof = JSON.parse(await read(`${name}.sig`)) as { generatedAt: string; staleAfter: string; signature: string };
			schema.parse(JSON.parse(body.toString()));
			expect(verify(null, signedBytes(proof, body), key, Buffer.from(proof.signature, 'base64'))).toBe(true);
			expect([proof.generatedAt, proof.staleAfter]).toEqual([snapshot.generatedAt, snapshot.staleAfter]);
		}
		shieldSchema.parse(JSON.parse(await read('badge/all.json')));
		expect(await read('history.atom')).toContain('href="https://copy.example.org/llm/history.atom"');
		const files = new Set((await readdir(out(), { recursive: true })).map((path) => path.replaceAll('\\', '/')));
		let links = 0;
		for (const page of [...files].filter((path) => path.endsWith('.html'))) {
			for (const [, link = ''] of (await read(page)).matchAll(/(?:href|src)="([^"#]+)[^"]*"/g)) {
				if (/^(https?:|data:|mailto:)/.test(link)) continue;
				const target = new URL(link.replaceAll('&amp;', '&'), `http://x/${page}`).pathname.slice(1);
				// Routes of the API are named on the page "how"; a static copy has none.
				if (/^(v1|openapi\.json|metrics)/.test(target)) continue;
				links += 1;
				expect(files, `${page} → ${link}`).toContain(decodeURIComponent(target) || 'index.html');
			}
		}
		expect(links).toBeGreaterThan(50);
	});

	test('of a record that stopped says unknown, and a second one with the same key leaves equal files alone', async () => {
		await publishSnapshot(database.db, (number) => sampleSnapshot({ number }));
		const first = await exportSite(settings(), out(), null);
		const states = Object.values(verdictsSchema.parse(JSON.parse(await read('verdicts.json'))).targets).map(({ state }) => state);
		expect(new Set(states)).toEqual(new Set(['unknown']));
		const second = await exportSite(settings(), out(), null);
		expect(second.site.unchanged).toBeGreaterThan(first.site.written / 2);
	});
});
