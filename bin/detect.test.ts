import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { replay } from './detect.ts';

const providers = ['p0', 'p1', 'p2', 'p3'];
const endpoints = providers.flatMap((provider) => ['fra', 'iad'].map((region) => ({ provider, model: 'm', region })));
const hello = { type: 'hello', protocol: 1, t: 0, baseIntervalMs: 60_000, timeoutMs: 20_000, tickMs: 1_000, endpoints, reprobe: null };
const probe = (index: number, startedAt: number, outcome: string) => ({
	...{ type: 'probe', id: `${index}-${startedAt}`, t: startedAt + 3_000, startedAt, ...endpoints[index], outcome, status: null, phase: null, error: null },
	...{ dnsMs: null, tcpMs: null, tlsMs: null, ttfbMs: null, ttftMs: null, totalMs: 500, tokens: null, tokensPerSec: null, retryAfterMs: null, reprobe: false },
});

async function run(lines: readonly (object | string)[]): Promise<{ type: string; [key: string]: unknown }[]> {
	const output = new PassThrough();
	const all = text(output);
	try {
		await replay(Readable.from(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`)), output);
	} finally {
		output.end();
	}
	return (await all)
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line));
}

describe('linnet detect', () => {
	it('answers hello with ready and every tick with its ack, in order', async () => {
		const told = await run([hello, { type: 'tick', t: 1_000 }, '', { type: 'tick', t: 2_000 }, { type: 'end', t: 3_000 }]);
		expect(told.map(({ type, t }) => [type, t])).toEqual([
			['ready', undefined],
			['ack', 1_000],
			['ack', 2_000],
		]);
	});

	it('opens an incident of a failing provider before the ack of the tick that decides it, and resolves it by its id', async () => {
		const lines: object[] = [hello];
		for (let at = 0; at < 900_000; at += 5_000) {
			const index = (at / 5_000) % endpoints.length;
			lines.push(probe(index, at, endpoints[index]?.provider === 'p2' && at >= 120_000 && at < 400_000 ? 'http_5xx' : 'ok'), { type: 'tick', t: at + 4_000 });
		}
		const told = await run([...lines, { type: 'end', t: 900_000 }]);
		const incidents = told.filter(({ type }) => type.startsWith('incident.'));
		expect(incidents).toEqual([
			expect.objectContaining({ type: 'incident.open', scope: { provider: 'p2', model: 'm', region: null }, severity: 'down', cause: 'provider' }),
			{ type: 'incident.resolve', id: incidents[0]?.id, t: expect.any(Number) },
		]);
		expect(told.at(-1)?.type).toBe('ack');
	});

	it.each([
		['no JSON', [hello, '{"type":'], 'line 2: expected JSON'],
		['an unknown type', [hello, { type: 'tock', t: 1 }], 'line 2: type'],
		['a result without its start', [hello, { ...probe(0, 0, 'ok'), startedAt: undefined }], 'line 2: startedAt'],
		['an unknown outcome', [hello, probe(0, 0, 'fine')], 'line 2: outcome'],
		['no hello', [{ type: 'tick', t: 1 }], 'line 1: expected a hello first'],
		['a second hello', [hello, hello], 'line 2: expected one hello'],
		['a name that is no name', [{ ...hello, endpoints: [{ provider: '__proto__', model: 'm', region: 'fra' }] }], 'line 1: endpoints.0.provider'],
	])('%s ends it with the number of the line and exit code 2', async (_, lines, message) => {
		await expect(run(lines)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
	});
});
