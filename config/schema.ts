/** The shape of `linnet.yaml`: strict, an unknown key is an error. Meaning beyond shape (duplicates, known providers, secrets) is judged in resolve.ts. */

import { z } from 'zod';
import { operations } from '#core/target.ts';
import { pageKinds } from '#providers/official/index.ts';
import { alertsSchema, deadManSwitchSchema, maintenanceSchema, sloSchema } from './schema-alerts.ts';
import { describe, duration, envName, httpUrl } from './schema-values.ts';

const pageKindNames = Object.keys(pageKinds) as (keyof typeof pageKinds)[];

export { describe };

// Control characters have no place in a name that becomes a path, a label and a header; everything else may stand in a model's name.
const printable = z
	.string()
	.min(1)
	.max(200)
	.regex(/^[^\p{Cc}\p{Cs}]+$/u, { error: 'expected 1 to 200 characters without control characters' });
const providerId = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
	error: (issue) => `expected an id of a-z, 0-9, ".", "_" or "-" that starts with a letter or digit, got ${describe(issue.input)}`,
});
const timeouts = z.strictObject({
	connect: duration('100ms', '60s').optional(),
	firstToken: duration('100ms', '10m').optional(),
	stall: duration('100ms', '10m').optional(),
	total: duration('100ms', '15m').optional(),
});

const expectation = z.union(
	[
		z.strictObject({ text: z.string().min(1).max(2_000) }),
		z.strictObject({ pattern: z.string().min(1).max(500) }),
		z.strictObject({ schema: z.union([z.boolean(), z.record(z.string(), z.unknown())]) }),
	],
	{ error: 'expected { text: "…" }, { pattern: "…" } or { schema: {…} }' },
);

const ownCanary = z.strictObject({
	name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, { error: 'expected a short name of a-z, 0-9, "_" or "-"' }),
	prompt: z.string().min(1).max(4_000),
	expect: expectation,
});

const price = z.strictObject({ inputUsdPerMTok: z.number().nonnegative(), outputUsdPerMTok: z.number().nonnegative() });

const model = z.strictObject({
	model: printable,
	upstreamModel: printable.optional(),
	operation: z.enum(operations).optional(),
	interval: duration('1s', '24h').optional(),
	canaries: z
		.array(z.union([z.string(), ownCanary], { error: 'expected the name of a canary or { name, prompt, expect }' }))
		.min(1)
		.optional(),
	price: price.optional(),
	maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
	sendTemperature: z.boolean().optional(),
	includeUsage: z.boolean().optional(),
	maxOutputTokens: z.int().min(1).max(8_192).optional(),
	dimensions: z.int().min(1).max(65_536).optional(),
	body: z.record(z.string(), z.unknown()).optional(),
});

const patterns = z.array(z.string().min(1).max(200)).min(1, { error: 'expected at least one pattern, like "llama-*"' });

export const modelKeys = Object.keys(model.shape);

const provider = z.strictObject({
	use: z.string().optional(),
	id: providerId.optional(),
	name: z.string().min(1).max(80).optional(),
	dialect: z.string().optional(),
	embeddings: z.string().optional(),
	baseUrl: httpUrl.optional(),
	apiKeyEnv: envName.nullable().optional(),
	headers: z
		.record(z.string().regex(/^[A-Za-z0-9-]+$/, { error: 'expected a header name' }), z.string().regex(/^[\x20-\x7e]*$/, { error: 'expected printable ASCII' }))
		.optional(),
	statusPage: z
		.union([httpUrl, z.strictObject({ url: httpUrl, kind: z.enum(pageKindNames) })], {
			error: `expected an http or https URL, or { url, kind } with a kind of ${pageKindNames.join(', ')}`,
		})
		.optional(),
	interval: duration('1s', '24h').optional(),
	timeouts: timeouts.optional(),
	maxConcurrency: z.int().min(1).max(1_000).optional(),
	http2: z.boolean().optional(),
	models: z.union([
		z
			.array(model, { error: (issue) => `expected a list of models, or \`discover\`, got ${describe(issue.input)}` })
			.min(1, { error: 'expected at least one model' }),
		z.literal('discover'),
	]),
	include: patterns.optional(),
	exclude: patterns.optional(),
});

export const configSchema = z.strictObject({
	interval: duration('1s', '24h').optional(),
	timeouts: timeouts.optional(),
	budget: z.strictObject({ usdPerDay: z.number().nonnegative() }).optional(),
	record: z.strictObject({ keepResults: duration('1d', '400d').optional() }).optional(),
	verdict: z.strictObject({ blip: duration('1s', '10m').optional() }).optional(),
	canaries: z.array(ownCanary).optional(),
	providers: z
		.array(provider, { error: (issue) => `expected a list of providers, got ${describe(issue.input)}` })
		.min(1, { error: 'expected at least one provider' }),
	alerts: alertsSchema.optional(),
	slos: z.array(sloSchema).optional(),
	maintenance: z.array(maintenanceSchema).optional(),
	deadManSwitch: deadManSwitchSchema.optional(),
	officialPages: z.strictObject({ read: z.boolean() }).optional(),
	status: z.strictObject({ title: z.string().min(1).max(120).optional(), url: httpUrl.optional(), showSpend: z.boolean().optional() }).optional(),
});

export type ConfigFile = z.output<typeof configSchema>;
export type ProviderEntry = ConfigFile['providers'][number];
export type ModelEntry = z.output<typeof model>;
