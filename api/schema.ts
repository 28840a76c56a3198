/** The shape of every answer, in one place: the OpenAPI document is made from it and the tests hold each answer against it. */
import { z } from 'zod';
import { outcomes } from '#core/outcome.ts';
import { phases, probeKinds } from '#core/probe-result.ts';
import { capacityStates, qualityStates } from '#core/snapshot.ts';
import { operations } from '#core/target.ts';
import { availabilitySchema, count, instant, made, ms, share, stateSchema } from './schema-parts.ts';

const percentiles = z.strictObject({ p50: ms, p90: ms, p95: ms, p99: ms, count });
const speed = z.strictObject({ p50: z.number(), p10: z.number().describe('the slow end'), count });
const price = z.strictObject({ inputUsdPerMTok: z.number(), outputUsdPerMTok: z.number() });
const lifecycle = z.enum(['active', 'deprecated', 'retired', 'vanished']);
const vantages = z.record(z.string(), z.strictObject({ state: stateSchema, measuredAt: instant.nullable() }));

const headroom = z
	.strictObject({ ratio: share, of: z.enum(['requests', 'tokens']), measuredAt: instant })
	.nullable()
	.describe('what is left of the rate limit of the key that probes, as headers told it in the last 10 min; null: they told nothing');

const identity = { id: z.string(), provider: z.string(), model: z.string(), operation: z.enum(operations), upstreamModel: z.string() };
const verdict = { state: stateSchema, reason: z.string().describe('why, in words'), since: instant };

const cadence = {
	intervalMs: ms.describe('as configured'),
	plannedIntervalMs: ms.describe("how often it is probed now, at least: longer than intervalMs while the day's budget is short"),
};

const healthTarget = z.strictObject({
	...identity,
	...verdict,
	incident: z.string().nullable(),
	measuredAt: instant.nullable().describe('start of the newest result that ran; null before the first'),
	staleAfter: instant,
	availability: z.strictObject({ '5m': availabilitySchema, '30m': availabilitySchema, '1d': availabilitySchema }),
	capacity: z.strictObject({ state: z.enum(capacityStates), ratio: share.nullable(), retryAfterMs: ms.nullable(), headroom }),
	quality: z.strictObject({ state: z.enum(qualityStates), ratio: share.nullable(), right: count, answered: count }),
	ttftMs: percentiles.nullable().describe('request sent → first content, last 30 min; null below 5 samples'),
	outputTokensPerSecond: speed.nullable(),
	price: price.nullable(),
	lifecycle,
	vantages,
});

export const healthSchema = z.strictObject({ schema: z.literal('linnet.health/1'), ...made, staleAfter: instant, targets: z.array(healthTarget) });

export const verdictsSchema = z.strictObject({
	schema: z.literal('linnet.verdicts/1'),
	simulated: z.boolean(),
	targets: z.record(z.string(), z.strictObject(verdict)),
});

export const checkSchema = z.strictObject({
	id: z.string(),
	route: z.boolean().describe('false only where an outage is confirmed: 503'),
	...verdict,
	since: instant.nullable(),
	measuredAt: instant.nullable(),
	failOpen: z.boolean().describe('true when the answer rests on no fresh evidence'),
});

const targetObjectives = z
	.array(
		z.strictObject({
			id: z.string().describe('as in /v1/slos'),
			title: z.string(),
			objectiveRatio: share,
			periodMs: ms,
			sharedBy: count.describe('targets whose results are judged together, this one among them'),
			remainingRatio: z.number().nullable().describe('of its error budget; below 0 the objective is missed; null without valid results'),
			exhaustedInMs: z.number().nullable().describe('at the rate of the last hour; 0: it is gone; null: never, or not known'),
			firing: z.boolean().describe('its budget burns so fast that it alerts'),
		}),
	)
	.describe('objectives that it counts towards');

