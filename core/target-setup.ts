/** How a target is probed, aspect by aspect: when one changes, a step in its numbers is ours and not the provider's. */
import { askOf } from './canary.ts';
import { hash32 } from './hash.ts';
import type { Target } from './target.ts';

/** From this moment on the target's numbers were measured in another way. */
export interface SeriesMark {
	/** ms since epoch. */
	readonly at: number;
	/** "protocol", "model name", "address", "parameters", "headers", "canaries" or "canary NAME". */
	readonly aspect: string;
	/** Empty when the aspect was new. */
	readonly before: string;
	/** Empty when it went. */
	readonly after: string;
}

/** The same nonce always: a question that reads differently is another question. */
const sampleNonce = '00000000';

/** Aspect → value. Short public values as they are; what may be private (addresses, headers) or is long, as a hash. */
export function setupOf(target: Target): ReadonlyMap<string, string> {
	const { flags, canaries } = target;
	return new Map([
		['protocol', `${target.dialect}${target.http2 === true ? ' over HTTP/2' : ''}`],
		['model name', target.upstreamModel],
		['address', hashOf(target.baseUrl)],
		['parameters', hashOf(inOrder(flags))],
		['headers', hashOf(inOrder(target.headers))],
		['canaries', canaries.map(({ name }) => name).join(', ')],
		// Also when a new version of ours asks in other words.
		...canaries.map((canary): [string, string] => [`canary ${canary.name}`, hashOf([inOrder(canary), askOf(canary, sampleNonce)])]),
	]);
}

function hashOf(value: unknown): string {
	const text = JSON.stringify(value);
	return hash32(text).toString(16).padStart(8, '0') + hash32(`${text.length}\n${text}`).toString(16).padStart(8, '0');
}

/** Keys in one order, so that a file that is only written differently changes nothing. */
function inOrder(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(inOrder);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([key, inner]) => [key, inOrder(inner)]),
	);
}

/** What changed; nothing for a target that was never probed before. */
export function changesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Omit<SeriesMark, 'at'>[] {
	if (before.size === 0) return [];
	return [...new Set([...before.keys(), ...after.keys()])]
		.map((aspect) => ({ aspect, before: before.get(aspect) ?? '', after: after.get(aspect) ?? '' }))
		.filter((change) => change.before !== change.after);
}
