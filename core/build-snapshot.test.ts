import { describe, expect, it } from 'vitest';
import { sampleIncident } from '#test/sample-incident.ts';
import { buildSnapshot, type SnapshotFacts } from './build-snapshot.ts';
import { dayState, overlapMinutes } from './day-views.ts';
import type { Incident, OperatorEntry } from './incident.ts';
import type { StoredOfficialIncident } from './official.ts';
import { overrideIncident } from './override-incident.ts';
import { emptyRollup, rollupOf } from './rollup.ts';
import { readSnapshot, writeSnapshot } from './snapshot-text.ts';
import type { Target } from './target.ts';
import type { RecentResults, TargetFacts } from './target-view.ts';
import { latencyFigures } from './window-figures.ts';

const now = Date.UTC(2026, 10, 23, 12);
const target = {
	id: 'groq:m:chat',
	provider: 'groq',
	providerName: 'Groq',
	model: 'm',
	operation: 'chat',
	upstreamModel: 'm',
	intervalMs: 60_000,
	timeouts: { connectMs: 1, firstTokenMs: 1, stallMs: 1, totalMs: 60_000 },
	canaries: [{ name: 'echo', type: 'echo' }],
	price: null,
	statusPageUrl: null,
} as unknown as Target;
const seen: RecentResults = {
	measuredAt: now - 30_000,
	validAt: now - 30_000,
	outcome: 'ok',
	subcode: null,
	retryAfterMs: null,
	votes: ['good', 'good', 'good'],
};
const ok = {
	outcome: 'ok',
	sli: 'good',
	startedAt: 1,
	ttftMs: 200,
	totalMs: 400,
	outputTokensPerSecond: 50,
	inputTokens: 9,
	outputTokens: 30,
	costMicroUsd: 5,
} as const;

function snapshot(
	changes: Partial<Pick<SnapshotFacts, 'incidents' | 'doubts' | 'maintenances' | 'official' | 'simulated' | 'now'>> & {
		recent?: Record<string, RecentResults>;
		facts?: Partial<TargetFacts>;
	} = {},
) {
	const facts: TargetFacts = {
		firstScheduledAt: now - 86_400_000 * 2,
		windows: {},
		latency: {},
		recent: changes.recent ?? { local: seen },
		...changes.facts,
	};
	const input: SnapshotFacts = {
		now: changes.now ?? now,
		number: 7,
		title: 'LLM status',
		url: null,
		simulated: changes.simulated ?? false,
		intervalMs: 60_000,
		vantages: ['local'],
		targets: [target],
		facts: new Map([[target.id, facts]]),
		incidents: changes.incidents ?? [],
		doubts: changes.doubts ?? [],
		maintenances: changes.maintenances ?? [],
		...(changes.official === undefined ? {} : { official: changes.official }),
		drill: null,
	};
	return readSnapshot(writeSnapshot(buildSnapshot(input)));
}

const first = (built: ReturnType<typeof snapshot>) => {
	const [view] = built.targets;
	if (view === undefined) throw new Error('no target');
	return view;
};

const outage: Incident = {
	id: 'inc-1',
	scope: { provider: 'groq', model: 'm', operation: 'chat', vantage: null },
	condition: 'outage',
	cause: 'provider',
	severity: 'down',
	impact: 'major',
	status: 'identified',
	title: 'm on groq: outage',
	startedAt: now - 600_000,
	detectedAt: now - 590_000,
	resolvedAt: null,
	reason: '3 of the last 3 results failed: server_error',
	evidence: { good: 0, bad: 3, excluded: 0, outcomes: { server_error: 3 }, vantages: ['local'], exampleResultIds: [], nats: null, checked: null },
	updates: [],
	relapseCount: 0,
	targetIds: [target.id],
};

it('of a target that a short budget stretches to every ten minutes silence is stale after three of those, and its coverage tells what was left out', () => {
	const quiet = { local: { ...seen, measuredAt: now - 900_000, validAt: now - 900_000 } };
	expect(first(snapshot({ recent: quiet })).state).toBe('unknown');
	const stretched = snapshot({ recent: quiet, facts: { plannedIntervalMs: 600_000, windows: { '1d': { ...emptyRollup, count: 1_440, missed: 1_296 } } } });
	expect(first(stretched)).toMatchObject({ intervalMs: 60_000, plannedIntervalMs: 600_000 });
	expect(first(snapshot({ recent: quiet }))).toMatchObject({ intervalMs: 60_000, plannedIntervalMs: 60_000 });
	expect(first(stretched)).toMatchObject({ state: 'operational', staleAfter: new Date(now - 900_000 + 1_860_000).toISOString(), coverage: { ran: 144 } });
	expect(first(stretched).coverage.ratio).toBeCloseTo(0.1, 2);
	expect(stretched.vantages).toMatchObject([{ state: 'trusted' }]);
});

