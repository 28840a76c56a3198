import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '#core/log.ts';
import { listOfficialIncidents, listOfficialPages } from '#db/official-incidents.ts';
import { demoFleet } from '#simulator/scenarios/demo.ts';
import { demoStatusPage } from '#simulator/scenarios/demo-status-page.ts';
import { startSimulator } from '#simulator/start-simulator.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow, sampleTarget } from '#test/sample-results.ts';
import { watchOfficialPages } from './watch-official-pages.ts';

const minute = 60_000;
let database: TestDatabase;
let server: Server;
let answer: (req: IncomingMessage, res: ServerResponse) => void;
let asked: IncomingMessage[];
let now: number;
beforeEach(async () => {
	database = await createTestDatabase();
	asked = [];
	now = sampleNow;
	server = createServer((req, res) => {
		asked.push(req);
		answer(req, res);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	await database.drop();
});

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const watch = (kind = 'statuspage') =>
	watchOfficialPages({
		db: database.db,
		log: silentLog,
		now: () => now,
		targets: () => [sampleTarget('acme:acme/small-2:chat', { officialPage: { url: url(), kind, only: null } }), sampleTarget('quiet:quiet/model:chat')],
	});
const stored = () => listOfficialIncidents(database.db, { sinceAt: 0, limit: 100 });
const incident = (id: string, status: string, more: object = {}) => ({
	...{ id, name: 'Errors on Small 2', status, impact: 'major', started_at: '2026-11-23T11:50:00Z', resolved_at: null },
	incident_updates: [{ status, body: 'Looking.', created_at: '2026-11-23T11:55:00Z' }],
	...more,
});
const json = (res: ServerResponse, body: unknown, headers: Record<string, string> = {}) => res.writeHead(200, headers).end(JSON.stringify(body));

describe('an official page', () => {
	test('is read once a minute with its validators, matched to targets, and its changes kept', async () => {
		answer = (req, res) =>
			req.headers['if-none-match'] === '"1"' ? res.writeHead(304).end() : json(res, { incidents: [incident('a', 'investigating')] }, { etag: '"1"' });
		expect(await watch()).toEqual([{ provider: 'acme', what: 'read', incidents: 1, problem: null }]);
		expect(asked.map((req) => req.url)).toEqual(['/api/v2/incidents.json']);
		now += 59_000;
		expect(await watch()).toEqual([]);
		now += 1_000;
		expect(await watch()).toMatchObject([{ what: 'unchanged', incidents: 0 }]);
		const [first] = await stored();
		expect(first).toMatchObject({ provider: 'acme', officialId: 'a', targetIds: ['acme:acme/small-2:chat'], seenAt: sampleNow, resolvedAt: null });
		answer = (_, res) => json(res, { incidents: [incident('a', 'resolved', { resolved_at: '2026-11-23T12:10:00Z' })] }, { etag: '"2"' });
		now += minute;
		expect(await watch()).toMatchObject([{ what: 'read', incidents: 1 }]);
		now += minute;
		expect(await watch()).toMatchObject([{ what: 'unchanged' }]);
		expect(await stored()).toMatchObject([
			{ status: 'resolved', resolvedAt: Date.UTC(2026, 10, 23, 12, 10), firstUpdateAt: Date.UTC(2026, 10, 23, 11, 55), seenAt: sampleNow },
		]);
	});

	test('that lists open incidents only has ended what it lists no longer', async () => {
		const open = { name: 'Slow', started: '2026-11-23T11:00:00Z', status: 'INVESTIGATING', impact: 'MINOROUTAGE', url: `${url()}/1` };
		answer = (_, res) => json(res, { page: {}, activeIncidents: [open], activeMaintenances: [] });
		await watch('instatus');
		answer = (_, res) => json(res, { page: {}, activeIncidents: [], activeMaintenances: [] });
		now += minute;
		await watch('instatus');
		expect(await stored()).toMatchObject([{ status: 'resolved', resolvedAt: now }]);
	});

	test.each<[string, (res: ServerResponse) => void, RegExp]>([
		['answers 500', (res) => res.writeHead(500).end('no'), /expected 200 from http.*, got HTTP 500/],
		[
			'sends elsewhere: only the configured host is spoken to',
			(res) => res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
			/got HTTP 302 to http:\/\/127/,
		],
		['is no page', (res) => res.writeHead(200).end('<html>'), /expected JSON, got "<html>"/],
		['has no end', (res) => void res.writeHead(200).write(Buffer.alloc(9 * 1024 * 1024, 32)), /expected at most 8388608 bytes/],
		['hangs up', (res) => void res.destroy(), /api\/v2\/incidents\.json: /],
	])('that %s is left alone for longer each time, and what was known stays', async (_, refuse, problem) => {
		answer = (_req, res) => json(res, { incidents: [incident('a', 'investigating')] });
		await watch();
		answer = (_req, res) => refuse(res);
		now += minute;
		expect(await watch()).toMatchObject([{ what: 'failed', problem: expect.stringMatching(problem) }]);
		now += minute;
		expect(await watch()).toEqual([]);
		now += minute;
		expect(await watch()).toMatchObject([{ what: 'failed' }]);
		now += 3 * minute;
		expect(await watch()).toEqual([]);
		expect(await stored()).toHaveLength(1);
		expect(await listOfficialPages(database.db)).toMatchObject([{ provider: 'acme', failureCount: 2, lastError: expect.stringMatching(problem) }]);
	});
});

test('a simulated provider’s page lags behind its story, and tells it', async () => {
	const storyStartedAt = sampleNow;
	const simulator = await startSimulator({ fleet: demoFleet, statusPage: (provider) => demoStatusPage(provider, storyStartedAt, now) });
	try {
		const read = (provider: string) =>
			watchOfficialPages({
				db: database.db,
				log: silentLog,
				now: () => now,
				targets: () => [
					sampleTarget(`${provider}:x/y-model:chat`, { officialPage: { url: `${simulator.url}/${provider}/status`, kind: 'statuspage', only: null } }),
				],
			});
		now = storyStartedAt + 2 * minute;
		expect(await read('meridian')).toMatchObject([{ what: 'unchanged', incidents: 0 }]);
		now = storyStartedAt + 3 * minute;
		expect(await read('meridian')).toMatchObject([{ what: 'read', incidents: 1 }]);
		expect(await stored()).toMatchObject([{ provider: 'meridian', status: 'investigating', firstUpdateAt: storyStartedAt + 125_000 }]);
		now = storyStartedAt + 10 * minute;
		await read('meridian');
		expect(await stored()).toMatchObject([{ status: 'resolved' }]);
		expect(await read('oxbow')).toMatchObject([{ what: 'failed' }]);
	} finally {
		await simulator.close();
	}
});
