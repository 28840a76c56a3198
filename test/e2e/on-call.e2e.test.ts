/**
 * What on-call hears, from real processes, over every kind of channel: a story of outages, a silence, maintenance, a channel that is away, a slow
 * one, a killed sender, an override, a file that is refused; and which messages come between which of its points, on which channel, and no other.
 */
import { writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { type Service, startService, stopServices, until } from './service.ts';

const providers = ['alder', 'birch', 'cedar', 'dogwood', 'elm', 'fir', 'gorse'];
/** Of its own: a model that fails at two providers could be the model's trouble. */
const modelsOf = (provider: string) => [`${provider}/one`, `${provider}/two`];
const adminToken = 'a-token-of-the-test';
const secrets = {
	...{ FLEET_KEY: 'test-key', SIGNING: Buffer.from('n'.repeat(24)).toString('base64'), TOKEN: '1:test', ROUTING: 'R'.repeat(32), TOPIC: 'topic' },
};
const channelNames = ['hook', 'slack', 'discord', 'teams', 'telegram', 'pagerduty', 'ntfy', 'alertmanager', 'mail'] as const;
type Name = (typeof channelNames)[number] | 'ops';
type Told = Partial<Record<Name, readonly string[]>>;

const everywhere = (...what: string[]): Told => Object.fromEntries(channelNames.map((name) => [name, what]));
/** What comes on each channel after this point and before the next. */
const story = {
	'all is well; cedar is silenced, work on dogwood announced, a channel tried': { hook: ['test'] },
	'birch fails, and Slack is away': { ...everywhere('opened birch'), slack: [] },
	'the sender is killed, and Slack comes back': { slack: ['opened birch'] },
	'birch is well again': everywhere('resolved birch'),
	'cedar fails, silenced': {},
	'the silence ends while Discord is slow': everywhere('opened cedar'),
	'cedar was a false alarm, says the operator': everywhere('resolved cedar'),
	'cedar is well again, and dogwood fails while it is worked on': {},
	'the work is called off': everywhere('opened dogwood'),
	'all are well again': everywhere('resolved dogwood'),
	'the mail server refuses': { ops: ['opened The channel mail fails'] },
	'a faulty file': { ops: ['opened The configuration was rejected'] },
	'both are mended': { ops: ['resolved The channel mail fails', 'resolved The configuration was rejected'] },
} as const satisfies Record<string, Told>;
type Point = keyof typeof story;
const points = Object.keys(story) as Point[];

let simulator: Simulator;
let collector: Collector;
let mail: SMTPServer;
let mailPort: number;
let service: Service;
let mailRefuses = false;
const mails: { subject: string; at: number }[] = [];
const beganAt = new Map<Point, number>();

beforeAll(async () => {
	collector = await startCollector();
	collector.usually('/slack', { status: 200, body: 'ok' });
	collector.usually('/bot', { status: 200, body: '{"ok":true,"result":{}}' });
	collector.usually('/pagerduty', { status: 202, body: '{"status":"success"}' });
	collector.usually('/ntfy', { status: 200, body: '{"id":"x"}' });
	collector.usually('/api/v2/alerts', { status: 200 });
	mail = new SMTPServer({
		authOptional: true,
		disabledCommands: ['STARTTLS'],
		onConnect: (_session, callback) => callback(mailRefuses ? Object.assign(new Error('no'), { responseCode: 554 }) : null),
		onData(stream, _session, callback) {
			let raw = '';
			stream.on('data', (chunk: Buffer) => (raw += chunk.toString('utf8')));
			stream.on('end', () => {
				mails.push({ subject: /^Subject: (.*)$/im.exec(raw)?.[1] ?? '', at: Date.now() });
				callback();
			});
		},
	});
	await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve));
	mailPort = ((mail as unknown as { server: Server }).server.address() as AddressInfo).port;
	simulator = await startSimulator({
		fleet: {
			providers: providers.map((id) => ({
				...{ id, name: id, dialect: 'openai-chat' },
				models: modelsOf(id).map((model) => ({
					...{ model, upstreamModel: model, operation: 'chat' as const, ttftMs: { median: 20, sigma: 0 }, price: null },
					tokensPerSecond: { median: 900, sigma: 0 },
				})),
			})),
		},
	});
	const { url } = collector;
	const env = { ...secrets, SLACK: `${url}/slack`, DISCORD: `${url}/discord`, TEAMS: `${url}/teams`, LINNET_ADMIN_TOKEN: adminToken };
	service = await startService({ config: configText('One'), env });
});
afterAll(async () => {
	await stopServices();
	await simulator.close();
	await collector.close();
	await new Promise<void>((resolve) => mail.close(() => resolve()));
});

