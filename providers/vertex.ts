/** Gemini on Vertex AI: the same stream, another path, an OAuth token, and another meaning of 429. Wire protocols, section 2e. */
import { isRecord } from '#core/error-body.ts';
import type { ErrorRule } from '#core/error-rules.ts';
import type { Dialect, ModelListing } from './adapter.ts';
import { gemini } from './gemini.ts';
import { pageToken, readRows } from './read-rows.ts';

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

/** Model Garden's list: under v1beta1 and no project, so that a user's token needs the project in a header to be counted against. */
const listing: ModelListing = {
	path: '/models?pageSize=200',
	base: (baseUrl) => `${new URL(baseUrl).origin}${new URL(baseUrl).pathname.replace(/\/v1(?:beta1)?\/.*$/, '')}/v1beta1/publishers/google`,
	headers(baseUrl) {
		const project = /\/projects\/([^/]+)\//.exec(baseUrl)?.[1];
		return project === undefined ? {} : { 'x-goog-user-project': project };
	},
	nextPage: (json) => pageToken(json, 'pageToken', 'nextPageToken'),
	readModels: (json) =>
		readRows(isRecord(json) ? json.publisherModels : null, 'name').map((model) => ({
			...model,
			name: model.name.replace(/^publishers\/google\/models\//, ''),
		})),
};

/** The baseUrl ends in `/publishers/google`. The secret is an access token: fetching and renewing it is the operator's. */
export const vertex: Dialect = { ...gemini, id: 'vertex', auth: 'bearer', errorRules, listing };
