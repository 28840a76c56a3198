import fc from 'fast-check';
import { Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { exposeTargets } from './exposition.ts';

const { targets } = sampleSnapshot({ providers: 7, modelsPerProvider: 40 });
const [first] = targets;
if (first === undefined) throw new Error('Expected a sample to have a target');

test('a series stands as prom-client writes it, whatever the names of its target', async () => {
	const odd = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '{', '}', ',', '=', ' ', 'é', '🪶'), maxLength: 12 });
	await fc.assert(
		fc.asyncProperty(odd, odd, odd, fc.double({ min: 0, max: 1, noNaN: true }), async (id, provider, model, ratio) => {
			const registry = new Registry();
			const name = 'linnet_target_coverage_ratio';
			const labels = { target: id, provider, model, operation: first.operation };
			new Gauge({ name, help: 'x', labelNames: Object.keys(labels), registers: [registry] }).set(labels, ratio);
			const line = (await registry.metrics()).split('\n')[2] ?? '';
			const text = [...exposeTargets([{ ...first, id, provider, model, coverage: { ...first.coverage, ratio } }])].join('');
			expect(text.split('\n')).toContain(line);
		}),
	);
});

test('every family is one group with one head, and no piece is long', () => {
	const pieces = [...exposeTargets(targets)];
	expect(pieces.length).toBeGreaterThan(5);
	expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(40_000);
	const lines = pieces.join('').trimEnd().split('\n');
	const names = lines.map((line) => /^(?:# (?:HELP|TYPE) )?([a-z_]+)/.exec(line)?.[1]);
	const groups = names.filter((name, i) => name !== names[i - 1]);
	expect(groups.length).toBeGreaterThan(10);
	expect(new Set(groups).size).toBe(groups.length);
	expect(lines.filter((line) => line.startsWith('# TYPE'))).toHaveLength(groups.length);
});