export const targetsSchema = z.strictObject({
	schema: z.literal('linnet.targets/1'),
	...made,
	targets: z.array(
		z.strictObject({ ...identity, slug: z.string(), state: stateSchema, ...cadence, price: price.nullable(), lifecycle, objectives: targetObjectives }),
	),
});

const dayView = z.strictObject({
	date: z.iso.date(),
	state: stateSchema,
	downMinutes: z.number(),
	degradedMinutes: z.number(),
	good: count,
	bad: count,
	excluded: count,
});

export const targetSchema = z.strictObject({
	schema: z.literal('linnet.target/1'),
	...made,
	staleAfter: instant,
	target: healthTarget.extend({
		slug: z.string(),
		...cadence,
		availability: z.record(z.enum(['5m', '30m', '1h', '1d', '7d', '30d', '90d']), availabilitySchema),
		coverage: z.strictObject({ ran: count, due: count, ratio: share.nullable() }),
		capacity: z.strictObject({ state: z.enum(capacityStates), ratio: share.nullable(), served: count, refused: count, retryAfterMs: ms.nullable(), headroom }),
		ttftMs1d: percentiles.nullable(),
		canaryFaults: z
			.array(
				z.strictObject({
					canary: z.string(),
					state: z.enum(['refused', 'untested']).describe('untested: never accepted yet, its failures do not count'),
					field: z.string().nullable().describe('as the provider named it'),
					advice: z.string().nullable().describe('what to change in the configuration'),
					since: instant,
				}),
			)
			.describe("canaries that the target refuses as malformed, or has not accepted yet: the operator's to mend"),
		outcomes: z.record(z.string(), count),
		days: z.array(dayView),
		objectives: targetObjectives,
	}),
	observations: z
		.array(
			z.strictObject({
				source: z.string(),
				from: instant,
				to: instant,
				reports: count,
				requests: count,
				outcomes: z.record(z.string(), count),
				ttftMs: z.strictObject({ p50: ms, p95: ms, count }).nullable(),
			}),
		)
		.describe('what routers report of their own traffic in the last hour, by source; no number above rests on it, and a verdict at most a little'),
});

export const recordedSchema = z.strictObject({
	schema: z.literal('linnet.recorded/1'),
	accepted: count,
	duplicates: count.describe('stored before'),
	unknownTargets: z.array(z.string()).describe('not measured here, so not stored; at most 20'),
});

const pair = z.strictObject({ p50: ms, p95: ms }).nullable();

export const seriesSchema = z.strictObject({
	schema: z.literal('linnet.series/1'),
	target: z.string(),
	from: instant,
	to: instant,
	step: z.enum(['5m', '1h', '1d']),
	points: z.array(
		z.strictObject({
			at: instant,
			count,
			missed: count,
			good: count,
			bad: count,
			excluded: count,
			ttftMs: z.strictObject({ p50: ms, p90: ms, p95: ms, p99: ms }).nullable(),
			totalMs: pair,
			outputTokensPerSecond: z.strictObject({ p50: z.number(), p10: z.number() }).nullable(),
		}),
	),
	marks: z
		.array(z.strictObject({ at: instant, aspect: z.string(), before: z.string(), after: z.string() }))
		.describe('from when on the target was probed in another way (protocol, parameters, canary …): a step there is ours, not the provider’s'),
});

const maybeMs = ms.nullable().describe('milliseconds; null: the phase did not happen');

