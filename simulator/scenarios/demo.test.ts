import { describe, expect, test } from 'vitest';
import { demoActs, demoFaultAt, demoFleet, demoLoopMs, fleetTargets } from './demo.ts';

const targets = fleetTargets(demoFleet, 'http://127.0.0.1:1', { intervalMs: 5_000 });
const seconds = Array.from({ length: demoLoopMs / 1_000 }, (_, s) => s);
const troubledAt = (second: number) => targets.filter(({ provider, model }) => demoFaultAt(second * 1_000, provider, model) !== null);

describe('the demo', () => {
	test('has at least 9 providers in three dialects and 28 targets, all distinct', () => {
		expect(demoFleet.providers.length).toBeGreaterThanOrEqual(9);
		expect(new Set(demoFleet.providers.map(({ dialect }) => dialect)).size).toBe(3);
		expect(targets.length).toBeGreaterThanOrEqual(28);
		expect(new Set(targets.map(({ id }) => id)).size).toBe(targets.length);
	});

	test('serves several models by several providers', () => {
		const byModel = Map.groupBy(targets, ({ model }) => model);
		expect([...byModel.values()].filter((group) => group.length > 1).length).toBeGreaterThanOrEqual(5);
	});

	test('every act names a provider and a model of the fleet', () => {
		for (const act of demoActs) {
			const provider = demoFleet.providers.find(({ id }) => id === act.provider);
			expect(provider, act.title).toBeDefined();
			if (act.model !== null) expect(provider?.models.map(({ model }) => model)).toContain(act.model);
		}
	});

	test('begins within the first minute, and never before it starts', () => {
		expect(seconds.find((second) => troubledAt(second).length > 0)).toBeLessThan(60);
		expect(targets.every(({ provider, model }) => demoFaultAt(-1, provider, model) === null)).toBe(true);
	});

	test('most of the fleet is well at any time', () => {
		for (const second of seconds) expect(troubledAt(second).length).toBeLessThan(targets.length / 3);
	});

	test('something is wrong, or has just healed, at any time', () => {
		const quiet = seconds.filter((second) => troubledAt(second).length === 0);
		expect(quiet.length).toBeLessThan(seconds.length / 10);
	});

	test('every provider heals before its next trouble', () => {
		for (const { id } of demoFleet.providers) {
			const acts = demoActs.filter(({ provider }) => provider === id).sort((a, b) => a.fromS - b.fromS);
			for (const [i, act] of acts.entries()) {
				const next = acts[i + 1];
				if (next !== undefined) expect(next.fromS - act.toS).toBeGreaterThanOrEqual(120);
			}
		}
		expect(Math.max(...demoActs.map(({ toS }) => toS)) * 1_000).toBeLessThan(demoLoopMs);
	});

	test('repeats every loop', () => {
		for (const second of seconds.filter((s) => s % 7 === 0)) {
			for (const { provider, model } of targets) {
				expect(demoFaultAt(second * 1_000 + demoLoopMs, provider, model)).toEqual(demoFaultAt(second * 1_000, provider, model));
			}
		}
	});
});
