/**
 * A real judge is killed with -9 at each point of an alert's road, from the commit of its transition to the record of its delivery. The test stops
 * it there with what the judge waits for anyway, a lock or an answer. A message may come twice with its id; none is lost, doubled under two ids or out of order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlertRoute, defaultPolicy, type Transition } from '#core/alert.ts';
import { countDeliveries } from '#db/outbox.ts';
import { insertResults } from '#db/probe-results.ts';
import { advisoryLocks, transaction } from '#db/sql.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { eventOfModel } from '#test/sample-alert.ts';
import { sampleResult } from '#test/sample-results.ts';
import { owe } from '#workers/announce.ts';
import { until } from './service.ts';

const turnstile = 99;
/** Lets nobody through while the test holds it: a wait at one statement, in the database alone. */
const turnstileAt = (event: string, when = '') => `
	create or replace function test_turnstile() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(${turnstile}); return new; end $$;
	create or replace trigger kill_point before ${event} for each row ${when} execute function test_turnstile();
	select pg_advisory_lock(${turnstile})`;

interface Point {
	/** Makes whoever comes there wait. Runs in a session that is closed to let them go on. */
	readonly stop: string;
	/** How the statement that waits there begins (Postgres tells 1 kB of it); null: no statement does. */
	readonly waits: RegExp | null;
}

const planned: Record<string, Point> = {
	'committed, not planned': { stop: `select pg_advisory_lock_shared(${advisoryLocks.alerts})`, waits: null },
	'planned, not committed': { stop: turnstileAt('insert on linnet.outbox'), waits: /insert into outbox/ },
	'planned, not claimed': {
		stop: turnstileAt('update on linnet.outbox', 'when (new.attempt_count > old.attempt_count)'),
		waits: /with busy as/,
	},
	'claimed, not connected': { stop: 'begin; lock table linnet.channel_states in access exclusive mode', waits: /from channel_states/ },
	'received, not answered': { stop: 'select 1', waits: null },
	'answered, not recorded': { stop: turnstileAt('update on linnet.outbox', "when (new.state = 'delivered')"), waits: /set state = 'delivered'/ },
};

