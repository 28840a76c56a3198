import { expect, it } from 'vitest';
import type { RequestNote } from '#simulator/start-simulator.ts';
import { sampleResult } from '#test/sample-results.ts';
import { withoutMessage, withoutResult } from './ledger.ts';

const at = 1_700_000_000_000;
const seen = (requestId: string, model: string, seenAt: number): RequestNote => ({
	...{ provider: 'acme', model, path: '/', mode: null, headerNames: [], body: '', requestId, at: seenAt },
});
const gaveUp = (model: string, startedAt: number) =>
	sampleResult({ provider: 'acme', model, requestId: null, httpStatus: null, outcome: 'first_token_timeout', startedAt });

it.each([
	['an answer that came too late is the result that gave up on it', [seen('a', 'one', at + 5)], [gaveUp('one', at)], []],
	['one such result stands for one request', [seen('a', 'one', at + 5), seen('b', 'one', at + 9)], [gaveUp('one', at)], ['b']],
	['of its own target', [seen('a', 'one', at + 5)], [gaveUp('two', at)], ['a']],
	['from before it, and not from long before', [seen('a', 'one', at)], [gaveUp('one', at - 60_000), gaveUp('one', at + 1_000)], ['a']],
	['an answer whose head was read has its own id', [seen('a', 'one', at + 5)], [sampleResult({ provider: 'acme', model: 'one', startedAt: at })], ['a']],
])('%s', (_, requests, results, missing) => {
	expect(withoutResult(requests, results).map(({ requestId }) => requestId)).toEqual(missing);
});

const message = (type: string, id: string, messageId = type) => ({
	body: JSON.stringify({ type, data: { incident: { id } } }),
	headers: { 'webhook-id': messageId },
});
const outage = (more: object = {}) => ({ id: 'i', cause: 'provider' as const, resolvedAt: at, relapseCount: 0, ...more });

it.each([
	['a beginning and an end, each told once', [outage()], [message('incident.opened', 'i'), message('incident.resolved', 'i')], []],
	['an end that has not come', [outage({ resolvedAt: null })], [message('incident.opened', 'i')], []],
	['what was never told', [outage()], [message('incident.opened', 'i')], ['incident.resolved i: 0 messages']],
	['a fault of our own, told to the operator', [outage({ cause: 'monitor', resolvedAt: null })], [message('operator.opened', 'i')], []],
	['a repeat of one message', [outage({ resolvedAt: null })], [message('incident.opened', 'i'), message('incident.opened', 'i')], []],
	[
		'two messages of one beginning',
		[outage({ resolvedAt: null })],
		[message('incident.opened', 'i'), message('incident.opened', 'i', 'another')],
		['incident.opened i: 2 messages'],
	],
	[
		'one that came back ends twice',
		[outage({ relapseCount: 1 })],
		[message('incident.opened', 'i'), message('incident.resolved', 'i'), message('incident.resolved', 'i', 'another')],
		[],
	],
])('%s', (_, incidents, told, missing) => {
	expect(withoutMessage(incidents, told)).toEqual(missing);
});
