import { readdirSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import type { AlertEvent } from '#core/alert.ts';
import { channels } from './index.ts';
import { linesOf, titleOf } from './message.ts';
import { webhook } from './webhook.ts';

const event: AlertEvent = {
	type: 'incident.opened',
	at: '2026-11-23T12:00:40.000Z',
	simulated: false,
	incident: {
		id: 'inc-1',
		title: 'm on groq: outage',
		scope: { provider: 'groq', model: 'm', operation: 'chat', vantage: null },
		cause: 'provider',
		impact: 'major',
		status: 'identified',
		startedAt: '2026-11-23T12:00:00.000Z',
		detectedAt: '2026-11-23T12:00:40.000Z',
		resolvedAt: null,
		reason: '3 of the last 3 results failed: server_error ×3 (HTTP 503)',
		targetIds: ['groq:m:chat'],
		evidence: { good: 0, bad: 3, excluded: 0, outcomes: { server_error: 3 }, vantages: ['local'] },
	},
	useInstead: ['cerebras'],
	link: 'https://status.example.org/incident/inc-1.html',
};
const secrets: Record<string, string> = { NEW: Buffer.from('n'.repeat(24)).toString('base64'), OLD: Buffer.from('o'.repeat(24)).toString('base64') };
const secret = (name: string) => secrets[name] ?? '';
const settings = { type: 'webhook', url: 'http://127.0.0.1:9/hook', secretEnv: 'NEW' } as const;
const at = new Date();

describe('the webhook', () => {
	it('is signed so that the reference library accepts it', () => {
		const { headers, body } = webhook.request(event, settings, { id: 'msg_1', at, secret });
		expect(new Webhook(secret('NEW')).verify(body, { ...headers })).toMatchObject({ type: 'incident.opened' });
	});

	it('keeps its id over the attempts, while timestamp and signature are the attempt’s own', () => {
		const one = webhook.request(event, settings, { id: 'msg_1', at, secret }).headers;
		const two = webhook.request(event, settings, { id: 'msg_1', at: new Date(at.getTime() + 5_000), secret }).headers;
		expect(two['webhook-id']).toBe(one['webhook-id']);
		expect(two['webhook-timestamp']).not.toBe(one['webhook-timestamp']);
		expect(two['webhook-signature']).not.toBe(one['webhook-signature']);
	});

	it('during a rotation both secrets verify it', () => {
		const { headers, body } = webhook.request(event, { ...settings, previousSecretEnv: 'OLD' }, { id: 'msg_1', at, secret });
		for (const name of ['NEW', 'OLD']) expect(new Webhook(secret(name)).verify(body, { ...headers })).toBeTruthy();
	});

	it('a body that was changed on the way is refused', () => {
		const { headers, body } = webhook.request(event, settings, { id: 'msg_1', at, secret });
		expect(() => new Webhook(secret('NEW')).verify(body.replace('groq', 'grok'), { ...headers })).toThrow();
	});

	it.each([
		[200, true],
		[204, true],
		[302, false],
		[400, false],
		[500, false],
	])('answered %d, it is delivered: %s', (status, accepted) => {
		expect(webhook.accepted(status)).toBe(accepted);
	});

	it('wants exactly one of url and urlEnv', () => {
		expect(webhook.settings.safeParse({ type: 'webhook', secretEnv: 'A' }).success).toBe(false);
		expect(webhook.settings.safeParse({ ...settings, urlEnv: 'B' }).success).toBe(false);
		expect(webhook.settings.safeParse(settings).success).toBe(true);
	});
});

describe('the words of an alert', () => {
	it('say what, since when, how bad, whose fault with what evidence, what to use instead, and where to look', () => {
		expect([titleOf(event), ...linesOf(event)]).toEqual([
			'Down: m on groq: outage',
			'Since 2026-11-23 12:00:00 UTC, impact major, cause: the provider.',
			'3 of the last 3 results failed: server_error ×3 (HTTP 503).',
			'Measured since then: 3 bad, 0 good, 0 excluded from local.',
			'Well now, same model: cerebras.',
			'https://status.example.org/incident/inc-1.html',
		]);
	});

	it('a simulated alert says so first', () => {
		expect(titleOf({ ...event, simulated: true })).toBe('[simulated] Down: m on groq: outage');
	});

	it('our own trouble asks for action and blames nobody', () => {
		expect(titleOf({ ...event, incident: { ...event.incident, cause: 'credentials', impact: 'none', title: 'groq: our key is refused' } })).toBe(
			'Action needed: groq: our key is refused',
		);
	});
});

it('every channel file is in the map', () => {
	const files = readdirSync(import.meta.dirname).filter(
		(file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !['channel.ts', 'index.ts', 'message.ts'].includes(file),
	);
	expect(files.map((file) => file.replace('.ts', '')).sort()).toEqual(Object.keys(channels).sort());
});
