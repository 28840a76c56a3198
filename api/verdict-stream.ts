/** What changed from one snapshot to the next, kept for a while, so that a reader that was cut off goes on where it stopped. */
import type { Snapshot } from '#core/snapshot.ts';
import type { SnapshotSource, SnapshotView } from './snapshot-source.ts';

interface Verdict {
	readonly state: string;
	readonly reason: string;
	readonly since: string;
}

export interface StreamEvent {
	readonly id: string;
	readonly text: string;
}

// A quarter of an hour and more at one snapshot each 15 s; who was away longer gets everything anew.
const keptDeltas = 128;

function verdictsOf({ targets }: Snapshot): Map<string, Verdict> {
	return new Map(targets.map(({ id, state, reason, since }) => [id, { state, reason, since }]));
}

function write(event: 'snapshot' | 'delta', snapshot: Snapshot, targets: Readonly<Record<string, Verdict | null>>): StreamEvent {
	const { number, generatedAt, staleAfter, simulated } = snapshot;
	// The number alone would repeat when a record starts anew.
	const id = `${number}-${Date.parse(generatedAt)}`;
	const data = JSON.stringify({ schema: 'linnet.verdicts/1', snapshot: number, generatedAt, staleAfter, simulated, targets });
	return { id, text: `id: ${id}\nevent: ${event}\ndata: ${data}\n\n` };
}

/** Targets whose verdict differs; null for one that is gone. */
export function deltaOf(before: Snapshot, after: Snapshot): Record<string, Verdict | null> {
	const old = verdictsOf(before);
	const changed: Record<string, Verdict | null> = {};
	for (const [id, verdict] of verdictsOf(after)) {
		const known = old.get(id);
		if (known?.state !== verdict.state || known.reason !== verdict.reason || known.since !== verdict.since) changed[id] = verdict;
		old.delete(id);
	}
	for (const id of old.keys()) changed[id] = null;
	return changed;
}

export interface VerdictStream {
	/** What a reader needs that has seen `lastId` (null: nothing): the missed deltas, or everything. Empty before the first snapshot. */
	since(lastId: string | null): readonly StreamEvent[];
	/** Each new delta, an empty one too: it carries the new deadline. Gives the function that ends it. */
	follow(listener: (event: StreamEvent) => void): () => void;
}

export function openVerdictStream(source: SnapshotSource): VerdictStream {
	let current: SnapshotView | null = source.current();
	let head: StreamEvent | null = current === null ? null : write('snapshot', current.snapshot, Object.fromEntries(verdictsOf(current.snapshot)));
	/** `from` is the id that a reader has before it. */
	const deltas: { readonly from: string; readonly event: StreamEvent }[] = [];
	const listeners = new Set<(event: StreamEvent) => void>();
	source.onPut((view) => {
		const before = current;
		const previous = head;
		current = view;
		head = write('snapshot', view.snapshot, Object.fromEntries(verdictsOf(view.snapshot)));
		if (before === null || previous === null) {
			for (const listener of listeners) listener(head);
			return;
		}
		const event = write('delta', view.snapshot, deltaOf(before.snapshot, view.snapshot));
		deltas.push({ from: previous.id, event });
		if (deltas.length > keptDeltas) deltas.shift();
		for (const listener of listeners) listener(event);
	});
	return {
		since(lastId) {
			if (head === null) return [];
			if (lastId === head.id) return [];
			const start = deltas.findIndex((delta) => delta.from === lastId);
			return start === -1 ? [head] : deltas.slice(start).map((delta) => delta.event);
		},
		follow(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}