function configText(title: string): string {
	const file = providers.map((id) => ({
		...{ id, dialect: 'openai-chat', baseUrl: simulator.baseUrl(id), apiKeyEnv: 'FLEET_KEY', models: modelsOf(id).map((model) => ({ model })) },
	}));
	const { url } = collector;
	const channels = {
		hook: { type: 'webhook', url: `${url}/hook`, secretEnv: 'SIGNING' },
		slack: { type: 'slack', urlEnv: 'SLACK' },
		discord: { type: 'discord', urlEnv: 'DISCORD' },
		teams: { type: 'teams', urlEnv: 'TEAMS' },
		telegram: { type: 'telegram', tokenEnv: 'TOKEN', chatId: -1, apiUrl: url },
		pagerduty: { type: 'pagerduty', routingKeyEnv: 'ROUTING', url: `${url}/pagerduty` },
		ntfy: { type: 'ntfy', topicEnv: 'TOPIC', url: `${url}/ntfy` },
		alertmanager: { type: 'alertmanager', urls: [url] },
		mail: { type: 'email', host: '127.0.0.1', port: mailPort, security: 'none', from: 'linnet@example.org', to: ['on-call@example.org'] },
		ops: { type: 'webhook', url: `${url}/ops`, secretEnv: 'SIGNING' },
	};
	const routes = [
		{ match: { class: 'provider' }, channels: channelNames },
		{ match: { class: 'operator' }, channels: ['ops'], groupBy: 'incident' },
	];
	return `interval: 1s
timeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }
budget: { usdPerDay: 1000 }
verdict: { blip: 3s }
status: { title: ${title} }
providers: ${JSON.stringify(file)}
alerts: { groupWait: 1s, channels: ${JSON.stringify(channels)}, routes: ${JSON.stringify(routes)} }
`;
}

interface Message {
	readonly at: number;
	readonly what: string;
}

/** Each message that a channel took, told apart as its own service does. */
function messagesOf(name: Name): Message[] {
	const taken = (start: string) => collector.seen.filter(({ path, status }) => path.startsWith(start) && status < 300);
	const say = (text: string) =>
		`${/resolved/i.test(text) ? 'resolved' : 'opened'} ${providers.find((id) => text.includes(`${id}: outage`)) ?? text.slice(0, 200)}`;
	if (name === 'mail') return mails.map(({ subject, at }) => ({ at, what: say(subject) }));
	if (name === 'hook' || name === 'ops') {
		return taken(`/${name}`).map(({ at, body }) => {
			const { type, data } = JSON.parse(body) as { type: string; data: { incident: { title: string } } };
			const kind = type.split('.').at(-1) ?? '';
			return { at, what: kind === 'test' ? kind : `${kind} ${data.incident.title.replace(/: outage$/, '')}` };
		});
	}
	if (name === 'pagerduty') {
		const titleOf = new Map<string, string>();
		return taken('/pagerduty').map(({ at, body }) => {
			const { event_action: action, dedup_key: key } = JSON.parse(body) as { event_action: string; dedup_key: string };
			if (action === 'trigger') titleOf.set(key, say(body).split(' ').slice(1).join(' '));
			return { at, what: `${action === 'trigger' ? 'opened' : 'resolved'} ${titleOf.get(key)}` };
		});
	}
	if (name === 'alertmanager') {
		// It is told again and again: what it says anew is a message.
		const firing = new Map<string, boolean>();
		return taken('/api/v2/alerts').flatMap(({ at, body }) =>
			(JSON.parse(body) as { labels: { incident: string; provider: string }; endsAt: string }[]).flatMap(({ labels, endsAt }) => {
				const fires = Date.parse(endsAt) > at;
				if (firing.get(labels.incident) === fires) return [];
				firing.set(labels.incident, fires);
				return [{ at, what: `${fires ? 'opened' : 'resolved'} ${labels.provider}` }];
			}),
		);
	}
	return taken(name === 'telegram' ? '/bot' : `/${name}`).map(({ at, body }) => ({ at, what: say(body) }));
}

