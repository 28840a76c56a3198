import { expect, test } from 'vitest';
import { sampleTarget } from '#test/sample-results.ts';
import type { Target } from './target.ts';
import { changesOf, setupOf } from './target-setup.ts';

const id = 'acme:small:chat';
const target = sampleTarget(id, { headers: { 'x-a': '1', 'x-b': '2' } });
const aspects = (change: Partial<Target>) => changesOf(setupOf(target), setupOf({ ...target, ...change })).map(({ aspect }) => aspect);

test.each<[string, Partial<Target>, string[]]>([
	['the dialect', { dialect: 'openai-responses' }, ['protocol']],
	['HTTP/2', { http2: true }, ['protocol']],
	['the provider’s own name of the model', { upstreamModel: 'small-2' }, ['model name']],
	['the address', { baseUrl: 'http://127.0.0.1:9/v2' }, ['address']],
	['a flag', { flags: { ...target.flags, maxOutputTokens: 64 } }, ['parameters']],
	['a field of the body', { flags: { ...target.flags, bodyPatch: { reasoning_effort: 'none' } } }, ['parameters']],
	['a header', { headers: { 'x-a': '1', 'x-b': '3' } }, ['headers']],
	['a second canary', { canaries: [...target.canaries, { name: 'json', type: 'json' }] }, ['canaries', 'canary json']],
	['the prompt of a canary', { canaries: [{ name: 'echo', type: 'custom', prompt: 'Say hi', expect: { text: 'hi' } }] }, ['canary echo']],
	['nothing but the order in the file', { headers: { 'x-b': '2', 'x-a': '1' }, flags: { ...target.flags } }, []],
	['what does not touch a measurement', { price: { inputUsdPerMTok: 1, outputUsdPerMTok: 1 }, intervalMs: 30_000, maxConcurrency: 1 }, []],
])('%s changes %j', (_, change, expected) => {
	expect(aspects(change)).toEqual(expected);
});

test('an address and headers are told by hashes only', () => {
	const values = [...setupOf(sampleTarget(id, { baseUrl: 'http://inner.example/v1', headers: { 'x-team': 'secret-project' } })).values()].join();
	expect(values).not.toMatch(/inner|secret/);
});

test('a target that was never probed before has no marks', () => {
	expect(changesOf(new Map(), setupOf(target))).toEqual([]);
});
