import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertMessage } from '#core/alert.ts';
import { eventOfModel, sampleAlert, sampleEvent } from '#test/sample-alert.ts';
import { sampleNow } from '#test/sample-results.ts';
import { SettingsError, type Wire } from './channel.ts';
import { describeChannels } from './describe-channels.ts';
import { type ChannelSettings, type ChannelType, channelOf, channels } from './index.ts';
import { sampleMessage } from './sample-message.ts';

/** Not channels: what they share. */
const shared = ['channel', 'index', 'message', 'cut-text', 'escape-html', 'sample-message', 'describe-channels'];

const secrets: Record<string, string> = {
	URL: 'https://hooks.example.org/test',
	SIGNING: Buffer.from('n'.repeat(24)).toString('base64'),
	TOKEN: '123456:TEST',
	ROUTING: 'R'.repeat(32),
	TOPIC: 'test-topic',
	USER: 'linnet',
	PASSWORD: 'test',
};

const settings: { [T in ChannelType]: ChannelSettings & { type: T } } = {
	webhook: { type: 'webhook', url: 'https://example.org/hook', secretEnv: 'SIGNING' },
	slack: { type: 'slack', urlEnv: 'URL' },
	discord: { type: 'discord', urlEnv: 'URL' },
	teams: { type: 'teams', urlEnv: 'URL' },
	telegram: { type: 'telegram', tokenEnv: 'TOKEN', chatId: -100123, threadId: 7 },
	pagerduty: { type: 'pagerduty', routingKeyEnv: 'ROUTING' },
	email: {
		type: 'email',
		host: 'mail.example.org',
		userEnv: 'USER',
		passwordEnv: 'PASSWORD',
		from: 'Linnet <linnet@example.org>',
		to: ['on-call@example.org'],
	},
	ntfy: { type: 'ntfy', topicEnv: 'TOPIC', tokenEnv: 'TOKEN' },
	alertmanager: { type: 'alertmanager', urls: ['http://am-1:9093', 'http://am-2:9093/'] },
};
const types = Object.keys(channels) as ChannelType[];

const at = new Date(sampleNow + 60_000);
const secret = (name: string) => secrets[name] ?? '';
function wireOf(type: ChannelType, message: AlertMessage, when = at, sequence = 1): Wire {
	const [endpoint = ''] = channelOf(settings[type]).endpoints(settings[type]);
	return channelOf(settings[type]).wire(message, settings[type], { id: `${message.groupId}.${sequence}.oncall`, sequence, at: when, endpoint, secret });
}

const resolved = sampleEvent({}, 'resolved');
const key = sampleEvent({
	class: 'operator',
	incident: {
		id: 'inc-key',
		title: 'groq: our key is refused',
		cause: 'credentials',
		impact: 'none',
		scope: { provider: 'groq', model: null, operation: null, vantage: null },
		reason: '3 of the last 3 results failed: auth_failed ×3 (HTTP 401)',
	},
	advice: 'put a key that the provider takes into its variable, and restart.',
	link: null,
});
const slo = sampleEvent({
	class: 'slo',
	incident: {
		id: 'slo-1',
		title: 'groq: 99.5 % over 30 d',
		reason: 'the budget burns 20.0× as fast as it lasts over 1 h, and 31.2× over 5 min (alerts from 14.4×); 61.0 % of it is left',
	},
	useInstead: [],
});
const minor = { impact: 'minor' as const, title: 'm on groq: slow', reason: 'time to first token 4.1 s, usually 0.4 s' };

const messages = {
	opened: sampleAlert(),
	degraded: sampleAlert({ members: [{ news: 'new', event: sampleEvent({ incident: minor }) }] }),
	updated: sampleAlert({ kind: 'updated', members: [{ news: 'changed', event: sampleEvent({ incident: { impact: 'critical' } }, 'updated') }] }),
	reopened: sampleAlert({ kind: 'reopened', members: [{ news: 'again', event: sampleEvent({}, 'reopened') }] }),
	resolved: sampleAlert({ kind: 'resolved', members: [{ news: 'resolved', event: resolved }] }),
	reminder: sampleAlert({ kind: 'reminder', members: [{ news: 'same', event: sampleEvent() }] }),
	grouped: sampleAlert({
		members: [
			...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((model) => ({ news: 'new' as const, event: eventOfModel(model) })),
			{ news: 'resolved', event: eventOfModel('h', {}, 'resolved') },
		],
	}),
	escalated: sampleAlert({ kind: 'escalated' }),
	operator: sampleAlert({ class: 'operator', groupId: 'inc-key', members: [{ news: 'new', event: key }] }),
	slo: sampleAlert({ class: 'slo', groupId: 'slo-1', members: [{ news: 'new', event: slo }] }),
	test: sampleMessage(sampleNow),
} satisfies Record<string, AlertMessage>;

/** As it is read: JSON in lines, mail as its headers and parts. */
function readable(wire: Wire): string {
	const { kind, ...rest } = wire;
	const body = wire.kind === 'http' ? JSON.parse(wire.body) : undefined;
	return `${JSON.stringify({ kind, ...rest, ...(body === undefined ? {} : { body }) }, null, '\t')}\n`;
}

