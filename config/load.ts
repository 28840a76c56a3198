/** Text of `linnet.yaml` + environment -> Config, or every fault at once. */
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Discovered, Discovery } from './discovery.ts';
import type { Environment } from './environment.ts';
import { type ConfigProblem, type Path, pathText } from './problem.ts';
import { pruneFaults } from './prune-faults.ts';
import { type Config, type Names, resolveConfig } from './resolve.ts';
import { configSchema, describe, modelKeys } from './schema.ts';
import { alertsSchema, matchSchema, routeKeys, sloSchema } from './schema-alerts.ts';

/** `discoveries`: providers whose models are to be asked for; without their lists the configuration has only the models named by hand. */
export type LoadedConfig =
	| { readonly config: Config; readonly problems: null; readonly discoveries: readonly Discovery[] }
	| { readonly config: null; readonly problems: readonly ConfigProblem[] };

/** One line that is indented wrong makes each after it a fault: 20,002 of a file of 10,000 targets. */
const syntaxFaultsShown = 10;

/**
 * @param env where named secrets are looked up: a variable that is named but not set is a fault
 * @param discovered what the providers with `models: discover` list; default: not asked yet
 */
export function loadConfig(text: string, env: Environment, discovered: Discovered = new Map()): LoadedConfig {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
	const place = (offset: number) => {
		const { line, col } = lines.linePos(offset);
		return { line, column: col };
	};
	if (document.errors.length > 0) {
		const [shown, more] = [document.errors.slice(0, syntaxFaultsShown), document.errors.slice(syntaxFaultsShown)];
		const problems = shown.map(({ pos, message }) => ({ ...place(pos[0]), path: '', message: `not valid YAML: ${message}` }));
		const [next] = more;
		if (next === undefined) return { config: null, problems };
		const rest = { ...place(next.pos[0]), path: '', message: `not valid YAML, here and ${more.length - 1} times more: most of it follows from the above` };
		return { config: null, problems: [...problems, rest] };
	}
	// Aliases are capped: a few nested ones can blow up to gigabytes.
	const value: unknown = document.toJS({ maxAliasCount: 100 });
	const locate = (path: Path): { line: number | null; column: number | null } => {
		// The nearest ancestor that exists, for a key that is missing.
		for (let depth = path.length; depth >= 0; depth -= 1) {
			const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
			if (isNode(node) && node.range) return place(keyOffset(path.slice(0, depth)) ?? node.range[0]);
		}
		return { line: null, column: null };
	};
	// A fault of a value is best shown at its key: a mapping's own range starts on the line below.
	const keyOffset = (path: Path): number | null => {
		const last = path.at(-1);
		if (typeof last !== 'string') return null;
		const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
		if (!isNode(parent) || !('items' in parent)) return null;
		for (const pair of parent.items as { key?: { value?: unknown; range?: [number, number, number] | null } }[]) {
			if (pair.key?.value === last && pair.key.range) return pair.key.range[0];
		}
		return null;
	};
	const problemAt = (path: Path, message: string): ConfigProblem => ({ ...locate(path), path: pathText(path), message });

	const shapeFaults = (candidate: unknown): Explained[] => {
		const parsed = configSchema.safeParse(candidate);
		return parsed.success ? [] : parsed.error.issues.flatMap((issue) => explain(issue, [], candidate));
	};
	const faults: Explained[] = shapeFaults(value ?? {});
	// Meaning is judged too, on what is left without the faults of shape: a person mends a file once, not in rounds.
	const sound = pruneFaults(value ?? {}, (candidate) => shapeFaults(candidate).map(({ path }) => path));
	const parsed = sound === null ? null : configSchema.safeParse(sound.value);
	if (!parsed?.success || sound === null) return { config: null, problems: sorted(faults.map(({ path, message }) => problemAt(path, message))) };
	const resolved = resolveConfig(parsed.data, env, namesIn(value), discovered);
	// What is missing from an entry because a faulty part of it was set aside is not a second fault.
	const follows = (path: Path) => faults.some((fault) => fault.path.length > path.length && path.every((step, i) => step === fault.path[i]));
	const meant = resolved.problems.map(({ path, message }) => ({ path: sound.originalPath(path), message })).filter(({ path }) => !follows(path));
	const all = [...faults, ...meant];
	if (all.length > 0 || resolved.config === null) return { config: null, problems: sorted(all.map(({ path, message }) => problemAt(path, message))) };
	return { config: resolved.config, problems: null, discoveries: resolved.discoveries };
}

