/** Shapes that others defined, read by their own clients: OpenRouter's SDK in an old and a new version, Statuspage's client, strict readers of XML. */
import { OpenRouter } from '@openrouter/sdk';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { OpenRouter as OlderOpenRouter } from 'openrouter-sdk-0';
import { Statuspage } from 'statuspage.io';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
let server: SampleServer;
beforeAll(async () => {
	server = await serveSample();
	await server.publish(snapshot);
});
afterAll(() => server.close());

describe('OpenRouter', () => {
	const clients = { '1.3': OpenRouter, '0.12': OlderOpenRouter } as const;
	const models = [...new Set(snapshot.targets.map(({ model }) => model))].filter((model) => /^[\w-]+\/[\w.-]+$/.test(model));

	test.each(Object.keys(clients) as (keyof typeof clients)[])('SDK %s reads every model’s endpoints, best first, and the providers', async (version) => {
		const client = new clients[version]({ apiKey: 'test-key', serverURL: `${server.url}/api/v1` });
		expect(models.length).toBeGreaterThan(5);
		for (const model of models) {
			const [author = '', slug = ''] = model.split('/');
			const { data } = await client.endpoints.list({ author, slug });
			const own = snapshot.targets.filter((target) => target.model === model);
			expect(data.endpoints.map(({ tag }) => tag).sort()).toEqual(own.map(({ provider }) => provider).sort());
			for (const endpoint of data.endpoints) {
				const target = own.find(({ provider }) => provider === endpoint.tag);
				const { ratio } = target?.availability['1d'] ?? { ratio: null };
				expect(endpoint.uptimeLast1d).toBe(ratio === null ? null : ratio * 100);
				expect(endpoint.latencyLast30m?.p50 ?? null).toBe(target?.ttftMs?.p50 ?? null);
			}
			const states = data.endpoints.map(({ tag }) => own.find(({ provider }) => provider === tag)?.state === 'major_outage');
			expect(states).toEqual([...states].sort());
		}
		const { data: providers } = await client.providers.list();
		expect(providers.map(({ slug }) => slug)).toEqual(snapshot.providers.map(({ id }) => id));
	});
});

const offsetTime = z.iso.datetime({ offset: true });
const page = z.strictObject({ id: z.string(), name: z.string(), url: z.url(), time_zone: z.string(), updated_at: offsetTime });
const status = z.strictObject({ indicator: z.enum(['none', 'minor', 'major', 'critical', 'maintenance']), description: z.string().min(1) });
const component = z.strictObject({
	id: z.string().regex(/^[a-z0-9]{12}$/),
	name: z.string().min(1),
	status: z.enum(['operational', 'degraded_performance', 'partial_outage', 'major_outage', 'under_maintenance']),
	created_at: offsetTime,
	updated_at: offsetTime,
	position: z.int().min(1),
	description: z.string().nullable(),
	showcase: z.boolean(),
	start_date: z.iso.date().nullable(),
	group_id: z.string().nullable(),
	page_id: z.string(),
	group: z.boolean(),
	only_show_if_degraded: z.boolean(),
	components: z.array(z.string()).optional(),
});
const update = z.strictObject({
	id: z.string(),
	status: z.enum(['investigating', 'identified', 'monitoring', 'resolved', 'postmortem']),
	body: z.string(),
	incident_id: z.string(),
	created_at: offsetTime,
	updated_at: offsetTime,
	display_at: offsetTime,
	affected_components: z.null(),
	deliver_notifications: z.boolean(),
	custom_tweet: z.null(),
	tweet_id: z.null(),
});
const incident = z.strictObject({
	id: z.string(),
	name: z.string().min(1),
	status: z.enum(['investigating', 'identified', 'monitoring', 'resolved', 'postmortem']),
	created_at: offsetTime,
	updated_at: offsetTime,
	monitoring_at: offsetTime.nullable(),
	resolved_at: offsetTime.nullable(),
	impact: z.enum(['none', 'minor', 'major', 'critical', 'maintenance']),
	shortlink: z.url(),
	started_at: offsetTime,
	page_id: z.string(),
	incident_updates: z.array(update).min(1),
	components: z.array(component),
	reminder_intervals: z.null(),
});

