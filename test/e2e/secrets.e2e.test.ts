/**
 * Every secret of the service is a marker, and everybody who sees one repeats it, in every place of every answer. After that it may stand in no table, no
 * file of the data directory (Postgres's own files, the log, the spool, the page), no line of output, no answer of the API, no alert and no export.
 */
import { execFile, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultPolicy } from '#core/alert.ts';
import { openIncident } from '#db/incidents.ts';
import { type Db, openDb, transaction } from '#db/sql.ts';
import { dialects } from '#providers/index.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { sampleIncident } from '#test/sample-incident.ts';
import { announce } from '#workers/announce.ts';
import { type Parrot, startParrot, ways } from './parrot.ts';
import { freePort, type Service, startService, stopServices, until } from './service.ts';

// Plain words: no pattern of keys knows it. And what a URL, JSON and HTML escape.
const marker = 'WaryOtter/Hums+Low=Tide';
const token = 'WaryOtterHumsLowTideOverTheBay';
const needles = [
	'waryotter',
	'humslow',
	'hums%2blow',
	...['base64', 'base64url', 'hex'].map((form) =>
		Buffer.from(marker)
			.toString(form as 'hex')
			.replace(/=+$/, ''),
	),
].map((needle) => needle.toLowerCase());
const found = (text: string) => {
	const lower = text.toLowerCase();
	return needles.flatMap((needle) => (lower.includes(needle) ? [lower.slice(Math.max(0, lower.indexOf(needle) - 120), lower.indexOf(needle) + 40)] : []));
};
const models = Object.keys(ways);
const run = promisify(execFile);

