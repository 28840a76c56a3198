import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleNow, sampleTarget } from '#test/sample-results.ts';
import { type CadencePlan, createPlannedTargets, keepsSlot, planInForce, planKeptMs, plannedIntervalMs, stretchedTargets } from './cadence.ts';
import { type CadenceFacts, type CadenceTarget, planCadence } from './plan-cadence.ts';
import { slotsDue, specsOf } from './schedule.ts';

const hourMs = 3_600_000;
const target = fc.record({
	provider: fc.constantFrom('acme', 'bolt', 'core'),
	intervalMs: fc.constantFrom(10_000, 60_000, 90_000, 300_000, hourMs),
	probesPerSlot: fc.integer({ min: 1, max: 6 }),
	probeMicroUsd: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 })),
	urgency: fc.constantFrom(null, null, null, 'incident' as const, 'near' as const),
	unstable: fc.boolean(),
});
const facts = fc
	.record({
		targets: fc.array(target, { minLength: 1, maxLength: 12 }),
		leftMs: fc.integer({ min: 1, max: 86_400_000 }),
		/** Of what the configured cadence would cost. */
		share: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_300 })).map((one) => one / 1_000),
	})
	.map(({ targets, leftMs, share }): CadenceFacts => {
		const named = targets.map((one, i): CadenceTarget => ({ ...one, id: `${one.provider}:m${i}:chat` }));
		const full = named.reduce((sum, one) => sum + (one.probeMicroUsd * one.probesPerSlot * leftMs) / one.intervalMs, 0);
		return { now: sampleNow, dayEndsAt: sampleNow + leftMs, leftMicroUsd: Math.floor(full * share), vantages: ['fra', 'iad'], targets: named, previous: null };
	});
const factorOf = (plan: CadencePlan, id: string) => plan.cadences[id]?.factor ?? 1;
const baseOf = (plan: CadencePlan, id: string) => plan.cadences[id]?.baseFactor ?? 1;
const dailyFloor = ({ intervalMs }: CadenceTarget, factor: number) => intervalMs * factor * 2 > 86_400_000;