describe('Statuspage', () => {
	/** Their client has its host built in; its transport is pointed here. */
	function reader(): Statuspage['api'] {
		const client = new Statuspage('linnet');
		(client as unknown as { apiClient: { defaults: { baseURL: string } } }).apiClient.defaults.baseURL = server.url;
		return client.api;
	}

	test('their client reads the whole family, and each document is exactly the documented shape', async () => {
		const api = reader();
		const summary = z
			.strictObject({ page, status, components: z.array(component), incidents: z.array(incident), scheduled_maintenances: z.array(z.never()) })
			.parse(await api.getSummary());
		expect(z.strictObject({ page, status }).parse(await api.getStatus()).status).toEqual(summary.status);
		expect(z.strictObject({ page, components: z.array(component) }).parse(await api.getComponents()).components).toEqual(summary.components);
		const all = z.strictObject({ page, incidents: z.array(incident) }).parse(await api.incidents.getAll());
		expect(z.strictObject({ page, incidents: z.array(incident) }).parse(await api.incidents.getUnresolved()).incidents).toEqual(summary.incidents);
		expect(all.incidents.length).toBeGreaterThan(summary.incidents.length);
		for (const { incident_updates: updates } of all.incidents) {
			const times = updates.map(({ created_at: at }) => at);
			expect(times).toEqual([...times].sort().reverse());
		}
		for (const answer of [await api.scheduledMaintenances.getAll(), await api.scheduledMaintenances.getActive(), await api.scheduledMaintenances.getUpcoming()])
			z.strictObject({ page, scheduled_maintenances: z.array(z.never()) }).parse(answer);
	});

	test('what is unknown is never green, and says so', async () => {
		const { components } = z.looseObject({ components: z.array(component) }).parse(await reader().getSummary());
		const unknown = components.filter(({ description }) => description?.startsWith('Unknown:'));
		expect(unknown.filter(({ group }) => !group)).toHaveLength(snapshot.targets.filter(({ state }) => state === 'unknown').length);
		expect(new Set(unknown.map((one) => one.status))).toEqual(new Set(['under_maintenance']));
		server.clock.now += 3_600_000;
		const stale = z.looseObject({ status, components: z.array(component) }).parse(await reader().getSummary());
		server.clock.now -= 3_600_000;
		expect(stale.status.indicator).not.toBe('none');
		expect(stale.components.filter((one) => one.status === 'operational')).toEqual([]);
	});
});

describe('feeds', () => {
	const parser = new XMLParser({
		ignoreAttributes: false,
		parseTagValue: false,
		htmlEntities: true,
		isArray: (name) => ['item', 'entry', 'link'].includes(name),
	});
	async function readXml(path: string): Promise<unknown> {
		const text = await (await fetch(server.url + path)).text();
		expect(XMLValidator.validate(text, { allowBooleanAttributes: false })).toBe(true);
		return parser.parse(text);
	}
	const declaration = { '?xml': z.strictObject({ '@_version': z.literal('1.0'), '@_encoding': z.literal('UTF-8') }) };
	// RFC 822 with a four-digit year, as RSS 2.0 wants it.
	const pubDate = z.string().regex(/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);

	test('RSS 2.0 has what the specification requires, once each', async () => {
		const item = z.strictObject({
			guid: z.strictObject({ '#text': z.string().startsWith('tag:'), '@_isPermaLink': z.literal('false') }),
			title: z.string().min(1),
			link: z.tuple([z.url()]),
			pubDate,
			description: z.string().min(1),
		});
		const channel = z.strictObject({ title: z.string(), link: z.tuple([z.url()]), description: z.string(), lastBuildDate: pubDate, item: z.array(item) });
		const feed = z.strictObject({ ...declaration, rss: z.strictObject({ '@_version': z.literal('2.0'), channel }) }).parse(await readXml('/history.rss'));
		expect(feed.rss.channel.item.map(({ title }) => title)).toEqual(snapshot.incidents.slice(0, 50).map(({ title }) => `[simulated] ${title}`));
	});

	test('Atom has what RFC 4287 requires, once each', async () => {
		const alternate = z.strictObject({ '@_rel': z.literal('alternate'), '@_type': z.literal('text/html'), '@_href': z.url() });
		const self = z.strictObject({ '@_rel': z.literal('self'), '@_type': z.literal('application/atom+xml'), '@_href': z.url() });
		const entry = z.strictObject({
			id: z.string().startsWith('tag:'),
			title: z.string().min(1),
			link: z.tuple([alternate]),
			published: offsetTime,
			updated: offsetTime,
			content: z.strictObject({ '#text': z.string().min(1), '@_type': z.literal('html') }),
		});
		const shape = z.strictObject({
			'@_xmlns': z.literal('http://www.w3.org/2005/Atom'),
			id: z.string().startsWith('tag:'),
			title: z.string(),
			link: z.tuple([alternate, self]),
			updated: offsetTime,
			author: z.strictObject({ name: z.string() }),
			entry: z.array(entry),
		});
		const { feed } = z.strictObject({ ...declaration, feed: shape }).parse(await readXml('/history.atom'));
		const ids = feed.entry.map(({ id }) => id);
		expect(ids).toEqual([...new Set(ids)]);
		expect(
			feed.updated >=
				(feed.entry
					.map(({ updated }) => updated)
					.sort()
					.at(-1) ?? ''),
		).toBe(true);
	});
});
