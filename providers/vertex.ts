/** Gemini on Vertex AI: the same stream, another path, an OAuth token, and another meaning of 429. Wire protocols, section 2e. */
import type { ErrorRule } from '#core/error-rules.ts';
import type { Dialect } from './adapter.ts';
import { gemini } from './gemini.ts';

const errorRules: readonly ErrorRule[] = [
	{
		status: [429],
		type: /RESOURCE_EXHAUSTED/,
		message: /^Resource exhausted|try again later/i,
		outcome: 'overloaded',
		subcode: 'shared_capacity',
		why: 'the shared pool is used up, for everybody',
	},
	{ status: [429], message: /quota exceeded for/i, outcome: 'rate_limited', why: 'a quota of the project' },
	...gemini.errorRules,
];

/** The baseUrl ends in `/publishers/google`. The secret is an access token: fetching and renewing it is the operator's. */
export const vertex: Dialect = { ...gemini, id: 'vertex', auth: 'bearer', errorRules, listing: null };