const from = (vantage: string): Incident => ({ ...outage, id: `inc-${vantage}`, scope: { ...outage.scope, vantage }, impact: 'minor' });
const blind = (vantage: string): Incident => ({
	...outage,
	id: `blind-${vantage}`,
	condition: 'blind',
	cause: 'monitor',
	severity: 'info',
	impact: 'none',
	scope: { provider: null, model: null, operation: null, vantage },
});

describe('what a provider says of itself', () => {
	const said: StoredOfficialIncident = {
		...{
			provider: 'groq',
			officialId: 'o1',
			title: 'Errors',
			impact: 'critical',
			status: 'investigating',
			url: null,
			components: [],
			targetIds: [],
			updates: [],
		},
		...{ startedAt: now - 60_000, firstUpdateAt: now - 60_000, resolvedAt: null, seenAt: now - 50_000 },
	};
	it('stands beside our incident, with its lag, and is no evidence', () => {
		const built = snapshot({ incidents: [outage], official: [said] });
		expect(built.incidents[0]?.official).toMatchObject([{ id: 'o1', lagMs: 530_000, words: 'acknowledged 8 min after we measured it' }]);
		expect(built.official).toMatchObject([{ provider: 'groq', id: 'o1', status: 'investigating' }]);
		const without = snapshot({ incidents: [outage] });
		expect(without.incidents[0]).not.toHaveProperty('official');
		expect(built.verdictRevision).toBe(without.verdictRevision);
		expect(built.targets).toEqual(without.targets);
	});
	it('makes nothing down by itself', () => {
		expect(first(snapshot({ official: [said] })).state).toBe('operational');
	});
});

