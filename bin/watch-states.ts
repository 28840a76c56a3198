/** Prints each change of a provider's state and each incident, as the page will show them. */
import type { Snapshot } from '#core/snapshot.ts';
import { readSnapshot } from '#core/snapshot-text.ts';
import { type State, stateWords } from '#core/state.ts';
import { listen } from '#db/listen.ts';
import { readLatestSnapshot, snapshotChannel, unpackSnapshot } from '#db/snapshots.ts';
import type { Db } from '#db/sql.ts';
import type { Terminal } from './terminal.ts';

const marks: Record<State, string> = {
	operational: '●',
	degraded_performance: '◐',
	partial_outage: '◑',
	major_outage: '✗',
	under_maintenance: '◇',
	unknown: '○',
};

export function watchStates(db: Db, url: string, terminal: Terminal): { close(): Promise<void> } {
	let before: Snapshot | null = null;
	let reading = false;
	const read = async () => {
		if (reading) return;
		reading = true;
		try {
			const stored = await readLatestSnapshot(db, before?.number);
			if (stored === null) return;
			const now = readSnapshot(unpackSnapshot(stored.packed));
			if (before === null) terminal.change(marks[now.state], now.sentence);
			else tellChanges(before, now, terminal);
			before = now;
		} catch {
			// The database is away: the workers say so themselves.
		} finally {
			reading = false;
		}
	};
	return listen({ url, channels: [snapshotChannel], onNotify: () => void read(), onConnect: () => void read(), onError: () => {} });
}

function tellChanges(before: Snapshot, now: Snapshot, terminal: Terminal): void {
	const known = new Map(before.incidents.map((incident) => [incident.id, incident]));
	for (const incident of now.incidents) {
		const was = known.get(incident.id);
		const openBefore = was !== undefined && was.resolvedAt === null;
		if (incident.resolvedAt === null && !openBefore) terminal.change('✗', `${incident.title}: ${incident.reason}`);
		else if (incident.resolvedAt !== null && openBefore) terminal.change('●', `resolved: ${incident.title}`);
	}
	const states = new Map(before.providers.map((provider) => [provider.id, provider.state]));
	for (const provider of now.providers) {
		const was = states.get(provider.id);
		if (was !== undefined && was !== provider.state)
			terminal.change(marks[provider.state], `${provider.name}: ${stateWords[provider.state].toLowerCase()}, ${provider.reason}`);
	}
}