describe.each(types)('%s', (type) => {
	it.each(Object.entries(messages))('words: %s', async (name, message) => {
		await expect(readable(wireOf(type, message))).toMatchFileSnapshot(join('__fixtures__', type, `${name}.json`));
	});

	it('says the same at every attempt, but for what the attempt itself dates', () => {
		const once = wireOf(type, messages.opened);
		expect(wireOf(type, messages.opened)).toEqual(once);
	});

	it('says when it comes late', () => {
		expect(JSON.stringify(wireOf(type, messages.opened, new Date(sampleNow + 2_560_000)))).toContain('Told 42 min late');
	});

	it('names every variable that it reads', () => {
		const read = new Set<string>();
		channelOf(settings[type]).wire(messages.opened, settings[type], {
			id: 'x',
			sequence: 1,
			at,
			endpoint: channelOf(settings[type]).endpoints(settings[type])[0] ?? '',
			secret: (name) => {
				read.add(name);
				return secret(name);
			},
		});
		expect([...read].sort()).toEqual([...channelOf(settings[type]).secretEnvs(settings[type])].sort());
	});

	it('is strict about its settings', () => {
		expect(channels[type].settings.safeParse(settings[type]).success).toBe(true);
		expect(channels[type].settings.safeParse({ ...settings[type], fallback: 'other' }).success).toBe(true);
		expect(channels[type].settings.safeParse({ ...settings[type], colour: 'red' }).success).toBe(false);
	});

	it('keeps the limits of its service, whatever a provider writes', () => {
		// Escapes make text grow, and some characters are two units or four bytes.
		const text = fc.oneof(
			fc.string({ unit: 'grapheme', maxLength: 9_000 }),
			fc.constantFrom('<&>"'.repeat(3_000), '\u0001'.repeat(9_000), '😀'.repeat(4_000), 'line\n'.repeat(3_000)),
		);
		fc.assert(
			fc.property(text, text, fc.integer({ min: 1, max: 120 }), (title, reason, count) => {
				const members = Array.from({ length: count }, (_, i) => ({ news: 'new' as const, event: eventOfModel(`m${i}`, { incident: { title, reason } }) }));
				checkLimits[type](wireOf(type, sampleAlert({ members })));
			}),
			{ numRuns: 40 },
		);
	});
});

const bytes = (text: string) => Buffer.byteLength(text, 'utf8');
const jsonOf = (wire: Wire) => JSON.parse(wire.kind === 'http' ? wire.body : '{}');
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

const checkLimits: Record<ChannelType, (wire: Wire) => void> = {
	webhook: (wire) => expect(wire.kind === 'http' && bytes(wire.body)).toBeLessThan(20_000),
	slack: (wire) => {
		const { text, attachments } = jsonOf(wire);
		const [header, ...sections] = attachments[0].blocks;
		expect(header.text.text.length).toBeLessThanOrEqual(150);
		expect(sections.length).toBeLessThanOrEqual(49);
		for (const section of sections) {
			expect(section.text.text.length).toBeLessThanOrEqual(3_000);
			expect(section.text.text.length).toBeGreaterThan(0);
		}
		expect(text.length).toBeLessThanOrEqual(40_000);
	},
	discord: (wire) => {
		const [embed] = jsonOf(wire).embeds;
		expect(embed.title.length).toBeLessThanOrEqual(256);
		expect(embed.description.length).toBeLessThanOrEqual(4_096);
		expect(embed.title.length + embed.description.length).toBeLessThanOrEqual(6_000);
		expect(loneSurrogate.test(embed.title + embed.description)).toBe(false);
	},
	teams: (wire) => expect(wire.kind === 'http' && bytes(wire.body)).toBeLessThan(28_000),
	telegram: (wire) => {
		const seen = jsonOf(wire)
			.text.replace(/<\/?b>/g, '')
			.replace(/&(amp|lt|gt|quot);/g, '_');
		expect(seen.length).toBeLessThanOrEqual(4_096);
	},
	pagerduty: (wire) => {
		const { payload, dedup_key: dedupKey } = jsonOf(wire);
		expect(payload.summary.length).toBeLessThanOrEqual(1_024);
		expect(dedupKey.length).toBeLessThanOrEqual(255);
		expect(wire.kind === 'http' && bytes(wire.body)).toBeLessThan(512_000);
	},
	email: (wire) => {
		if (wire.kind !== 'mail') throw new Error('Expected a mail');
		expect(wire.subject.length).toBeLessThanOrEqual(200);
		expect(wire.subject).not.toMatch(/[\r\n]/);
		expect(wire.html.replace(/<\/?[a-z][^<>]*>|<!doctype html>/g, '')).not.toMatch(/[<>]/);
	},
	ntfy: (wire) => {
		const { title, message } = jsonOf(wire);
		expect(bytes(message)).toBeLessThanOrEqual(4_096);
		expect(bytes(title)).toBeLessThanOrEqual(250);
	},
	alertmanager: (wire) => {
		for (const { labels } of jsonOf(wire)) for (const value of Object.values(labels)) expect(value).toBeTypeOf('string');
	},
};