describe('a secret that everybody repeats', () => {
	let parrot: Parrot;
	let collector: Collector;
	let mail: SMTPServer;
	let mailAsked = 0;
	let service: Service;
	let db: Db;
	const env: Record<string, string> = { LOG_LEVEL: 'debug' };
	/** What an operator and a router paste into texts that are kept. */
	async function saySecrets(): Promise<void> {
		const at = Date.now();
		const scope = { provider: 'openai-chat', model: null, operation: null, vantage: null };
		const incident = sampleIncident({ id: 'planted', scope, targetIds: ['openai-chat:is-down:chat'], startedAt: at, detectedAt: at });
		await transaction(db, async (tx) => {
			const number = await openIncident(tx, incident);
			const routes = () => [{ match: {}, channels: ['well'], policy: { ...defaultPolicy, groupWaitMs: 0 } }];
			await announce(tx, { incident, transition: 'opened', number, at }, { simulated: false, targets: () => [], publicUrl: () => null, routes });
		});
		const { id } = incident;
		const said = `${marker} and ${encodeURIComponent(marker)} and ${token}`;
		const [from, to] = [new Date(Date.now() - 60_000).toISOString(), new Date().toISOString()];
		const sayings: [string, object][] = [
			[`/v1/admin/incidents/${id}/notes`, { by: token, text: `The note: ${said}` }],
			[`/v1/admin/incidents/${id}/override`, { by: token, why: `The reason: ${said}`, impact: 'minor' }],
			['/v1/admin/silences', { match: { provider: token }, for: '1h', by: token, comment: said }],
			['/v1/admin/maintenances', { by: token, title: said.slice(0, 100), from, for: '1h', provider: 'listed' }],
			['/v1/observations', { id: token, source: token, target: 'openai-chat:answers:chat', from, to, outcomes: { ok: 1 } }],
		];
		const post = async (path: string, body: object) => {
			const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
			const answer = await fetch(service.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
			expect([path, answer.status, await answer.text()]).toEqual([path, 200, expect.anything()]);
		};
		for (const [path, body] of sayings) await post(path, body);
		const told = () => collector.seen.filter(({ body }) => body.includes('planted')).map(({ body }) => (JSON.parse(body) as { type: string }).type);
		await until(
			() => `the override on a channel, which heard ${told()}`,
			async () => collector.seen.some(({ body }) => body.includes('The reason: [redacted]')),
			30_000,
		);
		// From then on it is not told any more.
		await post(`/v1/admin/alerts/${id}/acknowledge`, { by: token, comment: said });
	}
	const linnet = (...args: string[]) =>
		run(process.execPath, [join(import.meta.dirname, '..', '..', 'bin', 'linnet.mjs'), ...args], {
			cwd: service.dir,
			env: { PATH: process.env.PATH, LINNET_DATA: join(service.dir, 'data'), ...env },
		}).catch((error: { stdout: string; stderr: string }) => error);

	beforeAll(async () => {
		parrot = await startParrot(marker);
		collector = await startCollector();
		// A collector of traces that refuses, in our words.
		collector.usually('/v1/traces', { status: 400, body: marker });
		mail = new SMTPServer({
			disabledCommands: ['STARTTLS'],
			onAuth({ username, password }, _, done) {
				mailAsked += 1;
				done(new Error(`${username} with ${password} is unknown here`));
			},
		});
		await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve));
		const { port: mailPort } = mail.server.address() as AddressInfo;
		Object.assign(env, {
			...{
				KEY: marker,
				AWS_PAIR: `WaryOtterId:${marker}`,
				LINNET_ADMIN_TOKEN: token,
				HOOK: `${parrot.url}/hook/${token}`,
				PING: `${parrot.url}/ping/${token}`,
			},
			...{ SIGNING: token.padEnd(32, 'A'), BOT: `12:${token}`, ROUTING: token, MAIL_USER: 'otter', MAIL_PASSWORD: marker },
			...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: `x-team=${token}` },
		});
		const keyOf = (dialect: string) => (dialect === 'bedrock' ? 'AWS_PAIR' : 'KEY');
		const providers = Object.keys(dialects).map((dialect) => ({
			...{ id: dialect, dialect, baseUrl: parrot.baseUrl(dialect), apiKeyEnv: keyOf(dialect), headers: { 'x-team': `Team ${token}` } },
			models: models.map((model) => ({ model })),
			...(dialect === 'bedrock' ? { statusPage: { url: `${parrot.url}/no-page`, kind: 'statuspage' } } : {}),
		}));
		const listed = {
			id: 'listed',
			dialect: 'openai-chat',
			baseUrl: parrot.baseUrl('openai-chat'),
			apiKeyEnv: 'KEY',
			models: 'discover',
			statusPage: { url: `${parrot.url}/status-page`, kind: 'statuspage' },
		};
		service = await startService({
			config: `interval: 4s
timeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }
budget: { usdPerDay: 1000000 }
verdict: { blip: 2s }
providers: ${JSON.stringify([...providers, listed])}
alerts:
  groupInterval: 0s # or an override that comes just after the opening was told waits five minutes
  channels:
    hook: { type: webhook, urlEnv: HOOK, secretEnv: SIGNING }
    well: { type: webhook, url: "${collector.url}", secretEnv: SIGNING }
    bot: { type: telegram, tokenEnv: BOT, chatId: 7, apiUrl: "${parrot.url}/hook" }
    mail: { type: email, host: 127.0.0.1, port: ${mailPort}, security: none, userEnv: MAIL_USER, passwordEnv: MAIL_PASSWORD, from: a@example.org, to: [b@example.org] }
    pager: { type: pagerduty, routingKeyEnv: ROUTING, url: "${parrot.url}/hook" }
  routes: [{ channels: [hook, well, bot, pager, mail], groupWait: 0s }, { match: { class: operator }, channels: [hook, well] }]
deadManSwitch: { urlEnv: PING, every: 10s }
`,
			env,
		});
		db = openDb({ url: `postgres://linnet@${encodeURIComponent(join(service.dir, 'data', 'postgres', 'run'))}:5432/linnet`, max: 2 });
		const wanted = [
			...Object.keys(dialects).flatMap((dialect) => models.map((model) => `${dialect} ${model}`)),
			'listing',
			'hook',
			'ping',
			'status-page',
			'no-page',
		];
		await until(
			() => `everybody asked: ${wanted.filter((what) => !parrot.asked.has(what))}`,
			async () =>
				wanted.every((what) => parrot.asked.has(what)) && mailAsked > 0 && ['/', '/v1/traces'].every((path) => collector.seen.some((one) => one.path === path)),
			30_000,
		);
		const report = { id: 'r1', source: token, target: token, from: new Date().toISOString(), to: token, outcomes: { [token]: 1 } };
		for (const path of [
			`/v1/health?model=${token}`,
			`/v1/${token}`,
			`/check/${token}`,
			`/v1/targets/${token}?key=${token}`,
			`/v1/admin/alerts?token=${token}`,
			'/v1/observations',
		]) {
			for (const authorization of [`Bearer ${token}`, `Bearer ${token}x`, `Basic ${token}`]) {
				const body = path === '/v1/observations' ? { method: 'POST', body: JSON.stringify([report]) } : {};
				const headers = {
					authorization,
					'content-type': 'application/json',
					'user-agent': token,
					referer: token,
					cookie: token,
					'x-forwarded-for': token,
					'last-event-id': token,
				};
				await fetch(service.url + path, { headers, ...body });
			}
		}
		await saySecrets();
		// What was heard is summed, judged, published and rendered.
		const measured = async () =>
			((await (await fetch(`${service.url}/v1/health`)).json()) as { targets: { measuredAt: string | null }[] }).targets.every(
				(one) => one.measuredAt !== null,
			);
		await until('every target in public', measured);
		const official = async () => ((await (await fetch(`${service.url}/v1/official`)).json()) as { incidents: { title: string }[] }).incidents;
		// Told without the secret, and not left out.
		await until('the official page', async () => (await official()).some(({ title }) => title === 'Key [redacted] refused'), 25_000);
		await until('the note in public', async () => (await (await fetch(`${service.url}/v1/incidents`)).text()).includes('The note: [redacted]'));
		await until('metrics of the workers', async () => (await (await fetch(`${service.url}/metrics`)).text()).includes('linnet_slots_total'));
	});
	afterAll(async () => {
		await db?.close();
		await stopServices();
		await parrot.close();
		await collector.close();
		await new Promise<void>((resolve) => mail.close(() => resolve()));
	});

	it('stands in no table', async () => {
		const tables = await db.execute<{ name: string; bytes: string[] | null }>(
			`select format('%I.%I', n.nspname, c.relname) as name, array_agg(quote_ident(a.attname)) filter (where a.atttypid = 'bytea'::regtype) as bytes
			from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			where c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' group by 1`,
		);
		const leaks: string[] = [];
		let rows = 0;
		for (const { name, bytes } of tables) {
			for (const { row } of await db.execute<{ row: string }>(`select t::text as row from ${name} t`)) {
				rows += 1;
				leaks.push(...found(row).map((leak) => `${name}: ${leak}`));
			}
			for (const column of bytes ?? []) {
				for (const { value } of await db.execute<{ value: Buffer | null }>(`select ${column} as value from ${name}`)) {
					if (value === null) continue;
					const plain = value[0] === 0x1f && value[1] === 0x8b ? gunzipSync(value) : value;
					leaks.push(...found(plain.toString('latin1')).map((leak) => `${name}.${column}: ${leak}`));
				}
			}
		}
		expect(rows).toBeGreaterThan(models.length * Object.keys(dialects).length);
		expect([...new Set(leaks)]).toEqual([]);
	});

	it('stands in no answer of the API', async () => {
		const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: Record<string, { get?: unknown }> };
		const { incidents } = (await (await fetch(`${service.url}/v1/incidents`)).json()) as { incidents: { id: string }[] };
		const targets = [...models.map((model) => `openai-chat:${model}:chat`), 'listed:is-down:chat'];
		const urls = Object.entries(paths).flatMap(([path, { get }]) => {
			if (get === undefined || path === '/v1/health/events') return [];
			if (path.includes('incidents/{id}')) return incidents.map(({ id }) => path.replace('{id}', encodeURIComponent(id)));
			if (path.includes('{id}')) return targets.map((id) => path.replace('{id}', encodeURIComponent(id)));
			return [path.replace('{author}', 'org').replace('{slug}', 'is-down')];
		});
		const leaks: string[] = [];
		for (const url of urls) {
			const response = await fetch(service.url + url, { headers: { authorization: `Bearer ${token}` } });
			leaks.push(...found(`${await response.text()} ${JSON.stringify([...response.headers])}`).map((leak) => `${url}: ${leak}`));
		}
		expect(urls.length).toBeGreaterThan(60);
		expect(leaks).toEqual([]);
	});

	it('stands in nothing that the commands print, in no export and in no alert', async () => {
		const printed = await Promise.all([
			linnet('export', 'public', '--results'),
			linnet('discover', 'listed'),
			linnet('cost'),
			...models.map((model) => linnet('probe', `openai-chat:${model}:chat`, '--verbose', '--repeat', '3')),
		]);
		for (const { stdout, stderr } of printed) expect(found(stdout + stderr)).toEqual([]);
		const files = await filesIn(join(service.dir, 'public'));
		expect(files.length).toBeGreaterThan(50);
		for (const path of files) expect(found(path + (await readFile(path, 'latin1')))).toEqual([]);
		// The collector of traces is sent its own token, and the key of nobody.
		for (const { path, body, headers } of collector.seen) expect(found(body + (path === '/v1/traces' ? '' : JSON.stringify(headers)))).toEqual([]);
	}, 120_000);

	it('as a password in the URL of Postgres or Redis stands in no word of a process that can or can’t reach them', async () => {
		const socket = encodeURIComponent(join(service.dir, 'data', 'postgres', 'run'));
		const word = encodeURIComponent(marker);
		const known = `postgres://linnet:${word}@${socket}:5432/linnet`;
		const nobody = `127.0.0.1:${await freePort()}`;
		/** Until it ends, or has told its trouble. */
		const say = async (variables: Record<string, string>, ...args: string[]) => {
			const child = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'bin', 'linnet.mjs'), ...args], {
				cwd: service.dir,
				env: { PATH: process.env.PATH, LINNET_DATA: join(service.dir, 'data', 'apart'), ...env, ...variables },
			});
			let words = '';
			for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (words += chunk));
			const ended = new Promise((resolve) => child.once('close', resolve));
			await until(
				() => `the words of ${args}, after: ${words}`,
				async () => child.exitCode !== null || /queue trouble/.test(words),
			);
			child.kill('SIGKILL');
			await ended;
			return words;
		};
		const said = await Promise.all([
			say({ DATABASE_URL: known }, 'cost'),
			say({ DATABASE_URL: `postgres://linnet:${word}@${nobody}/linnet` }, 'migrate'),
			say({ DATABASE_URL: `mysql://linnet:${word}@${nobody}/linnet` }, 'migrate'),
			say({ DATABASE_URL: known, REDIS_URL: `redis://:${word}@${nobody}` }, 'worker', '--jobs', 'judge'),
			say({ DATABASE_URL: known, REDIS_URL: `redis://:${word}@${new URL(collector.url).host}` }, 'worker', '--jobs', 'judge'),
		]);
		for (const words of said) expect(words).not.toBe('');
		expect(said.flatMap(found)).toEqual([]);
	});

	it('stands in no line of output and, when all is stopped, in no file of the data directory', async () => {
		await db.execute('checkpoint');
		await service.interrupt();
		expect(found(service.output())).toEqual([]);
		const leaks: string[] = [];
		for (const path of await filesIn(join(service.dir, 'data')))
			leaks.push(...found(path + (await readFile(path, 'latin1'))).map((leak) => `${path}: ${leak}`));
		expect(leaks).toEqual([]);
	});
});

async function filesIn(dir: string): Promise<string[]> {
	const entries = await readdir(dir, { recursive: true, withFileTypes: true });
	return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
