/** What on-call hears over every kind of channel, from real processes: a channel that is away for the whole outage, a sender that is killed. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { type Service, startService, stopServices, until } from './service.ts';

const providers = ['alder', 'birch', 'cedar', 'dogwood'];
const models = ['maker/one', 'maker/two'];
const quick = { median: 20, sigma: 0 };
const secrets = {
	...{ FLEET_KEY: 'test-key', SIGNING: Buffer.from('n'.repeat(24)).toString('base64'), TOKEN: '1:test', ROUTING: 'R'.repeat(32), TOPIC: 'topic' },
};

describe('on-call', () => {
	let simulator: Simulator;
	let collector: Collector;
	let mail: SMTPServer;
	let service: Service;
	const mails: { subject: string; at: number }[] = [];

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
		const { port } = (mail as unknown as { server: Server }).server.address() as AddressInfo;
		simulator = await startSimulator({
			fleet: {
				providers: providers.map((id) => ({
					...{ id, name: id, dialect: 'openai-chat' },
					models: models.map((model) => ({
						...{ model, upstreamModel: model, operation: 'chat' as const, ttftMs: quick, tokensPerSecond: { median: 900, sigma: 0 }, price: null },
					})),
				})),
			},
		});
		const file = providers.map((id) => ({
			...{ id, dialect: 'openai-chat', baseUrl: simulator.baseUrl(id), apiKeyEnv: 'FLEET_KEY', models: models.map((model) => ({ model })) },
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
			mail: { type: 'email', host: '127.0.0.1', port, security: 'none', from: 'linnet@example.org', to: ['on-call@example.org'] },
		};
		service = await startService({
			config: `interval: 1s
timeouts: { connect: 1s, firstToken: 2s, stall: 2s, total: 4s }
budget: { usdPerDay: 1000 }
verdict: { blip: 3s }
providers: ${JSON.stringify(file)}
alerts: { channels: ${JSON.stringify(channels)}, routes: [{ match: { cause: provider }, channels: [${Object.keys(channels)}] }] }
`,
			env: { ...secrets, SLACK: `${url}/slack`, DISCORD: `${url}/discord`, TEAMS: `${url}/teams` },
		});
	});
	afterAll(async () => {
		await stopServices();
		await simulator.close();
		await collector.close();
		await new Promise<void>((resolve) => mail.close(() => resolve()));
	});

	const states = async () =>
		Object.values(((await (await fetch(`${service.url}/v1/verdicts`)).json()) as { targets: Record<string, { state: string }> }).targets).map(
			({ state }) => state,
		);
	const onPath = (start: string) => collector.seen.filter(({ path }) => path.startsWith(start));
	/** `trigger` or `resolve` of each message that was taken, by how the service itself tells them apart. */
	const kinds: Record<string, () => string[]> = {
		hook: () => onPath('/hook').map(({ body }) => ((JSON.parse(body) as { type: string }).type.endsWith('resolved') ? 'resolve' : 'trigger')),
		discord: () => onPath('/discord').map(({ body }) => kindOf(body)),
		teams: () => onPath('/teams').map(({ body }) => kindOf(body)),
		telegram: () => onPath('/bot').map(({ body }) => kindOf(body)),
		pagerduty: () => onPath('/pagerduty').map(({ body }) => (JSON.parse(body) as { event_action: string }).event_action),
		ntfy: () => onPath('/ntfy').map(({ body }) => kindOf(body)),
		mail: () => mails.map(({ subject }) => kindOf(subject)),
	};
	const kindOf = (text: string) => (/resolved/i.test(text) ? 'resolve' : 'trigger');

	it('an outage is told on every channel, once, and what a channel can not take waits for it', async () => {
		await until('all operational', async () => (await states()).every((state) => state === 'operational'));
		collector.usually('/slack', { status: 503 });
		simulator.setFault('birch', null, { mode: 'http_error', error: 'unavailable' });
		await until('every channel', async () => Object.values(kinds).every((read) => read().length > 0) && onPath('/api/v2/alerts').length > 0);
		await until('slack was tried', async () => onPath('/slack').length > 0);
		const told = Object.fromEntries(Object.entries(kinds).map(([name, read]) => [name, read()]));
		expect(told).toEqual(Object.fromEntries(Object.keys(kinds).map((name) => [name, ['trigger']])));
	});

	it('the sender is killed with -9; at the end every channel hears the end, once, also the one that was away', async () => {
		const [pid] = service.childPids('--jobs judge');
		process.kill(pid ?? Number.NaN, 'SIGKILL');
		await until('started again', async () => service.childPids('--jobs judge').some((other) => other !== pid));
		collector.usually('/slack', { status: 200, body: 'ok' });
		simulator.setFault('birch', null, undefined);
		await until('all operational', async () => (await states()).every((state) => state === 'operational'));
		await until('every channel', async () => Object.values(kinds).every((read) => read().includes('resolve')));
		// A message under way when its sender died may come twice, with the same id: on the webhook, which has one.
		const ids = [...new Map(onPath('/hook').map(({ headers, body }) => [headers['webhook-id'], (JSON.parse(body) as { type: string }).type])).values()];
		expect(ids).toEqual(['incident.opened', 'incident.resolved']);
		for (const [name, read] of Object.entries(kinds)) expect(`${name} ${[...new Set(read())].join(' ')}`).toBe(`${name} trigger resolve`);
		// What Slack missed while it was away: the outage and its end, or its end with the outage in its words; never an end without a start.
		await until('slack', async () => onPath('/slack').some(({ body }) => /resolved/i.test(body)));
		// Alertmanager is told what fires again and again, and its end by endsAt.
		const ends = onPath('/api/v2/alerts').map(({ body }) => (JSON.parse(body) as { endsAt?: string }[]).map(({ endsAt }) => endsAt ?? ''));
		await until('an end in the past', async () => ends.flat().some((end) => end !== '' && Date.parse(end) <= Date.now()));
	});
});
