/** What changed from one snapshot to the next, kept for a while, so that a reader that was cut off goes on where it stopped. */
import type { Snapshot } from '#core/snapshot.ts';
import type { SnapshotSource } from './snapshot-source.ts';

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

const verdictOf = ({ state, reason, since }: Verdict): Verdict => ({ state, reason, since });
const isSame = (a: Verdict, b: Verdict) => a.state === b.state && a.reason === b.reason && a.since === b.since;
/** The number alone would repeat when a record starts anew. */
const idOf = ({ number, generatedAt }: Snapshot) => `${number}-${Date.parse(generatedAt)}`;

function write(event: 'snapshot' | 'delta', snapshot: Snapshot, targets: Readonly<Record<string, Verdict | null>>): StreamEvent {
	const { number, generatedAt, staleAfter, simulated } = snapshot;
	const id = idOf(snapshot);
	const data = JSON.stringify({ schema: 'linnet.verdicts/1', snapshot: number, generatedAt, staleAfter, simulated, targets });
	return { id, text: `id: ${id}\nevent: ${event}\ndata: ${data}\n\n` };
}

/** Targets whose verdict differs; null for one that is gone. */
function deltaOf(before: Snapshot, after: Snapshot): Record<string, Verdict | null> {
	const changed: Record<string, Verdict | null> = {};
	const [old, fresh] = [before.targets, after.targets];
	if (old.length === fresh.length && old.every(({ id }, i) => id === fresh[i]?.id)) {
		for (const [i, target] of fresh.entries()) {
			const known = old[i];
			if (known === undefined || !isSame(known, target)) changed[target.id] = verdictOf(target);
		}
		return changed;
	}
	const gone = new Map(old.map((target) => [target.id, target]));
	for (const target of fresh) {
		const known = gone.get(target.id);
		if (known === undefined || !isSame(known, target)) changed[target.id] = verdictOf(target);
		gone.delete(target.id);
	}
	for (const id of gone.keys()) changed[id] = null;
	return changed;
}

export interface VerdictStream {
	/** What a reader needs that has seen `lastId` (null: nothing): the missed deltas, or everything. Empty before the first snapshot. */
	since(lastId: string | null): readonly StreamEvent[];
	/** Each new delta, an empty one too: it carries the new deadline. Gives the function that ends it. */
	follow(listener: (event: StreamEvent) => void): () => void;
}

export function openVerdictStream(source: SnapshotSource): VerdictStream {
	let current = source.current()?.snapshot ?? null;
	/** Made when somebody asks: with 10,000 targets it is 2 MB, and mostly nobody does. */
	let head: StreamEvent | null = null;
	const headOf = (snapshot: Snapshot) =>
		(head ??= write('snapshot', snapshot, Object.fromEntries(snapshot.targets.map((target) => [target.id, verdictOf(target)]))));
	/** `from` is the id that a reader has before it. */
	const deltas: { readonly from: string; readonly event: StreamEvent }[] = [];
	const listeners = new Set<(event: StreamEvent) => void>();
	source.onPut(({ snapshot }) => {
		const before = current;
		current = snapshot;
		head = null;
		if (before === null) {
			for (const listener of listeners) listener(headOf(snapshot));
			return;
		}
		const event = write('delta', snapshot, deltaOf(before, snapshot));
		deltas.push({ from: idOf(before), event });
		if (deltas.length > keptDeltas) deltas.shift();
		for (const listener of listeners) listener(event);
	});
	return {
		since(lastId) {
			if (current === null || lastId === idOf(current)) return [];
			const start = deltas.findIndex((delta) => delta.from === lastId);
			return start === -1 ? [headOf(current)] : deltas.slice(start).map((delta) => delta.event);
		},
		follow(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}
