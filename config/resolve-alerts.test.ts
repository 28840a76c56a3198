import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';

const good = Buffer.from('n'.repeat(24)).toString('base64');
const secrets = { SIGNING: good, SLACK: 'https://hooks.example.org/x', ROUTING: 'R'.repeat(32), TOKEN: '1:test', TOPIC: 'topic' };

/** As `linnet check`, the start and a reload say them: they read the file in the same way. */
function faultsOf(alerts: object, { env = {}, more = '' }: { env?: Record<string, string>; more?: string } = {}): string[] {
	const providers = [
		{ id: 'groq', dialect: 'openai-chat', baseUrl: 'http://127.0.0.1:9/v1', apiKeyEnv: null, models: [{ model: 'maker/one' }] },
		{ id: 'alder', dialect: 'openai-chat', baseUrl: 'http://127.0.0.1:9/v1', apiKeyEnv: null, models: [{ model: 'maker/two' }] },
	];
	const text = `providers: ${JSON.stringify(providers)}\nalerts: ${JSON.stringify(alerts)}\n${more}`;
	return (loadConfig(text, { ...secrets, ...env }).problems ?? []).map(({ line, path, message }) => `${line} ${path}: ${message}`);
}
const hook = { type: 'webhook', url: 'http://127.0.0.1:9/hook', secretEnv: 'SIGNING' };
const slack = { type: 'slack', urlEnv: 'SLACK' };
const routed = (match: object) => ({ channels: { a: hook }, routes: [{ match, channels: ['a'] }] });
const of = (channel: object) => ({ channels: { a: channel }, routes: [{ channels: ['a'] }] });

it('a sound file has no fault', () => {
	expect(faultsOf(routed({ provider: 'groq', model: 'maker/one', operation: 'chat', scope: ['target', 'model'] }))).toEqual([]);
	expect(faultsOf(of(slack))).toEqual([]);
});

describe('a channel that could not tell anybody', () => {
	it.each<[string, object, Record<string, string>, RegExp]>([
		['a URL that is none', of({ ...hook, url: 'hook.example' }), {}, /alerts\.channels\.a\.url: expected an http or https URL/],
		['a URL of another scheme', of({ ...hook, url: 'ftp://127.0.0.1/x' }), {}, /alerts\.channels\.a\.url: expected an http or https URL/],
		['a variable that holds no URL', of(slack), { SLACK: 'hooks.example.org' }, /alerts\.channels\.a: .*SLACK/],
		['an instance of Alertmanager without a URL', of({ type: 'alertmanager', urls: [] }), {}, /alerts\.channels\.a\.urls: expected the URL/],
		['a secret that is not set', of({ ...hook, secretEnv: 'MISSING' }), {}, /alerts\.channels\.a: expected the environment variable MISSING to be set/],
		['a secret that is empty', of(slack), { SLACK: '' }, /expected the environment variable SLACK to be set/],
		['a secret too short to sign with', of(hook), { SIGNING: 'short' }, /alerts\.channels\.a: .*SIGNING/],
		['a routing key that is none', of({ type: 'pagerduty', routingKeyEnv: 'ROUTING' }), { ROUTING: 'short' }, /alerts\.channels\.a: .*ROUTING/],
		['a type that does not exist', of({ type: 'pigeon' }), {}, /alerts\.channels\.a/],
		['a fallback that does not exist', of({ ...hook, fallback: 'b' }), {}, /alerts\.channels\.a\.fallback: expected one of the channels \(a\)/],
		['a fallback to itself', of({ ...hook, fallback: 'a' }), {}, /alerts\.channels\.a\.fallback: expected another channel/],
		['nobody routes to it', { channels: { a: hook } }, {}, /alerts\.channels\.a: a channel nobody routes to/],
	])('%s', (_, alerts, env, expected) => {
		const faults = faultsOf(alerts, { env });
		expect(faults).toHaveLength(1);
		expect(faults[0]).toMatch(expected);
		expect(faults[0]).not.toContain('short');
	});
});

describe('a route that matches nothing', () => {
	it.each<[string, object, RegExp]>([
		['a provider that is not in the file', { provider: 'groc' }, /routes\[0\]\.match\.provider: a route that can't match: no provider "groc"/],
		['a model that is not in the file', { model: 'maker/three' }, /routes\[0\]\.match\.model: a route that can't match: no model "maker\/three"/],
		['a model of another provider', { provider: 'groq', model: 'maker/two' }, /routes\[0\]\.match: a route that can't match: no target of this file/],
		['an operation that nobody offers', { operation: 'embeddings' }, /routes\[0\]\.match: a route that can't match: no target/],
		['a cause of another class', { class: 'operator', cause: 'provider' }, /routes\[0\]\.match\.cause: a route that can't match/],
		['a model in the scope of a provider', { scope: 'provider', model: 'maker/one' }, /routes\[0\]\.match\.scope: .*provider names no model/],
		['a provider in the scope of everything', { scope: 'everything', provider: 'groq' }, /routes\[0\]\.match\.scope: .*everything names no provider/],
		['an impact that does not exist', { impact: 'huge' }, /routes\[0\]\.match\.impact/],
	])('%s', (_, match, expected) => {
		const faults = faultsOf(routed(match));
		expect(faults).toHaveLength(1);
		expect(faults[0]).toMatch(expected);
	});

	it('to no channel', () => {
		expect(faultsOf({ channels: {}, routes: [{ channels: ['a'] }] })).toEqual([
			expect.stringMatching(/routes\[0\]\.channels\[0\]: expected one of the channels/),
		]);
	});

	it('is not said of what a provider has yet to list, nor as a second fault of a model that is faulty itself', () => {
		const listing = 'providers: [{ id: x, dialect: openai-chat, baseUrl: "http://127.0.0.1:9/v1", apiKeyEnv: null, models: discover }]';
		const loaded = loadConfig(`${listing}\nalerts: ${JSON.stringify(routed({ provider: 'x', model: 'maker/one' }))}\n`, secrets);
		expect(loaded.problems).toBeNull();
		const broken =
			'providers: [{ id: x, dialect: openai-chat, baseUrl: "http://127.0.0.1:9/v1", apiKeyEnv: null, models: [{ model: m, interval: 5 }, { model: n }] }]';
		const faults = loadConfig(`${broken}\nalerts: ${JSON.stringify(routed({ provider: 'x', model: 'm' }))}\n`, secrets).problems ?? [];
		expect(faults.map(({ path }) => path)).toEqual(['providers[0].models[0].interval']);
	});
});