describe('the plan of a short day', () => {
	it('never takes more than is left, but where not even a probe a day of each is paid', () => {
		fc.assert(
			fc.property(facts, (given) => {
				const plan = planCadence(given);
				if (given.leftMicroUsd === 0) return;
				if (given.targets.every((one) => one.probeMicroUsd === 0 || dailyFloor(one, baseOf(plan, one.id)))) return;
				expect(plan.plannedMicroUsd).toBeLessThanOrEqual(Math.ceil(given.leftMicroUsd));
			}),
		);
	});

	it('changes nothing while money is ample, or when none is left', () => {
		fc.assert(
			fc.property(facts, (given) => {
				const forecast = planCadence(given).forecastMicroUsd;
				for (const leftMicroUsd of [Math.ceil(forecast / 0.95) + 1, 0]) expect(planCadence({ ...given, leftMicroUsd }).cadences).toEqual({});
			}),
		);
	});

	it('is the same from the same facts in any order', () => {
		fc.assert(
			fc.property(facts, (given) => {
				expect(planCadence({ ...given, targets: [...given.targets].reverse() })).toEqual(planCadence(given));
			}),
		);
	});

	it('stretches by powers of two, and what costs nothing not at all', () => {
		fc.assert(
			fc.property(facts, (given) => {
				const plan = planCadence(given);
				for (const one of given.targets) {
					expect(Math.log2(factorOf(plan, one.id)) % 1).toBe(0);
					expect(factorOf(plan, one.id)).toBeLessThanOrEqual(baseOf(plan, one.id));
					if (one.probeMicroUsd === 0) expect(factorOf(plan, one.id)).toBe(1);
				}
			}),
		);
	});

	it('gives each target a probe an hour while that is affordable', () => {
		fc.assert(
			fc.property(facts, (given) => {
				const leftMs = given.dayEndsAt - given.now;
				const hourly = given.targets.reduce((sum, one) => sum + (one.probeMicroUsd * one.probesPerSlot * leftMs) / Math.max(hourMs / 2, one.intervalMs), 0);
				if (given.leftMicroUsd * 0.95 < hourly) return;
				const plan = planCadence(given);
				for (const { id, intervalMs } of given.targets) expect(intervalMs * factorOf(plan, id)).toBeLessThanOrEqual(Math.max(hourMs, intervalMs));
			}),
		);
	});

	it('an incident never makes its own target’s cadence rarer', () => {
		fc.assert(
			fc.property(facts, fc.nat(11), (given, place) => {
				const calm = { ...given, targets: given.targets.map((one) => ({ ...one, urgency: null })) };
				const pick = calm.targets[place % calm.targets.length] as CadenceTarget;
				const pressed = { ...calm, targets: calm.targets.map((one) => (one.id === pick.id ? { ...one, urgency: 'incident' as const } : one)) };
				expect(factorOf(planCadence(pressed), pick.id)).toBeLessThanOrEqual(Math.max(factorOf(planCadence(calm), pick.id), 1));
			}),
		);
	});

	const fleet = (changes: Partial<Record<string, Partial<CadenceTarget>>> = {}): CadenceTarget[] =>
		['acme', 'bolt'].flatMap((provider) =>
			[10, 100, 1_000].map((probeMicroUsd, i) => {
				const id = `${provider}:m${i}:chat`;
				return { id, provider, intervalMs: 60_000, probesPerSlot: 2, probeMicroUsd, urgency: null, unstable: false, ...changes[id] };
			}),
		);
	const full = 2 * 2 * 1_110 * 720;
	const short = (share: number, changes?: Parameters<typeof fleet>[0]): CadenceFacts => ({
		...{ now: sampleNow, dayEndsAt: sampleNow + 12 * hourMs, leftMicroUsd: full * share, vantages: ['iad', 'fra'], targets: fleet(changes), previous: null },
	});

	it('a fifth of the money: the cheap ones watch for their siblings at nearly the configured pace, the dear are probed rarely', () => {
		const plan = planCadence(short(0.2));
		expect(Object.fromEntries(Object.entries(plan.cadences).map(([id, { factor, reason }]) => [id, `${factor} ${reason}`]))).toMatchInlineSnapshot(`
			{
			  "acme:m1:chat": "2 value",
			  "acme:m2:chat": "8 value",
			  "bolt:m2:chat": "8 value",
			}
		`);
	});

	it('what is in an incident comes first, what is near a threshold second', () => {
		const dear = 'acme:m2:chat';
		const calm = planCadence(short(0.1));
		const near = planCadence(short(0.1, { [dear]: { urgency: 'near' } }));
		const incident = planCadence(short(0.1, { [dear]: { urgency: 'incident' } }));
		expect([calm, near, incident].map((plan) => factorOf(plan, dear))).toMatchInlineSnapshot(`
			[
			  16,
			  8,
			  2,
			]
		`);
		expect(incident.cadences[dear]?.reason).toBe('incident');
	});

	it('keeps its base for a quarter of an hour, so that cadence does not waver; an incident is heard at once all the same', () => {
		const first = planCadence(short(0.2));
		const later = { ...short(0.2), now: sampleNow + 30_000, previous: first };
		expect(planCadence(later)).toMatchObject({ baseAt: first.baseAt, cadences: first.cadences });
		expect(planCadence({ ...later, now: sampleNow + 900_000 }).baseAt).toBe(sampleNow + 900_000);
		expect(planCadence({ ...later, leftMicroUsd: full * 0.05 }).baseAt).toBe(sampleNow + 30_000);
		const pressed = planCadence({ ...later, targets: fleet({ 'acme:m2:chat': { urgency: 'incident' } }) });
		expect(factorOf(pressed, 'acme:m2:chat')).toBeLessThan(factorOf(first, 'acme:m2:chat'));
	});

	it('a cadence that was raised is not called stale for want of a probe that could not be there yet', () => {
		const before = planCadence(short(0.1));
		const after = planCadence({ ...short(2), now: sampleNow + 60_000, previous: before });
		const dear = { id: 'acme:m2:chat', intervalMs: 60_000 };
		const rare = 60_000 * baseOf(before, dear.id);
		expect(plannedIntervalMs(dear, before, sampleNow)).toBe(rare);
		expect(plannedIntervalMs(dear, after, sampleNow + 60_000)).toBe(rare);
		expect(plannedIntervalMs(dear, after, sampleNow + 600_000)).toBe(60_000);
		expect(planCadence({ ...short(2), now: sampleNow + 600_000, previous: after }).cadences).toEqual({});
	});
});

