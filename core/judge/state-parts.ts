/** A state in pieces that each fit a database row: one string of a large fleet's whole state would pass what a string can hold. */
import { type JudgeState, judgeVersion } from './judge-state.ts';

/** Endpoints or keys in a piece: about a megabyte. */
const chunkSize = 1_000;

type Rest = Omit<JudgeState, 'lattice' | 'remembered' | 'targets'>;
type Whole = Omit<JudgeState['lattice'], 'endpoints' | 'index' | 'providers'>;

/** name → JSON */
export type StateParts = ReadonlyMap<string, string>;

export function splitState(state: JudgeState): StateParts {
	const { lattice, remembered, targets, ...rest } = state;
	const { endpoints, index: _derived, providers, ...whole } = lattice;
	// The order of the providers decides ties, and a set of rows has none.
	const parts = new Map([['whole', JSON.stringify({ rest, whole, providerNames: Object.keys(providers) })]]);
	const put = (kind: string, entries: readonly unknown[]) => {
		for (let from = 0; from < entries.length; from += chunkSize) parts.set(`${kind}/${from}`, JSON.stringify(entries.slice(from, from + chunkSize)));
	};
	put('endpoints', endpoints);
	put('remembered', Object.entries(remembered));
	put('targets', Object.entries(targets));
	// Which scopes a provider has follows from its endpoints.
	for (const [name, provider] of Object.entries(providers)) parts.set(`provider/${name}`, JSON.stringify({ ...provider, scopes: null, scopesOf: {} }));
	return parts;
}

/** Null when they are of another version, or not whole. */
export function joinState(parts: StateParts): JudgeState | null {
	const text = parts.get('whole');
	if (text === undefined) return null;
	const { rest, whole, providerNames } = JSON.parse(text) as { rest: Rest; whole: Whole; providerNames: string[] };
	if (rest.version !== judgeVersion) return null;
	const list = (kind: string) => {
		const all: unknown[] = [];
		for (let chunk = parts.get(`${kind}/0`); chunk !== undefined; chunk = parts.get(`${kind}/${all.length}`)) all.push(...JSON.parse(chunk));
		return all;
	};
	const endpoints = list('endpoints') as JudgeState['lattice']['endpoints'];
	const index: JudgeState['lattice']['index'] = {};
	for (const [place, { provider, model, vantage, retired }] of endpoints.entries()) {
		if (!retired) ((index[provider] ??= {})[model] ??= {})[vantage] = place;
	}
	const providers: JudgeState['lattice']['providers'] = {};
	for (const name of providerNames) {
		const json = parts.get(`provider/${name}`);
		if (json === undefined) return null;
		providers[name] = JSON.parse(json);
	}
	return {
		...rest,
		lattice: { ...whole, endpoints, index, providers },
		remembered: Object.fromEntries(list('remembered') as [string, JudgeState['remembered'][string]][]),
		targets: Object.fromEntries(list('targets') as [string, JudgeState['targets'][string]][]),
	};
}