/** Of a machine that is too busy to measure: the operator hears it, rightly, and it is no part of the story. */
const stalled = 'vantage local: our own network';

/** What came on each channel between a point and the one after it. */
function toldAfter(point: Point): Told {
	const from = beganAt.get(point) ?? Number.POSITIVE_INFINITY;
	const next = points[points.indexOf(point) + 1];
	const to = (next === undefined ? undefined : beganAt.get(next)) ?? Number.POSITIVE_INFINITY;
	const all = ([...channelNames, 'ops'] as const).map((name): [Name, string[]] => [
		name,
		messagesOf(name)
			.filter(({ at, what }) => at >= from && at < to && !what.endsWith(stalled))
			.map(({ what }) => what)
			.sort(),
	]);
	return Object.fromEntries(all.filter(([, what]) => what.length > 0));
}

const expectedAfter = (point: Point): Told =>
	Object.fromEntries(Object.entries<readonly string[]>(story[point]).flatMap(([name, what]) => (what.length === 0 ? [] : [[name, [...what].sort()]])));

/** From the point on, until all that is expected has come; that nothing else does shows at the end of the story. */
async function after(point: Point, act: () => Promise<void>): Promise<void> {
	beganAt.set(point, Date.now());
	await act();
	const expected = Object.entries(expectedAfter(point)) as [Name, string[]][];
	await until(`${point}: ${JSON.stringify(story[point])}`, async () => {
		const told = toldAfter(point);
		return expected.every(([name, what]) => what.every((one) => told[name]?.includes(one)));
	}).catch((error) => {
		throw new Error(`came: ${JSON.stringify(toldAfter(point))}`, { cause: error });
	});
}

async function getJson<T>(path: string): Promise<T> {
	return (await (await fetch(`${service.url}${path}`, { headers: { authorization: `Bearer ${adminToken}` } })).json()) as T;
}
interface Board {
	readonly alerts: readonly { title: string; channel: string; hold: { kind: string } | null }[];
	readonly deliveries: readonly { state: string; channel: string }[];
}
/** Admin routes take a hundred-odd requests a minute: asked once a second. */
const board = async () => {
	await pause(1_000);
	return getJson<Board>('/v1/admin/alerts');
};
const verdicts = async () => (await getJson<{ targets: Record<string, { state: string }> }>('/v1/verdicts')).targets;
const statesOf = async (provider: string) => modelsOf(provider).map((model) => verdicts().then((all) => all[`${provider}:${model}:chat`]?.state));
const isState = async (provider: string, state: string) => (await Promise.all(await statesOf(provider))).every((one) => one === state);
const idOf = async (title: string) =>
	(await getJson<{ incidents: { id: string; title: string }[] }>('/v1/incidents')).incidents.find((one) => one.title.startsWith(title))?.id ?? '';
const done = async (...words: string[]) => {
	const { code, output } = await service.run(...words);
	expect(`${words.join(' ')}: ${code} ${code === 0 ? '' : output}`).toBe(`${words.join(' ')}: 0 `);
	return output;
};
const fail = (provider: string) => simulator.setFault(provider, null, { mode: 'http_error', error: 'unavailable' });
const mend = (provider: string) => simulator.setFault(provider, null, undefined);
let silence = '';
let work = '';

it('all is well; cedar is silenced, work on dogwood announced, a channel tried', () =>
	after('all is well; cedar is silenced, work on dogwood announced, a channel tried', async () => {
		await until('all operational', async () => Object.values(await verdicts()).every(({ state }) => state === 'operational'));
		const [silenced, announced] = await Promise.all([
			done('silence', 'add', '--provider', 'cedar', '--for', '1h', '--comment', 'known'),
			done('maintenance', 'add', '--title', 'Work', '--provider', 'dogwood', '--from', new Date().toISOString(), '--for', '1h'),
		]);
		const [checked] = await Promise.all([done('check', '--incident', 'provider=birch,impact=critical'), done('alerts', 'test', 'hook')]);
		silence = (JSON.parse(silenced) as { id: string }).id;
		work = (JSON.parse(announced) as { id: string }).id;
		for (const name of channelNames) expect(checked).toContain(`\n  ${name}: `);
		expect(checked).not.toContain('\n  ops: ');
		expect(checked).toContain('The mail server of mail takes messages.');
	}));

