import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Canary } from '#core/target.ts';
import type { Fault } from '#simulator/faults.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import type { LoopLag } from '#workers/probe/loop-lag.ts';
import type { ExchangeNote } from '#workers/probe/timed-request.ts';
import { probeOnce, simModel, simProvider, targetOf, testKey } from './probe-setup.ts';

let simulator: Simulator;
const target = (change = {}) => targetOf('openai-chat', simulator.baseUrl('sim'), change);
const give = (fault: Fault | null) => simulator.setFault('sim', null, fault);

beforeAll(async () => {
	simulator = await startSimulator({
		fleet: { providers: [simProvider('sim', 'openai-chat'), simProvider('groq', 'openai-chat'), simProvider('claude', 'anthropic')] },
	});
});
afterAll(() => simulator.close());

describe('a good probe', () => {
	test('records every phase, the tokens, the price and who served', async () => {
		give(null);
		const result = await probeOnce(target(), {}, { slotAt: 123, kind: 'scheduled', vantage: 'fra' });
		expect(result).toMatchObject({
			slotAt: 123,
			kind: 'scheduled',
			vantage: 'fra',
			provider: 'sim',
			model: simModel.model,
			canary: 'echo',
			outcome: 'ok',
			sli: 'good',
			phase: null,
			httpStatus: 200,
			dnsMs: null,
			tlsMs: null,
			outputTokens: 22,
			servedModel: simModel.upstreamModel,
			retryAfterMs: null,
		});
		expect(result.requestId).toMatch(/^req_/);
		// 1 USD per million in, 2 out.
		expect(result.costMicroUsd).toBe((result.inputTokens ?? 0) + 22 * 2);
		expect(result.outputTokensPerSecond).toBeGreaterThan(0);
		expect(result.evidence?.rateLimit).toMatchObject({ requestsLimit: 5_000, requestsRemaining: 4_999, resetMs: 12 });
	});

	test('marks come in the order of the phases', async () => {
		give(null);
		const { connectMs, ttfbMs, ttftMs, totalMs, maxGapMs } = await probeOnce(target());
		expect(connectMs).toBeGreaterThan(0);
		expect(ttftMs ?? 0).toBeGreaterThanOrEqual(ttfbMs ?? Number.POSITIVE_INFINITY);
		expect(totalMs ?? 0).toBeGreaterThanOrEqual((connectMs ?? 0) + (ttftMs ?? 0));
		expect(maxGapMs ?? 0).toBeLessThanOrEqual((totalMs ?? 0) - (ttftMs ?? 0));
	});

	test('two probes never share a connection or a nonce', async () => {
		give(null);
		const before = simulator.connectionCount();
		await Promise.all([probeOnce(target()), probeOnce(target())]);
		expect(simulator.connectionCount() - before).toBe(2);
		const [a, b] = simulator.requestLog.slice(-2);
		expect(a?.body).not.toBe(b?.body);
	});

	test("the operator's own canary is judged by its own expectation", async () => {
		give(null);
		const canary = (text: string): Canary => ({ name: 'mine', type: 'custom', prompt: 'Reply with exactly: 42', expect: { text } });
		expect(await probeOnce(target(), {}, { canary: canary('42') })).toMatchObject({ outcome: 'ok', canary: 'mine', outputTokensPerSecond: null });
		expect(await probeOnce(target(), {}, { canary: canary('43') })).toMatchObject({
			outcome: 'canary_mismatch',
			sli: 'excluded',
			evidence: { subcode: 'wrong_answer' },
		});
	});

	test('a verbose caller sees the exchange, and no header that we sent', async () => {
		give(null);
		const notes: ExchangeNote[] = [];
		await probeOnce(target(), { observe: (note) => notes.push(note) });
		expect(notes.map(({ what }) => what)).toEqual(expect.arrayContaining(['connected', 'sent', 'headers', 'event', 'end']));
		expect(JSON.stringify(notes)).not.toContain(testKey);
	});

	test('events that call themselves plain text are read, as every SDK reads them; plain text is not', async () => {
		const event = (delta: object, finish: string | null) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
		const canary: Canary = { name: 'mine', type: 'custom', prompt: 'Say yes.', expect: { text: 'yes' } };
		const plain = (body: string) => give({ mode: 'http_status', status: 200, contentType: 'text/plain; charset=utf-8', body });
		plain(event({ content: 'yes' }, null) + event({}, 'stop'));
		expect(await probeOnce(target(), {}, { canary })).toMatchObject({ outcome: 'ok', evidence: { subcode: 'no_done' } });
		plain('data is on its way');
		expect(await probeOnce(target(), {}, { canary })).toMatchObject({ outcome: 'invalid_response', evidence: { subcode: 'not_protocol' } });
		plain('');
		expect(await probeOnce(target(), {}, { canary })).toMatchObject({ sli: 'bad' });
	});

	test("the target's extra headers and body fields are sent", async () => {
		give(null);
		const flags = { ...target().flags, bodyPatch: { reasoning_effort: 'none' }, maxTokensField: 'max_completion_tokens' as const };
		await probeOnce(target({ headers: { 'x-team': 'a' }, flags }));
		const note = simulator.requestLog.at(-1);
		expect(note?.headerNames).toContain('x-team');
		expect(JSON.parse(note?.body ?? '')).toMatchObject({ reasoning_effort: 'none', max_completion_tokens: 256, stream: true });
	});
});

