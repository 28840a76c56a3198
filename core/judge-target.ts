/** The verdict on one target: what open incidents, doubts and silence make of its state. The worst that a majority of the trusted vantages sees. */
import type { Incident } from './incident.ts';
import type { Outcome } from './outcome.ts';
import { overrideWords } from './override-incident.ts';
import type { CanaryFault } from './snapshot.ts';
import type { State } from './state.ts';
import type { Target } from './target.ts';

/** Loud evidence whose blame is not settled yet: it may be the provider, it may be us. Nulls: all. */
export interface Doubt {
	readonly provider: string | null;
	readonly model: string | null;
	readonly operation: string | null;
	readonly vantage: string | null;
	/** Start of the first bad result, ms since epoch. */
	readonly sinceAt: number;
	readonly reason: string;
}

/** An announced maintenance that runs now. */
export interface RunningMaintenance {
	readonly fromAt: number;
	readonly reason: string;
}

/** What a verdict needs of the newest results of one vantage. */
export interface Heard {
	/** Start of the newest result that ran, and of the newest good or bad one; null before the first. */
	readonly measuredAt: number | null;
	readonly validAt: number | null;
	/** Outcome of the newest result that ran. */
	readonly outcome: Outcome | null;
}

export interface VerdictFacts {
	readonly firstScheduledAt: number | null;
	/** How far its results may be apart while the budget is short, ms; left out: its interval. */
	readonly plannedIntervalMs?: number | undefined;
	/** By vantage. */
	readonly heard: Readonly<Record<string, Heard>>;
	/** Every incident that names the target, open or over. */
	readonly incidents: readonly Incident[];
	readonly doubts: readonly Doubt[];
	readonly maintenance: RunningMaintenance | null;
	/** A canary that the target does not accept, which may be why nothing counts; left out: none. */
	readonly canaryFault?: Pick<CanaryFault, 'canary' | 'state' | 'field'> | undefined;
}

/** The words hold still while the verdict does: counters and ages stay out of them, so that the small feed's ETag can too. */
export interface TargetVerdict {
	readonly state: State;
	readonly reason: string;
	/** ms since epoch. */
	readonly sinceAt: number;
	/** Id of the open provider incident that sets the state; null when none does. */
	readonly incident: string | null;
}

/** Three missed slots, and the time that the last probe may take. @param plannedIntervalMs where the budget stretches its cadence */
export function staleAfterMs({ intervalMs, timeouts }: Pick<Target, 'intervalMs' | 'timeouts'>, plannedIntervalMs = intervalMs): number {
	return 3 * plannedIntervalMs + timeouts.totalMs;
}

export function judgeTarget(target: Target, facts: VerdictFacts, now: number): TargetVerdict {
	const { heard, incidents, maintenance, firstScheduledAt } = facts;
	const open = incidents.filter(({ cause, resolvedAt }) => cause === 'provider' && resolvedAt === null);
	const worst = [...open].sort((a, b) => weightOf(stateOf(b)) - weightOf(stateOf(a)))[0];
	if (maintenance !== null) return { state: 'under_maintenance', reason: maintenance.reason, sinceAt: maintenance.fromAt, incident: worst?.id ?? null };

	const validAt = latest(Object.values(heard).map((one) => one.validAt));
	if (validAt === null || now - validAt > staleAfterMs(target, facts.plannedIntervalMs)) {
		// An incident that nobody looks at any more is no verdict either.
		return { state: 'unknown', reason: blindReason(heard, facts.canaryFault), sinceAt: validAt ?? firstScheduledAt ?? now, incident: worst?.id ?? null };
	}
	const blind = incidents.filter(({ condition, resolvedAt }) => condition === 'blind' && resolvedAt === null);
	const isBlind = (vantage: string) => blind.some(({ scope }) => scope.vantage === null || scope.vantage === vantage);
	const trusted = Object.keys(heard).filter((vantage) => !isBlind(vantage));
	if (worst !== undefined) return judgeOpen(open, trusted);

	const [own] = blind;
	if (trusted.length === 0 && own !== undefined) return { state: 'unknown', reason: `we cannot see: ${own.reason}`, sinceAt: own.startedAt, incident: null };
	const doubt = facts.doubts.find((one) => isMajority(one.vantage === null ? trusted : [one.vantage], trusted));
	if (doubt !== undefined)
		return { state: 'unknown', reason: `failing, and not yet clear whose fault it is: ${doubt.reason}`, sinceAt: doubt.sinceAt, incident: null };
	const overruled = incidents.find(({ override }) => override?.judged.cause === 'provider' && override.judged.resolvedAt === null)?.override;
	if (overruled !== undefined) {
		const state = overruled.falseAlarm ? ('operational' as const) : ('unknown' as const);
		return { state, reason: overrideWords(overruled), sinceAt: overruled.at, incident: null };
	}
	const lastResolved = latest(incidents.filter(({ cause }) => cause === 'provider').map(({ resolvedAt }) => resolvedAt));
	return { state: 'operational', reason: 'answers as expected', sinceAt: lastResolved ?? firstScheduledAt ?? now, incident: null };
}