it('an outage is told on every channel; what one of them can’t take waits for it', () =>
	after('birch fails, and Slack is away', async () => {
		collector.usually('/slack', { status: 503 });
		fail('birch');
		await until('Slack was tried', async () => collector.seen.some(({ path, status }) => path === '/slack' && status === 503));
	}));

it('the sender is killed with -9: the channel that was away hears of it, the others nothing twice', () =>
	after('the sender is killed, and Slack comes back', async () => {
		collector.usually('/slack', { status: 200, body: 'ok' });
		await until('all recorded', async () => (await board()).deliveries.every(({ state, channel }) => state === 'delivered' || channel === 'slack'));
		const [pid] = service.childPids('--jobs judge');
		process.kill(pid ?? Number.NaN, 'SIGKILL');
	}));

it('the end is told on every channel, once, also on the one that was away', () => after('birch is well again', async () => mend('birch')));

it('what is silenced is told to nobody', () =>
	after('cedar fails, silenced', async () => {
		fail('cedar');
		await until('held by the silence', async () => {
			const held = (await board()).alerts.filter(({ title }) => title.startsWith('cedar'));
			return held.length === channelNames.length && held.every(({ hold }) => hold?.kind === 'silence');
		});
	}));

it('what still fails at the end of a silence is told then, and a slow channel delays no other', async () => {
	const point = 'the silence ends while Discord is slow';
	await after(point, async () => {
		collector.usually('/discord', { status: 204, delayMs: 3_000 });
		await done('silence', 'end', silence);
	});
	const slow = collector.seen.find(({ path, at }) => path.startsWith('/discord') && at >= (beganAt.get(point) ?? 0));
	const answeredAt = await until('an answer', async () => slow?.answeredAt);
	for (const name of channelNames) expect(messagesOf(name).find(({ what }) => what === 'opened cedar')?.at).toBeLessThan(answeredAt);
	collector.usually('/discord', { status: 204 });
});

it('what the operator says is told, and what follows of it is not', () =>
	after('cedar was a false alarm, says the operator', async () => {
		const id = await idOf('cedar');
		await done('incident', 'note', id, 'We are looking.');
		await done('incident', 'override', id, '--false-alarm', '--why', 'A test of ours.');
		await until('the note', async () => {
			const { incident } = await getJson<{ incident: { updates: { body: string }[] } }>(`/v1/incidents/${id}`);
			return incident.updates.some(({ body }) => body.includes('We are looking.'));
		});
	}));

it('what fails while it is worked on is told to nobody', () =>
	after('cedar is well again, and dogwood fails while it is worked on', async () => {
		mend('cedar');
		await until('cedar is well', () => isState('cedar', 'operational'));
		fail('dogwood');
		await until('dogwood fails', async () => {
			const { results } = await getJson<{ results: { outcome: string }[] }>(`/v1/targets/${encodeURIComponent('dogwood:dogwood/one:chat')}/results?limit=8`);
			return results.length === 8 && results.every(({ outcome }) => outcome !== 'ok');
		});
		expect(await isState('dogwood', 'under_maintenance')).toBe(true);
	}));

it('what still fails when the work is called off is told then', () =>
	after('the work is called off', async () => void (await done('maintenance', 'cancel', work))));

it('the end of everything', () => after('all are well again', async () => mend('dogwood')));

it('a mail server that refuses and a file that is refused are said to the operator, alone, and their end too', async () => {
	await after('the mail server refuses', async () => {
		mailRefuses = true;
		await writeFile(service.configPath, configText('Two'));
	});
	const { code, output } = await service.run('check');
	expect(output).toContain('The mail server of mail refuses: SMTP: answered 554');
	expect(code).toBe(1);
	await after('a faulty file', () => writeFile(service.configPath, `${configText('Two')}intervall: 1s\n`));
	await after('both are mended', async () => {
		mailRefuses = false;
		await writeFile(service.configPath, configText('Three'));
	});
});

it('between its points exactly these messages came on these channels', () => {
	expect(Object.fromEntries(points.map((point) => [point, toldAfter(point)]))).toEqual(
		Object.fromEntries(points.map((point) => [point, expectedAfter(point)])),
	);
	const ids = ['/hook', '/ops'].flatMap((start) => collector.seen.filter(({ path }) => path === start).map(({ headers }) => headers['webhook-id']));
	expect(new Set(ids).size).toBe(ids.length);
});