test("a model's announced end is kept, with a good answer and with a bad one", async () => {
	const end = 'Fri, 11 Dec 2026 23:59:59 GMT';
	let status = 200;
	const server = createServer((_req, res) => {
		res.writeHead(status, { 'content-type': 'text/event-stream', deprecation: '@1688169599', sunset: end });
		res.end(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'yes' }, finish_reason: 'stop' }] })}\n\n`);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const leaving = targetOf('openai-chat', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
	const canary: Canary = { name: 'mine', type: 'custom', prompt: 'Say yes.', expect: { text: 'yes' } };
	for (status of [200, 500]) {
		expect((await probeOnce(leaving, {}, { canary })).evidence).toMatchObject({ deprecated: true, sunsetAt: Date.parse(end) });
	}
	await new Promise((resolve) => server.close(resolve));
});

describe('our own trouble', () => {
	test('a missing key sends nothing and is nobody’s outage', async () => {
		const before = simulator.connectionCount();
		for (const value of [undefined, '', '  ']) {
			expect(await probeOnce(target(), { readSecret: () => value })).toMatchObject({
				outcome: 'auth_failed',
				phase: 'credential',
				sli: 'excluded',
				httpStatus: null,
				costMicroUsd: 0,
			});
		}
		expect(simulator.connectionCount()).toBe(before);
	});

	test('a key that no header can carry is refused before it is sent', async () => {
		expect(await probeOnce(target(), { readSecret: () => 'two words' })).toMatchObject({ outcome: 'auth_failed', evidence: { subcode: 'key_not_printable' } });
	});

	test('an endpoint without a key gets no authorization header', async () => {
		give(null);
		await probeOnce(target({ apiKeyEnv: null }));
		expect(simulator.requestLog.at(-1)?.headerNames).not.toContain('authorization');
	});

	test('a stalled event loop makes the result ours', async () => {
		give(null);
		const lag: LoopLag = { limitMs: 500, worstSince: () => 501, stop() {} };
		expect(await probeOnce(target(), { lag })).toMatchObject({
			outcome: 'monitor_fault',
			sli: 'excluded',
			lagMs: 501,
			evidence: { subcode: 'event_loop_lag' },
		});
	});

	test('an aborted probe is ours, at once', async () => {
		give({ mode: 'no_headers' });
		const stop = new AbortController();
		const running = probeOnce(target(), { observe: ({ what }) => what === 'sent' && stop.abort() }, { signal: stop.signal });
		expect(await running).toMatchObject({ outcome: 'monitor_fault', sli: 'excluded', evidence: { subcode: 'aborted' } });
	});

	test('an unknown dialect is a fault of configuration', async () => {
		await expect(probeOnce({ ...target(), dialect: 'morse' })).rejects.toThrow('Expected a dialect of');
	});
});

describe('secrets', () => {
	test('a key that the provider echoes is in no part of the result', async () => {
		give({ mode: 'http_error', error: 'auth_failed' });
		const result = await probeOnce(target());
		expect(result).toMatchObject({ outcome: 'auth_failed', sli: 'excluded', httpStatus: 401, evidence: { providerCode: 'invalid_api_key' } });
		expect(result.evidence?.message).toContain('[redacted]');
		expect(JSON.stringify(result)).not.toContain(testKey);
	});

	test('U+0000 and other control characters do not reach the record', async () => {
		give({
			mode: 'http_status',
			status: 500,
			contentType: 'application/json',
			body: JSON.stringify({ error: { message: 'a\u0000b\u001b[31mc', type: 'x\u0000' } }),
		});
		const { evidence } = await probeOnce(target());
		expect(evidence).toMatchObject({ message: 'a b [31mc', providerType: 'x' });
	});

	test('a long message is cut at 300 characters', async () => {
		give({ mode: 'http_status', status: 500, contentType: 'text/plain', body: 'word '.repeat(5_000) });
		expect((await probeOnce(target())).evidence?.message?.length).toBe(300);
	});
});

describe('waits and money', () => {
	test('the wait that a provider asks for is kept', async () => {
		give({ mode: 'http_error', error: 'overloaded', retryAfter: '20' });
		expect(await probeOnce(target())).toMatchObject({ outcome: 'overloaded', sli: 'bad', retryAfterMs: 20_000, costMicroUsd: 0 });
	});

	test('an answer whose bill never came is charged at its dearest', async () => {
		give({ mode: 'cut_fin', tokens: 3 });
		const result = await probeOnce(target());
		expect(result).toMatchObject({ outcome: 'stream_truncated', outputTokens: null });
		expect(result.costMicroUsd).toBeGreaterThanOrEqual(256 * 2);
	});

	test('an unknown price is no price', async () => {
		give(null);
		expect((await probeOnce(target({ price: null }))).costMicroUsd).toBeNull();
	});
});

describe('a provider of the catalogue', () => {
	test("another family's name in the answer is a mismatch", async () => {
		const known = targetOf('openai-chat', simulator.baseUrl('groq'), { provider: 'groq' });
		simulator.setFault('groq', null, { mode: 'wrong_model_echo' });
		expect(await probeOnce(known)).toMatchObject({ outcome: 'canary_mismatch', sli: 'excluded', servedModel: 'zyx-9b', evidence: { subcode: 'wrong_model' } });
		simulator.setFault('groq', null, null);
		expect(await probeOnce(known)).toMatchObject({ outcome: 'ok' });
	});

	test('has rows of its own for errors', async () => {
		const known = targetOf('openai-chat', simulator.baseUrl('groq'), { provider: 'groq' });
		simulator.setFault('groq', null, { mode: 'http_status', status: 498, contentType: 'application/json', body: '{"error":{"message":"capacity exceeded"}}' });
		expect(await probeOnce(known)).toMatchObject({ outcome: 'overloaded' });
	});
});