describe('the state of a target', () => {
	it.each<[string, Parameters<typeof snapshot>[0], string]>([
		['answering is operational', {}, 'operational'],
		['an open outage is a major outage', { incidents: [outage] }, 'major_outage'],
		['slow answers are degraded performance', { incidents: [{ ...outage, condition: 'slow', severity: 'degraded', impact: 'minor' }] }, 'degraded_performance'],
		['a resolved outage is over', { incidents: [{ ...outage, resolvedAt: now - 1_000 }] }, 'operational'],
		[
			'our own refused key is no outage of theirs',
			{ incidents: [{ ...outage, condition: 'credentials', cause: 'credentials', impact: 'none' }] },
			'operational',
		],
		['never measured is unknown, never green', { recent: {} }, 'unknown'],
		['silent for more than three slots is unknown', { recent: { local: { ...seen, measuredAt: now - 300_000, validAt: now - 300_000 } } }, 'unknown'],
		['an incident that nobody looks at any more is unknown', { incidents: [outage], recent: { local: { ...seen, validAt: now - 300_000 } } }, 'unknown'],
	])('%s', (_, changes, state) => {
		expect(first(snapshot(changes)).state).toBe(state);
	});

	it('when only our key is refused, it says that we can’t see', () => {
		const view = first(snapshot({ recent: { local: { ...seen, outcome: 'auth_failed', validAt: now - 600_000 } } }));
		expect(view).toMatchObject({ state: 'unknown', reason: 'we cannot see: our API key is refused' });
	});

	it('down from one of two vantages is a regional issue, with the vantage named', () => {
		const view = first(snapshot({ recent: { fra: seen, iad: seen }, incidents: [from('fra')] }));
		expect(view).toMatchObject({ state: 'partial_outage', reason: `regional issue, from fra only: ${outage.reason}`, incident: 'inc-fra' });
	});

	it('down from two of three vantages is an outage: a strict majority', () => {
		const recent = { fra: seen, iad: seen, sin: seen };
		expect(first(snapshot({ recent, incidents: [from('fra'), from('iad')] })).state).toBe('major_outage');
	});

	it('a blind vantage has no vote', () => {
		const recent = { fra: seen, iad: seen, sin: seen };
		expect(first(snapshot({ recent, incidents: [from('fra'), blind('iad'), blind('sin')] })).state).toBe('major_outage');
	});

	it('seen by blind vantages only it is unknown', () => {
		expect(first(snapshot({ incidents: [blind('local')] }))).toMatchObject({ state: 'unknown', reason: `we cannot see: ${outage.reason}` });
	});

	it('loud, and not settled whose fault: unknown, neither green nor red', () => {
		const doubt = { provider: 'groq', model: null, operation: null, vantage: null, sinceAt: now - 20_000, reason: 'other providers fail too' };
		expect(first(snapshot({ doubts: [doubt] }))).toMatchObject({ state: 'unknown', reason: expect.stringContaining('other providers fail too') });
		expect(first(snapshot({ doubts: [{ ...doubt, provider: 'acme' }] })).state).toBe('operational');
	});

	it('headroom is the scarcest of what headers tell, from any vantage, of requests or tokens; without headers there is none', () => {
		const told = { at: now - 5_000, requestsLimit: 100, requestsRemaining: 90, tokensLimit: null, tokensRemaining: null };
		const headroom = (...all: TargetFacts['headroom'] & object) => first(snapshot({ facts: { headroom: all } })).capacity.headroom;
		expect(headroom()).toBeNull();
		expect(headroom(told)).toEqual({ ratio: 0.9, of: 'requests', measuredAt: new Date(now - 5_000).toISOString() });
		expect(headroom(told, { ...told, tokensLimit: 30_000, tokensRemaining: 0 })).toMatchObject({ ratio: 0, of: 'tokens' });
		expect(headroom({ ...told, requestsRemaining: 150 })).toMatchObject({ ratio: 1 });
		expect(headroom({ ...told, requestsLimit: 0 }, { ...told, requestsRemaining: null })).toBeNull();
	});

	it('a part of the requests failing is a partial outage; no capacity at all is a major one', () => {
		expect(first(snapshot({ incidents: [{ ...outage, severity: 'degraded', impact: 'minor' }] })).state).toBe('partial_outage');
		const refused = { ...outage, condition: 'capacity' } as const;
		expect(first(snapshot({ incidents: [refused] }))).toMatchObject({ state: 'major_outage', capacity: { state: 'exhausted' } });
		expect(first(snapshot({ incidents: [{ ...refused, severity: 'degraded' }] }))).toMatchObject({
			state: 'degraded_performance',
			capacity: { state: 'strained' },
		});
	});

	it('announced maintenance is maintenance while it lasts, and an outage when it overruns', () => {
		const window = { id: 'm', provider: 'groq', model: null, operation: null, vantage: null, fromAt: now - 60_000, toAt: now + 60_000, reason: 'upgrade' };
		expect(first(snapshot({ incidents: [outage], maintenances: [window] })).state).toBe('under_maintenance');
		expect(first(snapshot({ incidents: [outage], maintenances: [{ ...window, toAt: now }] })).state).toBe('major_outage');
	});
});

describe('numbers', () => {
	const windows = { '30m': rollupOf([ok, ok, { ...ok, outcome: 'server_error', sli: 'bad' }]) };

	it('without data are null, never 0 and never 100 %', () => {
		const view = first(snapshot());
		expect(view.availability['30d']).toEqual({ good: 0, bad: 0, excluded: 0, ratio: null, low: null, high: null });
		expect([view.ttftMs, view.outputTokensPerSecond, view.capacity.ratio, view.quality.ratio]).toEqual([null, null, null, null]);
	});

	it('carry their counts', () => {
		expect(first(snapshot({ facts: { windows } })).availability['30m']).toMatchObject({ good: 2, bad: 1, ratio: 2 / 3 });
	});

	it('percentiles need five samples, and errors never improve them', () => {
		const few = rollupOf([ok, ok, ok, ok, { ...ok, outcome: 'server_error', sli: 'bad', ttftMs: 1 }]);
		expect(first(snapshot({ facts: { latency: { '30m': latencyFigures(few) } } })).ttftMs).toBeNull();
		const enough = rollupOf([ok, ok, ok, ok, ok]);
		const ttft = first(snapshot({ facts: { latency: { '30m': latencyFigures(enough) } } })).ttftMs;
		expect(ttft?.count).toBe(5);
		expect(Math.abs((ttft?.p50 ?? 0) - 200)).toBeLessThan(5);
	});

	it('coverage counts slots that were due, also those of which nothing is left', () => {
		const day = rollupOf(Array.from({ length: 100 }, () => ok));
		const { coverage } = first(snapshot({ facts: { windows: { '1d': day } } }));
		expect(coverage.ran).toBe(100);
		// A slot a minute, less the newest four minutes, whose probes may still run.
		expect(coverage.due).toBeGreaterThanOrEqual(1_435);
		expect(coverage.due).toBeLessThanOrEqual(1_436);
	});
});

