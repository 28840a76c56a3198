import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Command } from 'commander';
import { z } from 'zod';
import { createLatticeState, type LatticeDecision, type LatticeInput, type LatticeState } from '#core/lattice/lattice-state.ts';
import { observe } from '#core/lattice/observe.ts';
import { ExpectedError } from './expected-error.ts';
import { version } from './version.ts';

export function detectCommand(): Command {
	return new Command('detect')
		.description('judges results from stdin, one JSON a line, and prints incidents and wanted re-probes (the real detector, no database)')
		.addHelpText('after', '\nThe protocol: docs/how-a-verdict-is-reached.md. A line that is not of it ends the run with exit code 2.')
		.action(() => replay(process.stdin, process.stdout));
}

// A name is a key of the detector's tables.
const name = z
	.string()
	.min(1)
	.max(300)
	.refine((text) => text !== '__proto__', 'expected a name other than __proto__');
const ms = z.number();
const anyOrName = name.nullable();
const duration = ms.nonnegative().nullable().optional();
const messages = z.discriminatedUnion('type', [
	z.object({
		type: z.literal('hello'),
		protocol: z.literal(1),
		t: ms,
		baseIntervalMs: ms.positive(),
		timeoutMs: ms.positive(),
		tickMs: ms.positive(),
		endpoints: z.array(z.object({ provider: name, model: name, region: name })),
		reprobe: z.object({ minSpacingMs: ms.nonnegative(), perDay: ms.nonnegative(), burst: ms.nonnegative() }).nullable().optional(),
	}),
	z.object({
		type: z.literal('probe'),
		id: z.union([z.string(), z.number()]),
		t: ms,
		startedAt: ms,
		provider: name,
		model: name,
		region: name,
		outcome: z.enum(['ok', 'timeout', 'connect', 'http_5xx', 'rate_limited', 'auth', 'stream_broken', 'empty', 'wrong']),
		ttftMs: duration,
		totalMs: duration,
		reprobe: z.boolean().nullable().optional(),
	}),
	z.object({
		type: z.literal('maintenance'),
		id: z.union([z.string(), z.number()]),
		t: ms,
		provider: anyOrName,
		model: anyOrName,
		region: anyOrName,
		from: ms,
		to: ms,
	}),
	z.object({ type: z.literal('reprobe.denied'), t: ms, provider: name, model: name, region: name, reason: z.string().nullable().optional() }),
	z.object({ type: z.literal('tick'), t: ms }),
	z.object({ type: z.literal('end'), t: ms }),
]);
type Message = z.infer<typeof messages>;

/** Reads until `end` or the end of input. Throws an ExpectedError with exit code 2 that names the line when a line is not of the protocol. */
export async function replay(input: Readable, output: Writable): Promise<void> {
	let state: LatticeState | null = null;
	let number = 0;
	let waiting: string[] = [];
	const flush = async () => {
		if (waiting.length === 0) return;
		const text = `${waiting.join('\n')}\n`;
		waiting = [];
		// The reader waits for the ack; a full pipe must not be mistaken for a written one.
		if (!output.write(text)) await new Promise((resolve) => output.once('drain', resolve));
	};
	for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
		number += 1;
		if (line.trim() === '') continue;
		const message = readMessage(line, number);
		if (message.type === 'hello') {
			if (state !== null) throw new ExpectedError(`line ${number}: expected one hello, got a second`, 2);
			state = createLatticeState({
				...{ baseIntervalMs: message.baseIntervalMs, timeoutMs: message.timeoutMs, reprobe: message.reprobe ?? null },
				endpoints: message.endpoints.map(({ provider, model, region }) => ({ provider, model, vantage: region })),
			});
			waiting.push(JSON.stringify({ type: 'ready', name: `linnet ${version}` }));
			await flush();
			continue;
		}
		if (state === null) throw new ExpectedError(`line ${number}: expected a hello first, got "${message.type}"`, 2);
		if (message.type === 'end') break;
		for (const decision of observe(state, inputOf(message))) {
			const reply = messageOf(decision);
			if (reply !== null) waiting.push(JSON.stringify(reply));
		}
		if (message.type === 'tick') {
			waiting.push(JSON.stringify({ type: 'ack', t: message.t }));
			await flush();
		}
	}
	await flush();
}

function readMessage(line: string, number: number): Message {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (error) {
		throw new ExpectedError(`line ${number}: expected JSON, got ${JSON.stringify(line.slice(0, 80))}`, 2, { cause: error });
	}
	const parsed = messages.safeParse(value);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	throw new ExpectedError(`line ${number}: ${issue?.path.join('.') || 'message'}: ${issue?.message ?? 'not of the protocol'}`, 2);
}

function inputOf(message: Exclude<Message, { type: 'hello' | 'end' }>): LatticeInput {
	switch (message.type) {
		case 'tick':
			return { type: 'tick', at: message.t };
		case 'probe': {
			const { id, t: at, startedAt, provider, model, region: vantage, outcome, ttftMs = null, totalMs = null, reprobe } = message;
			return { type: 'result', id: String(id), at, startedAt, provider, model, vantage, outcome, ttftMs, totalMs, reprobe: reprobe === true };
		}
		case 'maintenance': {
			const { id, t: at, provider, model, region: vantage, from: fromAt, to: toAt } = message;
			return { type: 'maintenance', id: String(id), at, scope: { provider, model, vantage }, fromAt, toAt };
		}
		case 'reprobe.denied':
			return { type: 'reprobe_denied', at: message.t, provider: message.provider, model: message.model, vantage: message.region };
	}
}

/** Null: the protocol has no word for it. */
function messageOf(decision: LatticeDecision): object | null {
	if (decision.type === 'recovering' || decision.type === 'failing_again') return null;
	if (decision.type === 'reprobe') {
		const { provider, model, vantage: region, delayMs } = decision;
		return { type: 'reprobe', provider, model, region, delayMs };
	}
	const { type, id, at: t, scope, severity, cause } = decision;
	if (type === 'resolve') return { type: 'incident.resolve', id, t };
	const { provider, model, vantage: region } = scope;
	return { type: `incident.${type}`, id, t, scope: { provider, model, region }, severity, cause };
}
