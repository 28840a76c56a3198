/** What is made of an object that does not change is made once, and kept for as long as the object is. */
export function keepFor<Key extends WeakKey, Made>(make: (key: Key) => Made): (key: Key) => Made {
	const kept = new WeakMap<Key, { readonly made: Made }>();
	return (key) => {
		let known = kept.get(key);
		if (known === undefined) {
			known = { made: make(key) };
			kept.set(key, known);
		}
		return known.made;
	};
}