describe('days', () => {
	it.each([
		[false, 0, 0, 'unknown'],
		[true, 0, 0, 'operational'],
		[true, 0, 12, 'degraded_performance'],
		[true, 3, 0, 'degraded_performance'],
		[true, 12, 0, 'partial_outage'],
		[true, 31, 0, 'major_outage'],
	] as const)('measured %s, %d min down, %d min degraded: %s', (measured, downMinutes, degradedMinutes, state) => {
		expect(dayState(measured, downMinutes, degradedMinutes)).toBe(state);
	});

	it('overlapping incidents count once, and an open one counts to now', () => {
		const minute = 60_000;
		const spans = [
			{ startedAt: 0, resolvedAt: 10 * minute },
			{ startedAt: 5 * minute, resolvedAt: 15 * minute },
			{ startedAt: 20 * minute, resolvedAt: null },
		];
		expect(overlapMinutes(spans, 0, 30 * minute)).toBe(25);
		expect(overlapMinutes(spans, 12 * minute, 20 * minute)).toBe(3);
	});

	it('are 90, in UTC, today last', () => {
		const days = first(snapshot({ incidents: [{ ...outage, startedAt: now - 3_600_000 }] })).days.unpack();
		expect(days).toHaveLength(90);
		expect(days.at(-1)).toMatchObject({ date: '2026-11-23', state: 'major_outage', downMinutes: 60 });
		expect(days[0]?.date).toBe('2026-08-26');
	});
});

describe('the revision of the verdicts', () => {
	it('holds still while only numbers and ages move', () => {
		const later = snapshot({
			now: now + 20_000,
			recent: { local: { ...seen, measuredAt: now + 1, validAt: now + 1 } },
			facts: { windows: { '30m': rollupOf([ok]) } },
		});
		expect(later.verdictRevision).toBe(snapshot().verdictRevision);
	});

	it('moves with a state and with an incident', () => {
		expect(
			new Set(
				[snapshot(), snapshot({ incidents: [outage] }), snapshot({ incidents: [{ ...outage, relapseCount: 1 }] })].map(
					({ verdictRevision }) => verdictRevision,
				),
			).size,
		).toBe(3);
	});
});

it('a simulated record says so', () => {
	expect(snapshot({ simulated: true }).simulated).toBe(true);
});

describe('an override of the operator', () => {
	const incident = sampleIncident({
		startedAt: now - 600_000,
		detectedAt: now - 540_000,
		updates: [],
		targetIds: [target.id],
		scope: { provider: target.provider, model: target.model, operation: target.operation, vantage: null },
	});
	const said = (changes: Partial<OperatorEntry>) =>
		overrideIncident(incident, [
			{ incidentId: incident.id, at: now - 1_000, by: 'ana', kind: 'false_alarm', value: null, body: 'our firewall', relapseCount: 0, ...changes },
		]);

	it.each([
		['a false alarm', {}, 'operational', 'the operator (ana) closed it as a false alarm: our firewall'],
		['a cause of ours', { kind: 'cause', value: 'monitor' }, 'unknown', 'the operator (ana) overrides what was judged: our firewall'],
	] as const)('%s moves the state and says so; no number of a day moves', (_, changes, state, reason) => {
		const [before, after] = [first(snapshot({ incidents: [incident] })), first(snapshot({ incidents: [said(changes)] }))];
		expect(before.state).toBe('major_outage');
		expect(after).toMatchObject({ state, reason });
		expect(after.days).toEqual(before.days);
		expect(after.days.unpack().at(-1)?.downMinutes).toBeGreaterThan(0);
	});

	it('stands in the incident with what was judged, and hides no incident', () => {
		const { incidents } = snapshot({ incidents: [said({ kind: 'cause', value: 'credentials' })] });
		expect(incidents).toMatchObject([
			{ id: incident.id, cause: 'credentials', override: { by: 'ana', why: 'our firewall', judged: { cause: 'provider', impact: 'major', resolvedAt: null } } },
		]);
		expect(incidents[0]?.updates[0]).toMatchObject({ operator: 'ana' });
	});
});