describe('success is what the service says it is', () => {
	it.each<[ChannelType, number, string, boolean]>([
		['webhook', 204, '', true],
		['webhook', 302, '', false],
		['webhook', 500, '', false],
		['slack', 200, 'ok', true],
		['slack', 200, 'no_service', false],
		['slack', 200, '', false],
		['discord', 200, '{"id":"1"}', true],
		['discord', 204, '', true],
		['discord', 200, '<html>', false],
		['teams', 202, '', true],
		['teams', 200, '1', true],
		['teams', 200, 'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413', false],
		['telegram', 200, '{"ok":true,"result":{}}', true],
		['telegram', 200, '{"ok":false,"error_code":400}', false],
		['pagerduty', 202, '{"status":"success","message":"Event processed","dedup_key":"x"}', true],
		['pagerduty', 202, '{"status":"invalid event"}', false],
		['pagerduty', 200, '{"status":"success"}', false],
		['ntfy', 200, '{"id":"a","event":"message"}', true],
		['ntfy', 200, '<html>captive portal</html>', false],
		['alertmanager', 200, '', true],
		['alertmanager', 400, '', false],
	])('%s, %d %s: %s', (type, status, body, expected) => {
		expect(channelOf(settings[type]).accepted(status, body)).toBe(expected);
	});

	it.each<[ChannelType, string, number | null]>([
		['discord', '{"message":"You are being rate limited.","retry_after":1.25,"global":false}', 1_250],
		['telegram', '{"ok":false,"error_code":429,"parameters":{"retry_after":35}}', 35_000],
		['discord', 'not json', null],
		['slack', '', null],
	])('%s asks in its body to wait: %s', (type, body, expected) => {
		expect(channelOf(settings[type]).retryAfterMs(body)).toBe(expected);
	});
});

describe('a secret that is none', () => {
	it.each<[ChannelType, string, string]>([
		['slack', 'URL', 'not a url, but secret'],
		['slack', 'URL', 'ftp://secret.example.org'],
		['webhook', 'SIGNING', 'secret!'],
		['webhook', 'SIGNING', Buffer.from('short').toString('base64')],
		['pagerduty', 'ROUTING', 'secret key with spaces'],
		['telegram', 'TOKEN', 'secret/../token'],
	])('of %s (%s) is named and not shown', (type, name, value) => {
		const attempt = { id: 'x', sequence: 1, at, endpoint: '', secret: (asked: string) => (asked === name ? value : secret(asked)) };
		expect(() => channelOf(settings[type]).wire(messages.opened, settings[type], attempt)).toThrow(SettingsError);
		expect(() => channelOf(settings[type]).wire(messages.opened, settings[type], attempt)).toThrow(
			expect.objectContaining({ message: expect.not.stringContaining(value) }),
		);
	});
});

it('a mail of a group answers the first of it', () => {
	const first = wireOf('email', messages.opened, at, 1);
	const later = wireOf('email', messages.resolved, at, 4);
	if (first.kind !== 'mail' || later.kind !== 'mail') throw new Error('Expected mails');
	expect(first.inReplyTo).toBeNull();
	expect(later.inReplyTo).toBe(first.messageId);
	expect(later.messageId).not.toBe(first.messageId);
});

it('a provider’s text neither mentions nor links nor marks up', () => {
	const event = sampleEvent({ incident: { reason: '<!channel> @everyone <b>x</b> &amp; <https://evil.example|click>' } });
	const message = sampleAlert({ members: [{ news: 'new', event }] });
	expect(jsonOf(wireOf('slack', message)).attachments[0].blocks[1].text.text).toContain('&lt;!channel&gt;');
	expect(jsonOf(wireOf('discord', message)).allowed_mentions).toEqual({ parse: [] });
	expect(jsonOf(wireOf('telegram', message)).text).toContain('&lt;b&gt;x&lt;/b&gt;');
});

it('Alertmanager is told each incident by itself, the open ones with an end that the next message puts off', () => {
	const alerts = jsonOf(wireOf('alertmanager', messages.grouped));
	expect(alerts).toHaveLength(8);
	expect(alerts[0]).toMatchObject({
		labels: { alertname: 'LinnetIncident', provider: 'groq', model: 'a', severity: 'major' },
		endsAt: new Date(at.getTime() + 240_000).toISOString(),
	});
	expect(alerts[7].endsAt).toBe(resolved.incident.resolvedAt);
	expect(channels.alertmanager.resendEveryMs).toBeLessThan(300_000);
});

it('every channel file is in the map', () => {
	const files = readdirSync(import.meta.dirname).filter(
		(file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !shared.includes(file.replace('.ts', '')),
	);
	expect(files.map((file) => file.replace('.ts', '')).sort()).toEqual(Object.keys(channels).sort());
});

it('the table in docs/alerts.md is the map’s own', () => {
	expect(readFileSync(join(import.meta.dirname, '..', 'docs', 'alerts.md'), 'utf8')).toContain(describeChannels());
});
