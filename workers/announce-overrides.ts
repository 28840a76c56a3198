/** What the operator overrides, the channels that heard of the incident hear too. */
import type { Transition } from '#core/alert.ts';
import type { Incident, OperatorEntry } from '#core/incident.ts';
import type { Log } from '#core/log.ts';
import { overrideIncident } from '#core/override-incident.ts';
import { findIncident } from '#db/incidents.ts';
import { countOperatorTransition, listOperatorEntries, markEntryAnnounced, takeUnannounced } from '#db/operator-entries.ts';
import { type Db, transaction } from '#db/sql.ts';
import { type AnnounceTools, announceOverride } from './announce.ts';

export interface OverrideTools extends AnnounceTools {
	readonly db: Db;
	readonly log: Log;
	now(): number;
}

/** @returns how many entries were taken. A crash before the end leaves them for the next run. */
export function announceOverrides(tools: OverrideTools): Promise<number> {
	const { db, log, now } = tools;
	return transaction(db, async (tx) => {
		const taken = await takeUnannounced(tx);
		for (const entry of taken) {
			const { id, incidentId, kind, by, body } = entry;
			const incident = await findIncident(tx, incidentId);
			const entries = (await listOperatorEntries(tx, [incidentId])).get(incidentId) ?? [];
			const transition = incident === null ? null : transitionOf(incident, entries, entry);
			if (incident !== null && transition !== null) {
				const number = await countOperatorTransition(tx, incidentId);
				if (number !== null) await announceOverride(tx, { incident, transition, number, at: entry.at }, tools);
			}
			await markEntryAnnounced(tx, id, now());
			log.info({ incidentId, kind, by, body, transition }, 'operator said of an incident');
		}
		return taken.length;
	});
}

/** What the entry changes for those who were told. Null: nothing, a note is read on the page. */
export function transitionOf(incident: Incident, entries: readonly OperatorEntry[], entry: OperatorEntry): Transition | null {
	if (entry.kind === 'note') return null;
	const place = entries.findIndex((one) => one.at === entry.at && one.kind === entry.kind && one.value === entry.value && one.by === entry.by);
	const [before, after] = [overrideIncident(incident, entries.slice(0, place)), overrideIncident(incident, entries.slice(0, place + 1))];
	if (before.resolvedAt === null) return after.resolvedAt === null ? 'updated' : 'resolved';
	return after.resolvedAt === null ? 'reopened' : null;
}
