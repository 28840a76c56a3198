/** Holds what was decided and sent against what a scenario expected. Pure. */
import type { Scope } from '#core/incident.ts';
import type { IncidentDecision } from '#core/judge/decision.ts';
import type { Play } from './play-scenario.ts';
import type { Scenario, ScenarioFault } from './scenario.ts';

export interface FaultScore {
	/** Place of the fault in the scenario, from 0. */
	readonly fault: number;
	/** ms from its start until told; until the right scope was named; from its end until over. Null: never. */
	readonly detectMs: number | null;
	readonly scopeMs: number | null;
	readonly clearMs: number | null;
	/** What went otherwise than expected, in words. */
	readonly complaints: readonly string[];
}

export interface PlayScore {
	readonly faults: readonly FaultScore[];
	/** Titles of incidents that nobody expected. */
	readonly falseAlarms: readonly string[];
	/** Of these, how many blame a provider. */
	readonly misblamed: number;
	readonly messageCount: number;
	readonly incidentCount: number;
}

interface Life {
	readonly id: string;
	readonly openedAt: number;
	readonly cause: string;
	readonly condition: string;
	readonly title: string;
	readonly scopes: { at: number; scope: Scope }[];
	resolvedAt: number | null;
}

/** A result may be on its way this long after the trouble has ended. */
const graceMs = 90_000;

export function scorePlay(scenario: Scenario, play: Pick<Play, 'startAt' | 'decisions' | 'messages'>): PlayScore {
	const lives = livesOf(play.decisions);
	const expected = scenario.faults.flatMap((fault, i) => (fault.expect == null ? [] : [{ fault, i }]));
	const matches = (life: Life, fault: ScenarioFault) =>
		life.cause === fault.expect?.cause &&
		life.openedAt >= play.startAt + fault.at &&
		life.openedAt <= play.startAt + fault.until + graceMs &&
		life.scopes.some(({ scope }) => overlaps(scope, entityOf(fault)));
	const faults = expected.map(({ fault, i }): FaultScore => {
		const [fromAt, toAt] = [play.startAt + fault.at, play.startAt + fault.until];
		const mine = lives.filter((life) => matches(life, fault));
		const first = mine.reduce<Life | null>((earliest, life) => (earliest === null || life.openedAt < earliest.openedAt ? life : earliest), null);
		const named = mine.flatMap(({ scopes }) => scopes.filter(({ scope }) => same(scope, entityOf(fault)))).sort((a, b) => a.at - b.at)[0];
		const last = mine.reduce<number | null>((latest, { resolvedAt }) => (resolvedAt === null ? latest : Math.max(latest ?? 0, resolvedAt)), null);
		const open = mine.some(({ resolvedAt }) => resolvedAt === null);
		const score = {
			detectMs: first === null ? null : first.openedAt - fromAt,
			scopeMs: named === undefined ? null : named.at - fromAt,
			clearMs: last === null || open ? null : Math.max(0, last - toAt),
		};
		const { within, clear, condition } = fault.expect ?? { within: 0, clear: 0, condition: undefined };
		const complaints = [
			...(score.detectMs === null
				? ['missed']
				: score.detectMs > within
					? [`told after ${score.detectMs / 1_000} s, expected within ${within / 1_000} s`]
					: []),
			...(first !== null && named === undefined ? [`named ${mine.map(({ title }) => title).join(', ')}`] : []),
			...(first !== null && condition !== undefined && !mine.some((life) => life.condition === condition)
				? [`told as ${first.condition}, expected ${condition}`]
				: []),
			...(first !== null && score.clearMs === null ? ['not over in the end'] : []),
			...(score.clearMs !== null && score.clearMs > clear ? [`over after ${score.clearMs / 1_000} s, expected within ${clear / 1_000} s`] : []),
		];
		return { fault: i, ...score, complaints };
	});
	const strange = lives.filter((life) => !expected.some(({ fault }) => matches(life, fault)));
	return {
		faults,
		falseAlarms: strange.map(({ title, cause }) => `${title} (${cause})`),
		misblamed: strange.filter(({ cause }) => cause === 'provider').length,
		messageCount: play.messages.length,
		incidentCount: lives.length,
	};
}

function livesOf(decisions: readonly IncidentDecision[]): Life[] {
	const lives = new Map<string, Life>();
	for (const { type, incidentId: id, at, scope, cause, condition, title } of decisions) {
		const life = lives.get(id) ?? { id, openedAt: at, cause, condition, title, scopes: [], resolvedAt: null };
		lives.set(id, life);
		if (type === 'open' || type === 'reopen' || type === 'update') life.scopes.push({ at, scope });
		if (type === 'reopen') life.resolvedAt = null;
		if (type === 'resolve') life.resolvedAt = at;
	}
	return [...lives.values()];
}

type Entity = Pick<Scope, 'provider' | 'model' | 'vantage'>;

function entityOf(fault: ScenarioFault): Entity {
	const { provider = null, model = null, vantage = null } = fault.expect?.entity ?? fault;
	return { provider, model, vantage };
}

const same = (a: Entity, b: Entity) => a.provider === b.provider && a.model === b.model && a.vantage === b.vantage;
const overlaps = (a: Entity, b: Entity) =>
	(['provider', 'model', 'vantage'] as const).every((part) => a[part] === null || b[part] === null || a[part] === b[part]);