/** Names that stand in the file, sound or not: a reference to a faulty entry is not a second fault. */
function namesIn(value: unknown): Names {
	const at = (node: unknown, ...path: string[]) => valueAt(node, path);
	const items = (node: unknown) => (Array.isArray(node) ? (node as unknown[]) : []);
	const providers = items(at(value, 'providers'));
	return {
		channels: new Set(Object.keys(Object(at(value, 'alerts', 'channels')))),
		providers: new Set(providers.map((entry) => at(entry, 'id') ?? at(entry, 'use'))),
		models: new Set(providers.flatMap((entry) => items(at(entry, 'models')).map((model) => at(model, 'model')))),
		canaries: new Set(items(at(value, 'canaries')).map((canary) => at(canary, 'name'))),
	};
}

function sorted(problems: readonly ConfigProblem[]): ConfigProblem[] {
	return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

interface Explained {
	readonly path: Path;
	readonly message: string;
}

/** zod's issues in our words: what was expected, what came. */
function explain(issue: z.core.$ZodIssue, base: Path, root: unknown): Explained[] {
	const path = [...base, ...(issue.path as (string | number)[])];
	if (issue.code === 'unrecognized_keys') {
		return issue.keys.map((key) => ({ path: [...path, key], message: `unknown key "${key}"${nearest(key, knownKeys(path))}` }));
	}
	// The branch of a union that came furthest says more than "invalid input".
	if (issue.code === 'invalid_union' && issue.errors.length > 0) {
		const best = [...issue.errors].sort((a, b) => deepest(b) - deepest(a))[0] ?? [];
		if (deepest(best) > 0 || best.some((inner) => inner.code === 'unrecognized_keys')) return best.flatMap((inner) => explain(inner, path, root));
		if (issue.message !== 'Invalid input') return [{ path, message: `${issue.message}, got ${describe(valueAt(root, path))}` }];
		return best.flatMap((inner) => explain(inner, path, root));
	}
	if (issue.code === 'invalid_type') {
		const came = valueAt(root, path);
		if (issue.message.startsWith('expected')) return [{ path, message: issue.message }];
		return [{ path, message: came === undefined ? `missing: expected a ${issue.expected}` : `expected a ${issue.expected}, got ${describe(came)}` }];
	}
	if (issue.code === 'invalid_value')
		return [{ path, message: `expected one of ${issue.values.map(String).join(', ')}, got ${describe(valueAt(root, path))}` }];
	if (issue.code === 'too_small' || issue.code === 'too_big') {
		if (issue.message.startsWith('expected')) return [{ path, message: issue.message }];
		const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
		return [{ path, message: `expected ${bound}${issue.origin === 'string' ? ' characters' : ''}, got ${describe(valueAt(root, path))}` }];
	}
	return [{ path, message: issue.message }];
}

function deepest(issues: readonly z.core.$ZodIssue[]): number {
	return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function valueAt(root: unknown, path: Path): unknown {
	return path.reduce<unknown>(
		(value, step) => (typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined),
		root,
	);
}

const keysByPlace: Readonly<Record<string, readonly string[]>> = {
	'': Object.keys(configSchema.shape),
	providers: Object.keys(configSchema.shape.providers.element.shape),
	models: modelKeys,
	timeouts: ['connect', 'firstToken', 'stall', 'total'],
	alerts: Object.keys(alertsSchema.shape),
	routes: routeKeys,
	match: Object.keys(matchSchema.shape),
	escalate: ['after', 'channels'],
	quiet: ['from', 'to', 'days', 'timeZone', 'except'],
	slos: Object.keys(sloSchema.shape),
	deadManSwitch: ['urlEnv', 'every'],
	budget: ['usdPerDay'],
	record: ['keepResults'],
	verdict: ['blip'],
	status: ['title', 'url', 'showSpend'],
};

function knownKeys(path: Path): readonly string[] {
	return keysByPlace[String(path.findLast((step) => typeof step === 'string') ?? '')] ?? [];
}

/** `, did you mean "interval"?` for a slip of the keyboard; otherwise the keys there are. */
function nearest(key: string, known: readonly string[]): string {
	const close = known.find((candidate) => editDistance(key.toLowerCase(), candidate.toLowerCase()) <= 2);
	if (close !== undefined) return `: did you mean "${close}"?`;
	return known.length > 0 ? `: expected one of ${known.join(', ')}` : '';
}

function editDistance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i += 1) {
		const next = [i];
		for (let j = 1; j <= b.length; j += 1) {
			next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}
