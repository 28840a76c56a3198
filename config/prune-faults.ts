/** What is left of a file without its faulty parts, so that the sound rest can be judged for meaning in the same go. */
import type { Path } from './problem.ts';

type Container = Record<string | number, unknown>;

export interface Pruned {
	readonly value: unknown;
	/** A place in what is left → its place in the file: removed list items shift the ones after them. */
	originalPath(path: Path): Path;
}

/**
 * @param faultsOf paths of the faults of a value; empty when it is sound
 * @returns null when nothing sound is left
 */
export function pruneFaults(value: unknown, faultsOf: (value: unknown) => readonly Path[]): Pruned | null {
	const root = structuredClone(value);
	const indices = new Map<unknown, number[]>();
	const indicesOf = (list: unknown[]) => {
		const known = indices.get(list) ?? list.map((_, i) => i);
		indices.set(list, known);
		return known;
	};
	// Each round removes at least one node, or climbs from a missing key to the item that lacks it.
	for (let round = 0; round < 50; round += 1) {
		const faults = faultsOf(root);
		if (faults.length === 0) return { value: root, originalPath };
		// Later items first: removing one must not shift the place of another.
		for (const path of [...faults].sort(lastFirst)) {
			if (!remove(path)) return null;
		}
	}
	return null;

	function remove(path: Path): boolean {
		if (path.length === 0) return false;
		const parent = path.slice(0, -1).reduce<unknown>((node, step) => (isContainer(node) ? (node as Container)[step] : undefined), root);
		const key = path.at(-1) ?? '';
		// Gone already, with a fault of the same round.
		if (!isContainer(parent) || (Array.isArray(parent) && typeof key === 'number' && key >= parent.length)) return true;
		if (Array.isArray(parent) && typeof key === 'number') {
			indicesOf(parent).splice(key, 1);
			parent.splice(key, 1);
			return true;
		}
		if (key in parent) return delete (parent as Container)[key];
		return remove(path.slice(0, -1));
	}

	function originalPath(path: Path): Path {
		let node: unknown = root;
		return path.map((step) => {
			const original = Array.isArray(node) && typeof step === 'number' ? (indices.get(node)?.[step] ?? step) : step;
			node = isContainer(node) ? (node as Container)[step] : undefined;
			return original;
		});
	}
}

function isContainer(node: unknown): node is object {
	return typeof node === 'object' && node !== null;
}

function lastFirst(a: Path, b: Path): number {
	for (const [i, step] of a.entries()) {
		const other = b[i];
		if (other === undefined) return -1; // The deeper one first: its parent may go afterwards.
		if (step === other) continue;
		return typeof step === 'number' && typeof other === 'number' ? other - step : 0;
	}
	return b.length > a.length ? 1 : 0;
}
