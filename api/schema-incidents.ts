/** The shape of incidents, of what providers say of themselves, and of objectives. */
import { z } from 'zod';
import { causes, conditions, impacts, incidentStatuses, severities } from '#core/incident.ts';
import { officialImpacts, officialStatuses } from '#core/official.ts';
import { availabilitySchema, count, instant, made, ms } from './schema-parts.ts';

const checked = z.strictObject({ heard: count, well: count, names: z.array(z.string()) });

const incident = z.strictObject({
	id: z.string(),
	title: z.string(),
	scope: z.strictObject({
		provider: z.string().nullable(),
		model: z.string().nullable(),
		operation: z.string().nullable(),
		vantage: z.string().nullable(),
	}),
	condition: z.enum(conditions),
	cause: z.enum(causes),
	severity: z.enum(severities).describe('how bad it is where it is; the impact weighs in the scope'),
	impact: z.enum(impacts),
	status: z.enum(incidentStatuses),
	reason: z.string(),
	startedAt: instant.describe('estimated onset: the first bad result'),
	detectedAt: instant,
	resolvedAt: instant.nullable(),
	relapseCount: count,
	targetIds: z.array(z.string()),
	evidence: z.strictObject({
		good: count,
		bad: count,
		excluded: count,
		outcomes: z.record(z.string(), count),
		vantages: z.array(z.string()),
		exampleResultIds: z.array(z.string()),
		nats: z.number().nullable().describe('natural-log likelihood ratio of trouble against a usual day, when it was opened or last moved'),
		checked: z
			.strictObject({ models: checked, vantages: checked, providers: checked })
			.nullable()
			.describe('outside the scope, since the onset: how many were heard, and how many had no bad result'),
	}),
	updates: z.array(
		z.strictObject({
			at: instant,
			status: z.enum(incidentStatuses),
			body: z.string(),
			operator: z.string().optional().describe('who of the operators said it; absent: it was judged'),
		}),
	),
	override: z
		.strictObject({
			judged: z.strictObject({ impact: z.enum(impacts), cause: z.enum(causes), status: z.enum(incidentStatuses), resolvedAt: instant.nullable() }),
			falseAlarm: z.boolean(),
			at: instant,
			by: z.string(),
			why: z.string(),
		})
		.optional()
		.describe('present while impact, cause, status or end are the operator’s word; what was judged stands in it, and every published number rests on that'),
	official: z
		.array(
			z.strictObject({
				id: z.string(),
				title: z.string(),
				url: z.string().nullable(),
				firstUpdateAt: instant,
				resolvedAt: instant.nullable(),
				lagMs: z.int().describe('their first word minus our detection: above 0 we told first'),
				words: z.string().describe('the same for people'),
			}),
		)
		.optional()
		.describe('what the provider’s own status page said of it, nearest first; never evidence. Left out: nothing was read'),
});

const officialIncident = z.strictObject({
	provider: z.string(),
	id: z.string(),
	title: z.string(),
	impact: z.enum(officialImpacts),
	status: z.enum(officialStatuses),
	url: z.string().nullable(),
	startedAt: instant,
	firstUpdateAt: instant.describe('when they first said something'),
	resolvedAt: instant.nullable(),
	components: z.array(z.string()),
	targetIds: z.array(z.string()).describe('of ours, those that it names; empty: the provider as a whole'),
	updates: z.array(z.strictObject({ at: instant, status: z.enum(officialStatuses), body: z.string() })),
});

const objective = z.strictObject({
	id: z.string(),
	title: z.string(),
	scope: z.strictObject({ provider: z.string().nullable(), model: z.string().nullable(), operation: z.string().nullable() }),
	objectiveRatio: z.number(),
	periodMs: ms,
	targetIds: z.array(z.string()),
	availability: availabilitySchema,
	budget: z.strictObject({
		allowedBad: z.number().describe('bad results that the valid ones of the period so far allow'),
		bad: count,
		remainingRatio: z.number().nullable().describe('below 0 the objective is missed'),
		exhaustedInMs: z.number().nullable().describe('at the rate of the last hour; 0: it is gone; null: never, or not known'),
	}),
	burnRate1h: z.number().nullable().describe('1 spends exactly the budget in the period'),
	rules: z.array(
		z.strictObject({
			name: z.string(),
			severity: z.enum(['page', 'ticket']),
			longMs: ms,
			shortMs: ms,
			threshold: z.number(),
			longBurnRate: z.number().nullable(),
			shortBurnRate: z.number().nullable(),
			firing: z.boolean(),
			reason: z.string().describe('why it fires or does not: `too_few_results` is the guard of sparse probes'),
		}),
	),
});

export const slosSchema = z.strictObject({ schema: z.literal('linnet.slos/1'), ...made, objectives: z.array(objective) });

export const officialSchema = z.strictObject({ schema: z.literal('linnet.official/1'), ...made, incidents: z.array(officialIncident) });

export const incidentsSchema = z.strictObject({ schema: z.literal('linnet.incidents/1'), ...made, incidents: z.array(incident) });
export const incidentSchema = z.strictObject({ schema: z.literal('linnet.incident/1'), incident });
