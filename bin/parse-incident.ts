import type { Routed } from '#core/alert.ts';
import { causes, type Impact, impacts } from '#core/incident.ts';
import { operations } from '#core/target.ts';
import { ExpectedError } from './expected-error.ts';

const fields = ['provider', 'model', 'operation', 'vantage', 'impact', 'cause'] as const;

/** `provider=groq,impact=major` as an incident that routes can match; what is left out is all, a major outage of the provider's. */
export function parseIncident(text: string): Routed {
	const given = new Map<string, string>();
	for (const part of text.split(',')) {
		const at = part.indexOf('=');
		const [field, value] = at === -1 ? [part.trim(), ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
		if (!fields.some((known) => known === field) || value === '')
			throw new ExpectedError(`--incident: expected fields like provider=groq,impact=major (${fields.join(', ')}), got "${part}"`, 2);
		given.set(field, value);
	}
	const oneOf = <T extends string>(field: string, allowed: readonly T[], fallback: T): T => {
		const value = given.get(field) ?? fallback;
		const found = allowed.find((known) => known === value);
		if (found === undefined) throw new ExpectedError(`--incident: expected ${field} to be one of ${allowed.join(', ')}, got "${value}"`, 2);
		return found;
	};
	const model = given.get('model') ?? null;
	const operation = given.has('operation') || model !== null ? oneOf('operation', operations, 'chat') : null;
	return {
		scope: { provider: given.get('provider') ?? null, model, operation, vantage: given.get('vantage') ?? null },
		impact: oneOf<Impact>('impact', impacts, 'major'),
		cause: oneOf('cause', causes, 'provider'),
	};
}
