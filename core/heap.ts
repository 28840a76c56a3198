/** A queue that gives out the least first (a binary heap). */
export interface Heap<T> {
	push(item: T): void;
	/** The least; undefined when it is empty. */
	pop(): T | undefined;
	peek(): T | undefined;
}

export function createHeap<T>(keyOf: (item: T) => number): Heap<T> {
	const items: T[] = [];
	const swap = (i: number, j: number) => {
		const item = items[i] as T;
		items[i] = items[j] as T;
		items[j] = item;
	};
	const key = (i: number) => keyOf(items[i] as T);
	return {
		peek: () => items[0],
		push(item) {
			items.push(item);
			for (let i = items.length - 1; i > 0; ) {
				const parent = (i - 1) >> 1;
				if (key(parent) <= key(i)) break;
				swap(i, parent);
				i = parent;
			}
		},
		pop() {
			const top = items[0];
			const last = items.pop();
			if (items.length === 0 || last === undefined) return top;
			items[0] = last;
			for (let i = 0; ; ) {
				const [left, right] = [2 * i + 1, 2 * i + 2];
				let least = i;
				if (left < items.length && key(left) < key(least)) least = left;
				if (right < items.length && key(right) < key(least)) least = right;
				if (least === i) return top;
				swap(i, least);
				i = least;
			}
		},
	};
}
