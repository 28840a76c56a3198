import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { sampleAlert } from '#test/sample-alert.ts';
import { webhook } from './webhook.ts';

const message = sampleAlert();
const secrets: Record<string, string> = { NEW: `whsec_${Buffer.from('n'.repeat(24)).toString('base64')}`, OLD: Buffer.from('o'.repeat(64)).toString('base64') };
const secret = (name: string) => secrets[name] ?? '';
const settings = { type: 'webhook', url: 'http://127.0.0.1:9/hook', secretEnv: 'NEW' } as const;
const at = new Date();
const attempt = { id: 'msg_1', sequence: 1, endpoint: '', at, secret };

describe('the webhook', () => {
	it('is signed so that the reference library accepts it', () => {
		const { headers, body } = webhook.wire(message, settings, attempt);
		expect(new Webhook(secret('NEW')).verify(body, { ...headers })).toMatchObject({
			type: 'incident.opened',
			data: { incident: { id: 'inc-1' }, truncated: 0 },
		});
	});

	it('keeps its id over the attempts, while timestamp and signature are the attempt’s own', () => {
		const one = webhook.wire(message, settings, attempt).headers;
		const two = webhook.wire(message, settings, { ...attempt, at: new Date(at.getTime() + 5_000) }).headers;
		expect(two['webhook-id']).toBe(one['webhook-id']);
		expect(two['webhook-timestamp']).not.toBe(one['webhook-timestamp']);
		expect(two['webhook-signature']).not.toBe(one['webhook-signature']);
	});

	it('during a rotation both secrets verify it', () => {
		const { headers, body } = webhook.wire(message, { ...settings, previousSecretEnv: 'OLD' }, attempt);
		for (const name of ['NEW', 'OLD']) expect(new Webhook(secret(name)).verify(body, { ...headers })).toBeTruthy();
	});

	it('a body that was changed on the way is refused', () => {
		const { headers, body } = webhook.wire(message, settings, attempt);
		expect(() => new Webhook(secret('NEW')).verify(body.replace('groq', 'grok'), { ...headers })).toThrow();
	});

	it('wants exactly one of url and urlEnv', () => {
		expect(webhook.settings.safeParse({ type: 'webhook', secretEnv: 'A' }).success).toBe(false);
		expect(webhook.settings.safeParse({ ...settings, urlEnv: 'B' }).success).toBe(false);
		expect(webhook.settings.safeParse(settings).success).toBe(true);
	});
});