const rank: readonly State[] = ['operational', 'unknown', 'under_maintenance', 'degraded_performance', 'partial_outage', 'major_outage'];
const weightOf = (state: State) => rank.indexOf(state);

/** What an incident makes of its targets where it holds. */
export function stateOf({ severity, condition }: Pick<Incident, 'severity' | 'condition'>): State {
	if (severity === 'down') return 'major_outage';
	return condition === 'outage' ? 'partial_outage' : 'degraded_performance';
}

/** Each state from the worst down: seen by most trusted vantages it is the target's; seen by fewer it is a regional issue. */
function judgeOpen(open: readonly Incident[], trusted: readonly string[]): TargetVerdict {
	const sorted = [...open].sort((a, b) => weightOf(stateOf(b)) - weightOf(stateOf(a)));
	const seenBy = (incident: Incident) => (incident.scope.vantage === null ? trusted : trusted.filter((vantage) => vantage === incident.scope.vantage));
	for (const [i, incident] of sorted.entries()) {
		const asBad = new Set(sorted.slice(0, i + 1).flatMap(seenBy));
		if (incident.scope.vantage === null || isMajority([...asBad], trusted))
			return { state: stateOf(incident), reason: incident.reason, sinceAt: incident.startedAt, incident: incident.id };
	}
	const [first] = sorted;
	if (first === undefined) throw new Error('Expected an open incident, got none');
	const where = [...new Set(sorted.map(({ scope }) => scope.vantage ?? ''))].sort().join(', ');
	const state = stateOf(first) === 'major_outage' ? 'partial_outage' : 'degraded_performance';
	return { state, reason: `regional issue, from ${where} only: ${first.reason}`, sinceAt: first.startedAt, incident: first.id };
}

const isMajority = (some: readonly string[], all: readonly string[]) => some.filter((one) => all.includes(one)).length * 2 > all.length;

const blindWords: Partial<Record<Outcome, string>> = {
	auth_failed: 'we cannot see: our API key is refused',
	forbidden: 'we cannot see: our account has no access',
	quota_exhausted: 'we cannot see: our quota or credit is used up',
	rate_limited: 'we cannot see: our own rate limit is reached',
	bad_request: 'we cannot see: our canary is refused as malformed',
	model_not_found: 'the provider does not know this model id',
	edge_blocked: 'we cannot see: a firewall blocks the monitor',
	content_blocked: 'we cannot see: a content filter stops the canary',
	throttled: 'we cannot see: refused with 429, without evidence whose limit it is',
	monitor_fault: 'we cannot see: trouble of the monitor itself',
	dns_failed: 'we cannot see: no confirmed connection from here',
	connect_failed: 'we cannot see: no confirmed connection from here',
	tls_failed: 'we cannot see: no confirmed connection from here',
};

function blindReason(heard: VerdictFacts['heard'], fault: VerdictFacts['canaryFault']): string {
	const newest = Object.values(heard)
		.filter(({ measuredAt }) => measuredAt !== null)
		.sort((a, b) => (b.measuredAt ?? 0) - (a.measuredAt ?? 0))[0];
	if (newest?.outcome == null) return 'not measured yet';
	if (newest.measuredAt === newest.validAt) return 'no recent measurement';
	if (fault?.state === 'untested') return `we cannot see: the canary \`${fault.canary}\` was never accepted, so its failures do not count`;
	if (fault !== undefined && newest.outcome === 'bad_request')
		return `${blindWords.bad_request}${fault.field === null ? '' : `, for its field \`${fault.field}\``}`;
	return blindWords[newest.outcome] ?? 'no recent measurement';
}

function latest(times: readonly (number | null)[]): number | null {
	return times.reduce((newest, at) => (at === null || (newest !== null && newest >= at) ? newest : at), null);
}
