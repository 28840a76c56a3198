/** A scenario file: what goes wrong when, and what is to be said of it. */
import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { ExpectedError } from '#bin/expected-error.ts';
import { parseDuration } from '#core/duration.ts';
import { causes, conditions } from '#core/incident.ts';
import type { Fault } from '#simulator/faults.ts';
import { faultSamples } from '#simulator/faults.ts';

const duration = z.string().transform((text, context) => {
	const ms = parseDuration(text);
	if (ms === null) context.addIssue({ code: 'custom', message: `expected a duration with its unit, like "90s" or "5m", got "${text}"` });
	return ms ?? 0;
});
const place = {
	provider: z.string().optional(),
	model: z.string().optional(),
	vantage: z.string().optional(),
};
const modes = Object.keys(faultSamples) as [Fault['mode'], ...Fault['mode'][]];
/** `network`: our own, from a vantage. `gap`: nothing runs. The rest are the simulator's. */
const fault = z.union([z.looseObject({ mode: z.enum(modes) }), z.strictObject({ mode: z.enum(['network', 'gap']) })]);

const schema = z.strictObject({
	name: z.string().regex(/^[a-z0-9-]+$/),
	description: z.string().min(1),
	for: duration,
	interval: duration.default(60_000),
	vantages: z.array(z.string()).min(1).default(['fra', 'iad', 'sin']),
	/** Share of requests that fail on a usual day. */
	noise: z.number().min(0).max(0.05).default(0.004),
	faults: z
		.array(
			z.strictObject({
				at: duration,
				until: duration,
				...place,
				/** Share of the requests that it hits. */
				share: z.number().min(0).max(1).default(1),
				fault,
				/** Absent: part of the fault before it. */
				expect: z
					.strictObject({
						cause: z.enum(causes),
						condition: z.enum(conditions).optional(),
						/** What the incident must name in the end; `*` is all. Absent: the place of the fault. */
						entity: z.strictObject(place).optional(),
						/** Longest time from its start until it is told, and from its end until it is over. */
						within: duration,
						clear: duration,
					})
					.nullable()
					.optional(),
			}),
		)
		.default([]),
	maintenance: z.array(z.strictObject({ from: duration, until: duration, ...place })).default([]),
});

export type Scenario = z.output<typeof schema>;
export type ScenarioFault = Scenario['faults'][number];

/** @throws ExpectedError with every fault of the file and its line */
export async function readScenario(path: string): Promise<Scenario> {
	const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
		throw new ExpectedError(`${path}: could not be read (${error.code})`, 2);
	});
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines });
	const [broken] = document.errors;
	if (broken !== undefined) throw new ExpectedError(`${path}:${broken.linePos?.[0].line ?? 1}: ${broken.message.split('\n')[0]}`, 2);
	const parsed = schema.safeParse(document.toJS());
	if (parsed.success) return parsed.data;
	const told = parsed.error.issues.map(({ path: keys, message }) => {
		const node = document.getIn(keys as (string | number)[], true) as { range?: [number] } | undefined;
		return `${path}:${node?.range === undefined ? 1 : lines.linePos(node.range[0]).line}: ${keys.join('.') || 'file'}: ${message}`;
	});
	throw new ExpectedError(told.join('\n'), 2);
}