describe('the slots that run', () => {
	const targets = ['acme:a:chat', 'acme:b:chat', 'acme:c:chat'].map((id) => sampleTarget(id, { intervalMs: 60_000 }));
	const planOf = (factor: number): CadencePlan => ({
		...{ version: 1, madeAt: sampleNow, baseAt: sampleNow, leftMicroUsd: 1, forecastMicroUsd: 2, plannedMicroUsd: 1, vantages: ['fra', 'iad'] },
		cadences: Object.fromEntries(targets.map(({ id }, turn) => [id, { factor, baseFactor: factor, reason: 'value', turn, slack: null }])),
	});
	const powers = fc.integer({ min: 0, max: 7 }).map((exponent) => 2 ** exponent);
	const kept = (factor: number, from: number, slots: number) =>
		planOf(factor).vantages.flatMap((vantage) =>
			slotsDue(specsOf(targets, vantage), from, from + slots * 60_000).filter((slot) => keepsSlot(planOf(factor), slot, slot.slotAt)),
		);

	it('of each series exactly one in so many, and those of a greater factor are among those of a smaller', () => {
		fc.assert(
			fc.property(powers, fc.integer({ min: 0, max: 1e9 }), (factor, shift) => {
				const from = sampleNow + shift;
				const counts = Map.groupBy(kept(factor, from, factor), ({ target: { id }, vantage }) => `${id} ${vantage}`);
				expect([...counts.values()].map((own) => own.length)).toEqual([1, 1, 1, 1, 1, 1]);
				const oftener = new Set(kept(factor / 2 || 1, from, factor).map(({ target: { id }, vantage, slotAt }) => `${id} ${vantage} ${slotAt}`));
				for (const {
					target: { id },
					vantage,
					slotAt,
				} of kept(factor, from, factor))
					expect(oftener).toContain(`${id} ${vantage} ${slotAt}`);
			}),
			{ numRuns: 30 },
		);
	});

	it('siblings and vantages take turns: the six series of a provider are never silent for long', () => {
		for (const factor of [8, 16, 32]) {
			const slots = kept(factor, sampleNow, 4 * factor)
				.map(({ slotAt }) => Math.floor(slotAt / 60_000))
				.sort((a, b) => a - b);
			const longest = Math.max(...slots.slice(1).map((slot, i) => slot - (slots[i] ?? 0)));
			expect(longest).toBeLessThanOrEqual(Math.ceil((2.5 * factor) / 6));
		}
	});

	it('without a plan all of them run, and of a vantage that the plan does not know as many as of others', () => {
		const [spec] = specsOf(targets, 'new');
		if (spec === undefined) throw new Error('Expected a series');
		const slots = Array.from({ length: 16 }, (_, i) => sampleNow + i * 60_000);
		expect(slots.filter((slotAt) => keepsSlot(null, spec, slotAt))).toHaveLength(16);
		expect(slots.filter((slotAt) => keepsSlot(planOf(4), spec, slotAt))).toHaveLength(4);
	});

	it('a plan that is old or of another version is not followed', () => {
		const plan = planOf(4);
		expect(planInForce(plan, sampleNow + planKeptMs)).toBe(plan);
		expect(planInForce(plan, sampleNow + planKeptMs + 1)).toBeNull();
		expect(planInForce({ ...plan, version: 2 }, sampleNow)).toBeNull();
		expect(planInForce(null, sampleNow)).toBeNull();
	});

	it('the planned targets are the configured ones where nothing is stretched, and one array while nothing moves', () => {
		const planned = createPlannedTargets();
		expect(planned(targets, null)).toBe(targets);
		expect(planned(targets, planOf(4))[0]?.intervalMs).toBe(240_000);
		expect(planned(targets, { ...planOf(4), madeAt: sampleNow + 1 })).toBe(planned(targets, planOf(4)));
		expect(stretchedTargets(planOf(4)).map(({ id }) => id)).toEqual(targets.map(({ id }) => id));
	});
});
