/** The shape of what concerns on-call: `alerts`, `slos`, `maintenance`, `deadManSwitch`. */
import { z } from 'zod';
import { channelSettings } from '#alerts/index.ts';
import { alertClasses, groupings, scopeKinds } from '#core/alert.ts';
import { causes, impacts } from '#core/incident.ts';
import { operations } from '#core/target.ts';
import { isTimeZone, parseTimeOfDay, weekdays } from '#core/wall-clock.ts';
import { describe, duration, envName, oneOrMore } from './schema-values.ts';

const timeZone = z.string().refine(isTimeZone, { error: (issue) => `expected the name of a time zone, like "Europe/Berlin", got ${describe(issue.input)}` });

/** Minutes since local midnight. */
const timeOfDay = z.string({ error: (issue) => `expected a time of day in quotes, like "22:30", got ${describe(issue.input)}` }).transform((text, context) => {
	const minute = parseTimeOfDay(text);
	if (minute === null) context.addIssue({ code: 'custom', message: `expected a time of day, like "22:30", got ${describe(text)}` });
	return minute ?? 0;
});

/** ms since epoch. */
const instant = z
	.string({ error: (issue) => `expected a time with its zone in quotes, like "2026-12-24T02:00:00Z", got ${describe(issue.input)}` })
	.transform((text, context) => {
		const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
		if (Number.isNaN(at)) context.addIssue({ code: 'custom', message: `expected a time with its zone, like "2026-12-24T02:00:00Z", got ${describe(text)}` });
		return at || 0;
	});

export const matchSchema = z.strictObject({
	class: oneOrMore(z.enum(alertClasses)).optional(),
	provider: oneOrMore(z.string()).optional(),
	model: oneOrMore(z.string()).optional(),
	operation: oneOrMore(z.enum(operations)).optional(),
	vantage: oneOrMore(z.string()).optional(),
	scope: oneOrMore(z.enum(scopeKinds)).optional(),
	impact: oneOrMore(z.enum(impacts)).optional(),
	cause: oneOrMore(z.enum(causes)).optional(),
});

const quiet = z.strictObject({
	from: timeOfDay,
	to: timeOfDay,
	days: oneOrMore(z.enum(weekdays)).optional(),
	timeZone: timeZone.optional(),
	except: oneOrMore(z.enum(impacts)).optional(),
});

const policy = {
	groupBy: z.enum(groupings).optional(),
	groupWait: duration('0s', '1h').optional(),
	groupInterval: duration('0s', '24h').optional(),
	repeatEvery: duration('1m', '30d').optional(),
};

const someChannels = z.array(z.string()).min(1, { error: 'expected at least one channel' });

const route = z.strictObject({
	match: matchSchema.optional(),
	channels: someChannels,
	...policy,
	escalate: z.strictObject({ after: duration('1s', '24h'), channels: someChannels }).optional(),
	quiet: oneOrMore(quiet).optional(),
});

export const routeKeys = Object.keys(route.shape);

export const alertsSchema = z.strictObject({
	channels: z.record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, { error: 'expected a short name of a-z, 0-9, "_" or "-"' }), channelSettings),
	routes: z.array(route).optional(),
	...policy,
	timeZone: timeZone.optional(),
});

export const sloSchema = z.strictObject({
	name: z.string().min(1).max(80).optional(),
	provider: z.string().optional(),
	model: z.string().optional(),
	target: z.string().optional(),
	objective: z
		.number({ error: (issue) => `expected a ratio, like 0.995, got ${describe(issue.input)}` })
		.gt(0, { error: 'expected a ratio above 0, like 0.995' })
		.lt(1, { error: 'expected a ratio below 1, like 0.995: at 1 there is no budget for anything' }),
	window: duration('1d', '90d').optional(),
});

const maintenanceBase = {
	title: z.string().min(1).max(200),
	provider: z.string().optional(),
	model: z.string().optional(),
	vantage: z.string().optional(),
	for: duration('1m', '7d'),
};

export const maintenanceSchema = z.union([
	z.strictObject({ ...maintenanceBase, from: instant }),
	z.strictObject({
		...maintenanceBase,
		every: z.enum(['day', 'week', 'month']),
		at: timeOfDay,
		/** Weekdays of a week, or the day of a month. */
		on: z.union([oneOrMore(z.enum(weekdays)), z.int().min(1).max(31)]).optional(),
		timeZone: timeZone.optional(),
		until: instant.optional(),
	}),
]);

export const deadManSwitchSchema = z.strictObject({ urlEnv: envName, every: duration('10s', '1h').optional() });

export type AlertsFile = z.output<typeof alertsSchema>;
export type MaintenanceEntry = z.output<typeof maintenanceSchema>;
