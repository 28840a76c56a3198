import { describe, expect, test } from 'vitest';
import { costMicroUsd, forecastPerDayMicroUsd, reservationMicroUsd } from './cost.ts';
import type { Canary, Target } from './target.ts';

const echo: Canary = { name: 'echo', type: 'echo' };
const tool: Canary = { name: 'tool', type: 'tool' };
const long: Canary = { name: 'long', type: 'custom', prompt: 'word '.repeat(800), expect: { text: 'yes' } };
const price = { inputUsdPerMTok: 1, outputUsdPerMTok: 2 };
const flags = { maxTokensField: 'max_tokens', sendTemperature: false, includeUsage: true, maxOutputTokens: 256, bodyPatch: {} } as const;
const target = (change: Partial<Target> = {}) => ({
	price,
	flags,
	operation: 'chat' as const,
	canaries: [echo, tool, long],
	intervalMs: 86_400_000,
	...change,
});

describe('the reservation', () => {
	test('covers each canary at a token a byte and the whole output cap', () => {
		for (const canary of [echo, tool, long]) {
			const prompt = canary.type === 'custom' ? canary.prompt.length : 100;
			expect(reservationMicroUsd(target(), canary.name)).toBeGreaterThanOrEqual(costMicroUsd(price, prompt, 256));
		}
		expect(reservationMicroUsd(target(), 'echo')).toBeLessThan(reservationMicroUsd(target(), 'tool'));
	});

	test('without a name, or with one that is gone, is the dearest', () => {
		expect(reservationMicroUsd(target())).toBe(reservationMicroUsd(target(), 'long'));
		expect(reservationMicroUsd(target(), 'renamed')).toBe(reservationMicroUsd(target(), 'long'));
	});

	test('an unknown price is booked at a dear one', () => {
		expect(reservationMicroUsd(target({ price: null }), 'echo')).toBeGreaterThan(reservationMicroUsd(target(), 'echo'));
	});

	test('a cap below what is sent at least is not believed', () => {
		const tiny = target({ flags: { ...flags, maxOutputTokens: 1 } });
		expect(reservationMicroUsd(tiny, 'echo')).toBe(reservationMicroUsd(target({ flags: { ...flags, maxOutputTokens: 16 } }), 'echo'));
	});

	test('a vector has no output to pay for', () => {
		const vectors = target({ operation: 'embeddings', canaries: [{ name: 'embedding', type: 'embedding', dimensions: null }] });
		expect(reservationMicroUsd(vectors)).toBe(reservationMicroUsd({ ...vectors, price: { ...price, outputUsdPerMTok: 1_000 } }));
	});
});

test('a forecast counts every canary, and its usual is below its highest', () => {
	const { probes, typical, highest } = forecastPerDayMicroUsd([target() as Target]);
	expect(probes).toBe(3);
	expect(typical).toBeGreaterThan(0);
	expect(typical).toBeLessThan(highest);
});