export const resultsSchema = z.strictObject({
	schema: z.literal('linnet.results/1'),
	target: z.string(),
	results: z.array(
		z.strictObject({
			id: z.string(),
			slotAt: instant,
			startedAt: instant.nullable().describe('null: a missed slot'),
			vantage: z.string(),
			provider: z.string(),
			model: z.string(),
			operation: z.enum(operations),
			canary: z.string(),
			kind: z.enum(probeKinds),
			outcome: z.enum(outcomes),
			sli: z.enum(['good', 'bad', 'excluded']),
			phase: z.enum(phases).nullable(),
			httpStatus: z.int().nullable(),
			dnsMs: maybeMs,
			connectMs: maybeMs,
			tlsMs: maybeMs,
			ttfbMs: maybeMs,
			ttftMs: maybeMs,
			maxGapMs: maybeMs,
			totalMs: maybeMs,
			lagMs: maybeMs,
			inputTokens: count.nullable(),
			outputTokens: count.nullable(),
			outputTokensPerSecond: z.number().nullable(),
			servedModel: z.string().nullable(),
			requestId: z.string().nullable(),
			retryAfterMs: maybeMs,
			costMicroUsd: z.number().nullable(),
			evidence: z.looseObject({}).nullable(),
		}),
	),
	next: z.string().nullable().describe('cursor of the next page; null on the last'),
});

export const routeSchema = z.strictObject({
	schema: z.literal('linnet.route/1'),
	...made,
	staleAfter: instant,
	model: z.string(),
	failOpen: z.boolean().describe('true: even the first is no recommendation; the least bad is given'),
	candidates: z.array(
		z.strictObject({
			id: z.string(),
			provider: z.string(),
			upstreamModel: z.string(),
			state: stateSchema,
			reason: z.string(),
			why: z.string().describe('what set it apart from its neighbour in the list'),
			ttftP50Ms: ms.nullable(),
			outputTokensPerSecond: z.number().nullable(),
			retryAfterMs: ms.nullable(),
			price: price.nullable(),
		}),
	),
	left: z
		.array(z.strictObject({ id: z.string(), provider: z.string(), state: stateSchema, reason: z.string() }))
		.describe('in a confirmed outage while others are not'),
});

export const uptimeSchema = z.strictObject({
	schema: z.literal('linnet.uptime/1'),
	...made,
	definition: z.string(),
	meaning: z.string(),
	counts: z
		.record(z.enum(outcomes), z.enum(['good', 'bad', 'excluded', 'bad_if_confirmed']))
		.nullable()
		.describe('what each outcome does; null where minutes are counted. bad_if_confirmed: bad when a second connection and a control agree, else excluded'),
	window: z.enum(['1d', '90d']),
	unit: z.enum(['results', 'minutes']),
	targets: z.record(z.string(), availabilitySchema.extend({ good: z.number(), bad: z.number() })),
});

export const problemSchema = z.strictObject({ type: z.string(), title: z.string(), status: z.int(), detail: z.string() });
/** A shape that somebody else defines; contract tests hold it against their own clients. */
export const foreignSchema = z.looseObject({});
export const keySchema = z.strictObject({
	schema: z.literal('linnet.key/1'),
	algorithm: z.literal('Ed25519'),
	publicKey: z.string().describe('32 bytes, base64'),
});
const drillFigures = z.strictObject({ meanMs: ms, sigmaMs: ms, count });
export const drillSchema = z.strictObject({
	schema: z.literal('linnet.drill/1'),
	version: z.string().describe('of the software that was drilled'),
	at: instant,
	seeds: count.describe('times that each scenario was played'),
	scenarios: z.array(
		z.strictObject({
			name: z.string(),
			description: z.string(),
			detect: drillFigures.nullable().describe('from the start of the trouble until it was told; null where nothing was to be told'),
			scope: drillFigures.nullable().describe('until the right scope was named'),
			clear: drillFigures.nullable().describe('from its end until it was told to be over'),
			missed: count,
			falseAlarms: count,
			misblamed: count.describe('false alarms that blame a provider'),
			messages: z.number().describe('alerts sent, mean of a play'),
			complaints: z.array(z.string()),
		}),
	),
});
export const livezSchema = z.strictObject({ alive: z.literal(true), version: z.string() });
export const readyzSchema = z.strictObject({ ready: z.boolean(), checks: z.record(z.string(), z.unknown()) });
export const shieldSchema = z.strictObject({
	schemaVersion: z.literal(1),
	label: z.string(),
	message: z.string().min(1),
	color: z.string(),
	isError: z.boolean(),
	cacheSeconds: z.int(),
});