describe('kill -9 between the commit of a transition and the record of its delivery', () => {
	let house: TestDatabase;
	let collector: Collector;
	let dir: string;
	let judge: ChildProcess | undefined;
	const routes: AlertRoute[] = [{ match: {}, channels: ['hook'], policy: defaultPolicy }];

	function start(): void {
		const env = {
			...{ PATH: process.env.PATH, DATABASE_URL: house.url, LINNET_CONFIG: join(dir, 'linnet.yaml'), LINNET_DATA: dir },
			SIGNING: Buffer.from('n'.repeat(24)).toString('base64'),
		};
		judge = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'bin', 'linnet.mjs'), 'worker', '--jobs', 'judge'], { stdio: 'ignore', env });
	}
	async function kill(): Promise<void> {
		if (judge === undefined) return;
		const exited = new Promise((resolve) => judge?.once('exit', resolve));
		judge.kill('SIGKILL');
		await exited;
		judge = undefined;
	}
	/** Everybody who comes to the point waits, until the function that it returns is called. */
	async function close(sql: string): Promise<() => Promise<void>> {
		const session = new pg.Client({ connectionString: house.url });
		await session.connect();
		await session.query(sql);
		return async () => {
			// What a dead process still had under way ends with its connection.
			await session.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
			await session.end();
			await house.db.execute('drop trigger if exists kill_point on outbox; drop trigger if exists kill_point on alert_notices');
		};
	}
	const waiting = async (statement: RegExp) => {
		const { rows } = await house.db.pool.query<{ query: string }>(
			"select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
		);
		return rows.some(({ query }) => statement.test(query));
	};
	type Move = readonly [model: string, transition: Transition, number: number];
	/** In one transaction, as one step of the detector would. */
	const move = (...moves: Move[]) =>
		transaction(house.db, async (tx) => {
			for (const [model, transition, number] of moves) {
				const event = eventOfModel(model, {}, transition);
				await owe(tx, { subjectId: `inc-${model}`, transition, number, at: Date.now(), event }, { routes: () => routes });
			}
		});
	interface Told {
		readonly type: string;
		readonly data: { readonly incidents: readonly { readonly id: string; readonly title: string; readonly news: string }[] };
	}
	/** What the channel was told of an incident, repeats with the same id left out. */
	const told = (belongs: (incident: Told['data']['incidents'][number]) => boolean) => {
		const messages = new Map(collector.seen.map(({ headers, body }) => [String(headers['webhook-id']), JSON.parse(body) as Told]));
		return [...messages.values()].flatMap(({ type, data }) => (data.incidents.some(belongs) ? [type] : []));
	};
	const ofModel = (model: string) => told(({ id }) => id === `inc-${model}`);
	const ofAlder = () => told(({ title }) => /alder/i.test(title));
	/** Every two seconds of the last twenty: `alder` as said, the others well. */
	const record = (bad: boolean) => {
		const now = Date.now();
		const results = ['alder', 'birch', 'cedar'].flatMap((provider) =>
			Array.from({ length: 10 }, (_, i) => {
				const slotAt = now - 1_000 - i * 2_000;
				const broken = bad && provider === 'alder' ? { outcome: 'server_error' as const, sli: 'bad' as const, httpStatus: 503 } : {};
				return sampleResult({ provider, model: 'm', slotAt, startedAt: slotAt, ...broken });
			}),
		);
		return insertResults(house.db, results, { now, retentionDays: 14 });
	};

	beforeAll(async () => {
		house = await createTestDatabase();
		collector = await startCollector();
		dir = await mkdtemp(join(tmpdir(), 'linnet-kill-'));
		const providers = ['alder', 'birch', 'cedar'].map((id) => ({
			...{ id, dialect: 'openai-chat', baseUrl: 'http://127.0.0.1:9/v1', apiKeyEnv: null, models: [{ model: 'm' }] },
		}));
		await writeFile(
			join(dir, 'linnet.yaml'),
			`interval: 2s
timeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }
verdict: { blip: 3s }
providers: ${JSON.stringify(providers)}
alerts:
  channels: { hook: { type: webhook, url: "${collector.url}/hook", secretEnv: SIGNING } }
  routes: [{ match: { class: provider }, channels: [hook], groupBy: incident, groupWait: 0s, groupInterval: 0s }]
`,
		);
		start();
	});
	afterAll(async () => {
		await kill();
		await collector.close();
		await house.drop();
		await rm(dir, { recursive: true, force: true });
	});

	it('before the commit nothing is told and nothing is lost; after it the next judge tells it', async () => {
		await until('the judge', async () => (await house.db.pool.query("select from linnet.leases where name = 'evaluator'")).rowCount === 1);
		const open = await close(turnstileAt('insert on linnet.alert_notices'));
		await record(false);
		await record(true);
		await until('in its transaction', () => waiting(/insert into alert_notices/));
		await kill();
		await open();
		expect((await house.db.pool.query('select from linnet.incidents')).rowCount).toBe(0);
		const plan = await close(planned['committed, not planned']?.stop ?? '');
		start();
		await until('committed', async () => (await house.db.pool.query('select from linnet.alert_notices')).rowCount === 1);
		await kill();
		await plan();
		expect(ofAlder()).toEqual([]);
		start();
		await until('told', async () => ofAlder().length > 0);
	});

	it.each(Object.entries(planned))('%s: at each a trigger and a resolve are under way', async (name, { stop, waits }) => {
		const [ending, beginning] = [`${name} ending`, `${name} beginning`];
		await move([ending, 'opened', 1]);
		await until('told', async () => ofModel(ending).length === 1);
		const seenBefore = collector.seen.length;
		const open = await close(stop);
		const answer = name === 'received, not answered' ? collector.hold() : () => {};
		await move([beginning, 'opened', 1], [ending, 'resolved', 2]);
		if (waits !== null) await until(name, () => waiting(waits));
		else if (name === 'received, not answered') await until(name, async () => collector.seen.length === seenBefore + 2);
		await kill();
		const sent = collector.seen.length - seenBefore;
		answer();
		await open();
		// The dead one's lease of half a minute runs out.
		await house.db.execute("update outbox set lease_until = now() - interval '1 s' where state = 'pending' and lease_until is not null");
		start();
		await until('told', async () => ofModel(beginning).length === 1 && ofModel(ending).length === 2);
		await until('recorded', async () => (await countDeliveries(house.db)).every(({ state }) => state === 'delivered'));
		expect([ofModel(beginning), ofModel(ending)]).toEqual([['incident.opened'], ['incident.opened', 'incident.resolved']]);
		const repeats = collector.seen.length - seenBefore - 2;
		expect({ sent, repeats }).toEqual(
			name === 'received, not answered'
				? { sent: 2, repeats: 2 }
				: name === 'answered, not recorded'
					? { sent: expect.any(Number), repeats: sent }
					: { sent: 0, repeats: 0 },
		);
		await move([beginning, 'resolved', 2]);
		await until('closed', async () => ofModel(beginning).length === 2);
		expect(ofModel(beginning)).toEqual(['incident.opened', 'incident.resolved']);
	});

	it('the outage that began before all these deaths ends, once', async () => {
		await until('resolved', async () => {
			await record(false);
			return ofAlder().length > 1;
		});
		expect(ofAlder()).toEqual(['incident.opened', 'incident.resolved']);
		expect((await house.db.pool.query("select from linnet.alert_notices where ended_at is null and event->>'class' = 'provider'")).rowCount).toBe(0);
	});
});
