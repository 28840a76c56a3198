import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { FleetEvidence } from '#core/target-evidence.ts';
import { keepEvidence } from './write-site-apart.ts';

const found = (id: string): FleetEvidence => new Map([[id, { canary: null, latencyDays: [], results: [] }]]);
const never = () => new Promise<FleetEvidence>(() => {});

/** Answers in the given order; the last one again and again. */
function reader(...answers: readonly (() => Promise<FleetEvidence>)[]) {
	let next = 0;
	return { read: () => (answers[Math.min(next++, answers.length - 1)] ?? never)() };
}

test('a record that does not answer in time is not waited for: the page turns without it', async () => {
	expect(await keepEvidence(reader(never), 1)(0, null)).toBeNull();
	expect(await keepEvidence(reader(never), 1)(0, ['a'])).toBeNull();
});

test('a record that is away gives what was read before', async () => {
	const evidenceAt = keepEvidence(
		reader(
			async () => found('a'),
			async () => {
				throw new Error('away');
			},
			never,
		),
		1,
	);
	expect([...((await evidenceAt(0, null)) ?? [])].map(([id]) => id)).toEqual(['a']);
	expect([...((await evidenceAt(1, null)) ?? [])].map(([id]) => id)).toEqual(['a']);
	expect([...((await evidenceAt(2, null)) ?? [])].map(([id]) => id)).toEqual(['a']);
});

test('what was asked of some targets is never given as that of others', async () => {
	const { promise: slow, resolve: settle } = Promise.withResolvers<FleetEvidence>();
	const evidenceAt = keepEvidence(
		reader(
			() => slow,
			async () => found('b'),
		),
		1,
	);
	expect(await evidenceAt(0, ['a'])).toBeNull();
	const waiting = evidenceAt(1, ['b']);
	settle(found('a'));
	expect(await waiting).toBeNull();
	expect([...((await evidenceAt(2, ['b'])) ?? [])].map(([id]) => id)).toEqual(['b']);
	expect(await evidenceAt(3, null)).toEqual(found('b'));
});

test('the page is drawn by a service that was started politely too', async () => {
	const dir = await mkdtemp(join(tmpdir(), 'linnet-polite-'));
	const script = `
		import { openSiteWriter } from ${JSON.stringify(new URL('./write-site-apart.ts', import.meta.url).href)};
		import { writeSnapshot } from ${JSON.stringify(new URL('../core/snapshot-text.ts', import.meta.url).href)};
		import { packSnapshot } from ${JSON.stringify(new URL('../db/snapshots.ts', import.meta.url).href)};
		import { sampleSnapshot } from ${JSON.stringify(new URL('../test/sample-snapshot.ts', import.meta.url).href)};
		// The renderer keeps nobody alive.
		const alive = setInterval(() => {}, 1_000);
		const writer = openSiteWriter(${JSON.stringify(dir)}, null);
		await writer.write(packSnapshot(writeSnapshot(sampleSnapshot({ providers: 1, modelsPerProvider: 1 }))), Date.now());
		await writer.close();
		clearInterval(alive);
	`;
	// Root may be less polite again, unless it is told not to.
	const unprivileged = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-sys_nice'] : [];
	const [command = '', ...args] = [...unprivileged, 'nice', '-n', '10', process.execPath, '--input-type=module', '-e', script];
	await promisify(execFile)(command, args);
	expect(await readdir(dir)).toContain('index.html');
	await rm(dir, { recursive: true });
});
