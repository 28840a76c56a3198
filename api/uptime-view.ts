/** The same record of 24 hours under each named definition of uptime: why two pages differ about one provider. */
import { isOutcome, type Outcome, outcomes, ruleOf, type Sli } from '#core/outcome.ts';
import { availability } from '#core/sli.ts';
import type { Snapshot, TargetView } from '#core/snapshot.ts';

export const definitions = {
	linnet: 'good / (good + bad): our key, our quota, our network and our bugs are excluded',
	openrouter: 'ok / (ok + error): rate limits, our own bad requests and geo blocks are excluded; a refused key, an empty wallet and a missing model count',
	vercel: 'ok / (ok + error): rate limits and every fault of the caller are excluded',
	strict: 'ok / all that ran: everything but a complete, right answer is a failure',
	statuspage:
		'1 − minutes of confirmed outage / minutes of the measured days of the last 90; degraded minutes weigh nothing, as there (its 0.3 for a partial outage finds none: an incident here is an outage or a degradation)',
} as const;
export type Definition = keyof typeof definitions;
export const definitionNames = Object.keys(definitions) as Definition[];

const callersOwn: readonly Outcome[] = ['rate_limited', 'throttled', 'bad_request', 'forbidden', 'edge_blocked'];

function effectOf(definition: 'openrouter' | 'vercel' | 'strict', outcome: Outcome): Sli {
	if (outcome === 'ok') return 'good';
	const { group } = ruleOf(outcome);
	if (definition === 'strict') return outcome === 'monitor_fault' ? 'excluded' : 'bad';
	// An answer that fails only our expectation is an answer to them.
	if (group === 'content') return 'good';
	if (group === 'monitor' || callersOwn.includes(outcome)) return 'excluded';
	return definition === 'vercel' && group === 'caller' ? 'excluded' : 'bad';
}

function countedBy(definition: 'openrouter' | 'vercel' | 'strict', target: TargetView) {
	const sums = { good: 0, bad: 0, excluded: 0 };
	for (const [code, count] of Object.entries(target.outcomes)) if (isOutcome(code)) sums[effectOf(definition, code)] += count;
	return availability(sums.good, sums.bad, sums.excluded);
}

const minutesPerDay = 1_440;

/** By confirmed minutes, so it has no counts of results: its units are minutes. Today counts as far as it has passed. */
function countedByMinutes({ days }: TargetView, generatedAt: string) {
	const today = generatedAt.slice(0, 10);
	const passed = (Date.parse(generatedAt) - Date.parse(`${today}T00:00:00Z`)) / 60_000;
	const minutesOf = (date: string) => (date === today ? passed : minutesPerDay);
	const measured = days.unpack().filter((day) => day.state !== 'unknown');
	const total = measured.reduce((sum, { date }) => sum + minutesOf(date), 0);
	const down = measured.reduce((sum, { date, downMinutes }) => sum + Math.min(minutesOf(date), downMinutes), 0);
	return { good: total - down, bad: down, excluded: 0, ratio: total === 0 ? null : 1 - down / total, low: null, high: null };
}

/** What each outcome does under a definition; null where minutes are counted and not results. */
export function countsOf(definition: Definition): Readonly<Record<Outcome, Sli | 'bad_if_confirmed'>> | null {
	if (definition === 'statuspage') return null;
	const effect = (outcome: Outcome) => (definition === 'linnet' ? ruleOf(outcome).sli : effectOf(definition, outcome));
	return Object.fromEntries(outcomes.map((outcome) => [outcome, effect(outcome)])) as Record<Outcome, Sli | 'bad_if_confirmed'>;
}

export function uptimeView(snapshot: Snapshot, definition: Definition) {
	const counted = (target: TargetView) => {
		if (definition === 'linnet') return target.availability['1d'];
		return definition === 'statuspage' ? countedByMinutes(target, snapshot.generatedAt) : countedBy(definition, target);
	};
	return {
		schema: 'linnet.uptime/1' as const,
		snapshot: snapshot.number,
		generatedAt: snapshot.generatedAt,
		simulated: snapshot.simulated,
		definition,
		meaning: definitions[definition],
		counts: countsOf(definition),
		window: definition === 'statuspage' ? ('90d' as const) : ('1d' as const),
		unit: definition === 'statuspage' ? ('minutes' as const) : ('results' as const),
		targets: Object.fromEntries(snapshot.targets.map((target) => [target.id, counted(target)])),
	};
}
