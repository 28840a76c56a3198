import type { Doubt } from '#core/judge-target.ts';
import type { JudgeState } from './judge-state.ts';

/** Loud evidence whose blame is not settled, one a scope: such a target is neither well nor down. */
export function doubtsOf({ lattice }: JudgeState): Doubt[] {
	const doubts = Object.values(lattice.providers).flatMap((provider) => provider.doubts);
	const byScope = new Map(
		doubts.map(({ scope: { provider, model, vantage }, sinceAt, reason }): [string, Doubt] => {
			const colon = model?.lastIndexOf(':') ?? -1;
			const names = model === null ? { model, operation: null } : { model: model.slice(0, colon), operation: model.slice(colon + 1) };
			return [`${provider}\n${model}\n${vantage}`, { provider, ...names, vantage, sinceAt, reason }];
		}),
	);
	return [...byScope.values()];
}
