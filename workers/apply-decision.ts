/** A decision on an incident -> its row, its timeline and the messages that it sends, in the transaction of the step that decided it. */
import type { Transition } from '#core/alert.ts';
import type { IncidentDecision } from '#core/judge/decision.ts';
import { updateWords } from '#core/judge/update-words.ts';
import { findIncident, openIncident, reopenIncident, resolveIncident, updateIncident } from '#db/incidents.ts';
import type { Tx } from '#db/sql.ts';
import { type AnnounceTools, announce } from './announce.ts';

/** Null: only the timeline tells it. */
const transitionOf = {
	open: 'opened',
	update: 'updated',
	recovering: null,
	failing_again: null,
	reopen: 'reopened',
	resolve: 'resolved',
} as const satisfies Record<IncidentDecision['type'], Transition | null>;

export async function applyDecision(tx: Tx, decision: IncidentDecision, tools: AnnounceTools): Promise<void> {
	const { incidentId: id, at } = decision;
	const number = await store(tx, decision);
	const transition = transitionOf[decision.type];
	if (transition === null) return;
	const incident = await findIncident(tx, id);
	if (incident === null) throw new Error(`Expected incident ${id} to be stored, found none`);
	await announce(tx, { incident, transition, number, at }, tools);
}

/** @returns the number of the transition. */
function store(tx: Tx, decision: IncidentDecision): Promise<number> {
	const { type, incidentId: id, at, reason, evidence, status, scope, condition, cause, severity, impact, title, startedAt, targetIds } = decision;
	const update = { at, status, body: updateWords(decision) };
	switch (type) {
		case 'open':
			return openIncident(tx, {
				...{ id, scope, condition, cause, severity, impact, title, startedAt, reason, evidence, targetIds, status },
				...{ detectedAt: at, resolvedAt: null, relapseCount: 0, updates: [update] },
			});
		case 'update':
			return updateIncident(tx, id, { update, reason, severity, impact, condition, scope, title, evidence, targetIds });
		case 'recovering':
		case 'failing_again':
			return updateIncident(tx, id, { update, evidence });
		case 'reopen':
			return reopenIncident(tx, id, { update, severity, impact, condition, scope, title, evidence, targetIds });
		case 'resolve':
			return resolveIncident(tx, id, { update, evidence });
	}
}
