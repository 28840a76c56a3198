/** An incident with what the operator says of it: notes in its timeline, overrides in force and visible as such. The evidence is never touched. */
import { type Cause, causes, type Impact, type Incident, type IncidentUpdate, impacts, type OperatorEntry, type OperatorOverride } from './incident.ts';

/** @param entries of this incident, oldest first */
export function overrideIncident(incident: Incident, entries: readonly OperatorEntry[]): Incident {
	if (entries.length === 0) return incident;
	const { impact, cause, status, resolvedAt, relapseCount } = incident;
	let held: { impact?: Impact; cause?: Cause; falseAlarmAt?: number; newest?: OperatorEntry } = {};
	for (const entry of entries) {
		const { kind, value, at } = entry;
		if (kind === 'withdrawn') held = {};
		else if (kind === 'impact' && isOne(impacts, value)) held = { ...held, impact: value, newest: entry };
		else if (kind === 'cause' && isOne(causes, value)) held = { ...held, cause: value, newest: entry };
		// It was said of that episode: a relapse is judged anew.
		else if (kind === 'false_alarm' && entry.relapseCount === relapseCount) held = { ...held, falseAlarmAt: at, newest: entry };
	}
	// The sort is stable: what was judged at the same instant stands first.
	const updates = [...incident.updates, ...entries.map((entry) => updateOf(entry, incident))].sort((a, b) => a.at - b.at);
	const { newest, falseAlarmAt } = held;
	if (newest === undefined) return { ...incident, updates };
	const closed = falseAlarmAt !== undefined && resolvedAt === null;
	return {
		...incident,
		impact: falseAlarmAt === undefined ? (held.impact ?? impact) : 'none',
		cause: held.cause ?? cause,
		status: closed ? 'resolved' : status,
		resolvedAt: closed ? falseAlarmAt : resolvedAt,
		updates,
		override: { judged: { impact, cause, status, resolvedAt }, falseAlarm: falseAlarmAt !== undefined, at: newest.at, by: newest.by, why: newest.body },
	};
}

/** "the operator (ana) closed it as a false alarm: why" */
export function overrideWords({ falseAlarm, by, why }: Pick<OperatorOverride, 'falseAlarm' | 'by' | 'why'>): string {
	return `the operator (${by}) ${falseAlarm ? 'closed it as a false alarm' : 'overrides what was judged'}: ${why}`;
}

/** As it was judged: what counts for every published number. */
export function judgedIncident(incident: Incident): Incident {
	return incident.override === undefined ? incident : { ...incident, ...incident.override.judged };
}

function updateOf({ at, by, kind, value, body }: OperatorEntry, { updates, impact, cause }: Incident): IncidentUpdate {
	const before = updates.filter((update) => update.at <= at).at(-1)?.status ?? 'investigating';
	const what = {
		note: '',
		impact: `impact set to ${value}, judged as ${impact}: `,
		cause: `cause set to ${value}, judged as ${cause}: `,
		false_alarm: 'closed as a false alarm: ',
		withdrawn: 'override withdrawn: ',
	}[kind];
	return { at, status: kind === 'false_alarm' ? 'resolved' : before, body: `Operator ${by}: ${what}${body}`, operator: by };
}

function isOne<T extends string>(allowed: readonly T[], value: string | null): value is T {
	return allowed.some((one) => one === value);
}
