/** Names of canaries in the file → canaries, and what is wrong with them. */
import { findSchemaFault } from '#core/json-schema.ts';
import { builtInCanaries, type Canary, type Expectation, type Operation } from '#core/target.ts';
import { findProvider } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import type { Fault, Path } from './problem.ts';
import type { ConfigFile, ModelEntry } from './schema.ts';

type BuiltIn = (typeof builtInCanaries)[number];

export function isBuiltIn(name: string): name is BuiltIn {
	return builtInCanaries.some((known) => known === name);
}

export function ownCanariesOf(file: ConfigFile): Map<string, Canary> {
	return new Map((file.canaries ?? []).map((canary) => [canary.name, { type: 'custom', ...canary }]));
}

export function checkExpectation({ expect }: { readonly expect: Expectation }, at: Path, problems: Fault[]): void {
	if ('schema' in expect) {
		const fault = findSchemaFault(expect.schema);
		if (fault !== null) problems.push({ path: [...at, 'expect', 'schema'], message: fault });
	}
	if (!('pattern' in expect)) return;
	try {
		new RegExp(expect.pattern, 'u');
	} catch (error) {
		problems.push({ path: [...at, 'expect', 'pattern'], message: `expected a regular expression: ${error instanceof Error ? error.message : String(error)}` });
	}
}

interface CanaryContext {
	readonly base: { readonly id: string };
	readonly ownCanaries: ReadonlyMap<string, Canary>;
	readonly problems: Fault[];
}

/** @param dialectId null: there is none, which is another fault */
export function resolveCanaries(context: CanaryContext, model: ModelEntry, operation: Operation, dialectId: string | null, at: Path): Canary[] {
	const { ownCanaries, problems } = context;
	const builtIn = {
		echo: { name: 'echo', type: 'echo' },
		json: { name: 'json', type: 'json' },
		tool: { name: 'tool', type: 'tool' },
		embedding: { name: 'embedding', type: 'embedding', dimensions: model.dimensions ?? null },
	} as const satisfies Record<BuiltIn, Canary>;
	const speaks = dialectId === null ? null : dialects[dialectId]?.canaries;
	const cannot: readonly string[] = findProvider(context.base.id)?.cannot ?? [];
	const offered = [...builtInCanaries, ...ownCanaries.keys()].filter((name) => {
		const { type } = isBuiltIn(name) ? { type: name } : { type: 'custom' as const };
		return (speaks?.includes(type) ?? true) && !cannot.includes(type);
	});
	const canaries = (model.canaries ?? [operation === 'embeddings' ? 'embedding' : 'echo']).flatMap((choice, k): Canary[] => {
		if (typeof choice !== 'string') {
			checkExpectation(choice, [...at, 'canaries', k], problems);
			if (speaks?.includes('custom') === false)
				problems.push({
					path: [...at, 'canaries', k],
					message: `${operation} of "${context.base.id}" take no prompt of your own: expected ${offered.join(', ')}`,
				});
			return [{ type: 'custom', ...choice }];
		}
		const found = isBuiltIn(choice) ? builtIn[choice] : ownCanaries.get(choice);
		if (found !== undefined && offered.includes(choice)) return [found];
		const why = found === undefined ? '' : `, which ${operation} of "${context.base.id}" can't answer`;
		problems.push({ path: [...at, 'canaries', k], message: `expected one of ${offered.join(', ')}, got "${choice}"${why}` });
		return [];
	});
	canaries.forEach((canary, k) => {
		if (canaries.findIndex(({ name }) => name === canary.name) < k)
			problems.push({ path: [...at, 'canaries', k], message: `duplicate canary "${canary.name}"` });
	});
	return canaries;
}
