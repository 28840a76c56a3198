import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DeliveryTry, decideDelivery, retryDelaysMs } from './alert-delivery.ts';

const failed = (status: number | null, retryAfterMs: number | null = null) => ({ kind: 'failed', status, retryAfterMs, message: 'x' }) as const;
const tried = (changes: Partial<DeliveryTry> = {}): DeliveryTry => ({ attempt: 1, ageMs: 0, jitter: 0, retryEveryMs: null, ...changes });
const hour = 3_600_000;

describe('a delivery', () => {
	it.each([
		[null, 'retry'],
		[500, 'retry'],
		[503, 'retry'],
		[429, 'retry'],
		[408, 'retry'],
		[302, 'retry'],
		[400, 'dead'],
		[401, 'dead'],
		[404, 'dead'],
		[410, 'dead'],
	])('that ends with %s is: %s', (status, kind) => {
		expect(decideDelivery(failed(status), tried()).kind).toBe(kind);
	});

	it('410, and nothing else, disables its endpoint', () => {
		expect(decideDelivery(failed(410), tried())).toMatchObject({ disable: true });
		expect(decideDelivery(failed(404), tried())).toMatchObject({ disable: false });
	});

	it('is given up when the service says itself that it is final', () => {
		expect(decideDelivery({ ...failed(null), final: true }, tried()).kind).toBe('dead');
	});

	it('waits at least as long as the receiver asks', () => {
		expect(decideDelivery(failed(429, 60_000), tried())).toMatchObject({ afterMs: 60_000 });
		expect(decideDelivery(failed(429, 1), tried())).toMatchObject({ afterMs: retryDelaysMs[0] });
	});

	it('is given up after the published schedule of about 76 hours, and not before', () => {
		const attempts = retryDelaysMs.length + 1;
		for (let attempt = 1; attempt < attempts; attempt += 1) expect(decideDelivery(failed(500), tried({ attempt })).kind).toBe('retry');
		expect(decideDelivery(failed(500), tried({ attempt: attempts })).kind).toBe('dead');
		expect(retryDelaysMs.reduce((sum, delay) => sum + delay, 0) / hour).toBeCloseTo(75.6, 0);
	});

	it('to a service that forgets is tried each time it would be told, over the same 76 hours', () => {
		expect(decideDelivery(failed(500), tried({ attempt: 300, ageMs: 75 * hour, retryEveryMs: 60_000 }))).toMatchObject({ kind: 'retry', afterMs: 60_000 });
		expect(decideDelivery(failed(500), tried({ attempt: 1, ageMs: 0, retryEveryMs: 60_000 }))).toMatchObject({ afterMs: 5_000 });
		expect(decideDelivery(failed(500), tried({ attempt: 5_000, ageMs: 76 * hour, retryEveryMs: 60_000 })).kind).toBe('dead');
	});

	it('is spread by at most a tenth, never tried early', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: retryDelaysMs.length }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, jitter) => {
				const delay = retryDelaysMs[attempt - 1] ?? 0;
				const decision = decideDelivery(failed(null), tried({ attempt, jitter }));
				expect(decision.kind === 'retry' && decision.afterMs >= delay && decision.afterMs <= delay * 1.1 + 1).toBe(true);
			}),
		);
	});
});
