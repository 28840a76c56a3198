/** The clock moved through nights of maintenance, once and recurring, over changes of clocks: what the real planner and sender tell, and when. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChannelSettings } from '#alerts/index.ts';
import { type AlertRoute, defaultPolicy, type Transition } from '#core/alert.ts';
import { silentLog } from '#core/log.ts';
import type { Recurrence } from '#core/maintenance.ts';
import { wallTimeAt } from '#core/wall-clock.ts';
import { addMaintenance, cancelMaintenance } from '#db/maintenances.ts';
import { countDeliveries } from '#db/outbox.ts';
import { transaction } from '#db/sql.ts';
import { type Collector, startCollector } from '#test/collector.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { eventOfModel } from '#test/sample-alert.ts';
import { owe } from './announce.ts';
import { deliver } from './deliver.ts';
import { planMessages } from './plan-alerts.ts';

const minute = 60_000;
const stepMs = 5 * minute;
const secret = Buffer.from('s'.repeat(24)).toString('base64');
let house: TestDatabase;
let collector: Collector;
let now: number;
let routes: AlertRoute[];
let numbers: Map<string, number>;

beforeEach(async () => {
	house = await createTestDatabase();
	collector = await startCollector();
	numbers = new Map();
	routes = [{ match: {}, channels: ['hook'], policy: { ...defaultPolicy, groupBy: 'incident', groupWaitMs: 0, groupIntervalMs: 0, repeatEveryMs: null } }];
});
afterEach(async () => {
	await collector.close();
	await house.drop();
});

const tools = () => ({
	...{ db: house.db, log: silentLog, now: () => now, random: () => 0, readSecret: () => secret, routes: () => routes },
	channels: (): Record<string, ChannelSettings> => ({ hook: { type: 'webhook', url: collector.url, secretEnv: 'SECRET' } }),
});

async function move(name: string, transition: Transition): Promise<void> {
	const number = (numbers.get(name) ?? 0) + 1;
	numbers.set(name, number);
	const event = eventOfModel(name, {}, transition);
	await transaction(house.db, (tx) => owe(tx, { subjectId: `inc-${name}`, transition, number, at: now, event }, tools()));
}

interface Happening {
	/** Minutes after the start of the window. */
	readonly atMin: number;
	readonly name: string;
	readonly transition: Transition;
}

/** Moves the clock in steps of five minutes. @returns what was told, as `minute name transition`, minutes counted from `startAt` */
async function live(startAt: number, fromMin: number, toMin: number, happenings: readonly Happening[]): Promise<string[]> {
	const told: string[] = [];
	const waiting = [...happenings];
	for (now = startAt + fromMin * minute; now <= startAt + toMin * minute; now += stepMs) {
		const atMin = (now - startAt) / minute;
		while (waiting[0] !== undefined && waiting[0].atMin <= atMin) {
			const { name, transition } = waiting.shift() as Happening;
			await move(name, transition);
		}
		const before = collector.seen.length;
		await planMessages(tools());
		await Promise.all(await deliver(tools()));
		for (const { body } of collector.seen.slice(before)) {
			const { type, data } = JSON.parse(body) as { type: string; data: { incidents: { id: string }[] } };
			told.push(`${atMin} ${data.incidents.map(({ id }) => id.replace('inc-', '')).join('+')} ${type.replace('incident.', '')}`);
		}
	}
	return told.sort();
}

const announce = (window: { fromAt: number; durationMs: number; recurrence: Recurrence | null }) =>
	addMaintenance(house.db, {
		...{ id: 'work', source: 'api', title: 'night work', scope: { provider: 'groq', model: null, vantage: null }, untilAt: null, createdBy: 't' },
		...{ createdAt: window.fromAt, ...window },
	});

/** One that is over before the window ends, one that stays open through it, one that begins in it and goes on, one that begins and ends in it. */
const night = (tag: string): Happening[] => [
	{ atMin: -20, name: `told${tag}`, transition: 'opened' },
	{ atMin: -20, name: `stays${tag}`, transition: 'opened' },
	{ atMin: 10, name: `told${tag}`, transition: 'resolved' },
	{ atMin: 15, name: `burns${tag}`, transition: 'opened' },
	{ atMin: 20, name: `brief${tag}`, transition: 'opened' },
	{ atMin: 30, name: `brief${tag}`, transition: 'resolved' },
	{ atMin: 75, name: `burns${tag}`, transition: 'resolved' },
	{ atMin: 75, name: `stays${tag}`, transition: 'resolved' },
];
const tale = (tag: string, endMin = 60) =>
	[
		`-20 told${tag} opened`,
		`-20 stays${tag} opened`,
		`${endMin} told${tag} resolved`,
		`${endMin} burns${tag} opened`,
		`75 burns${tag} resolved`,
		`75 stays${tag} resolved`,
	].sort();

const berlin: Recurrence = { every: 'day', timeZone: 'Europe/Berlin' };

// Clocks in Berlin go back on 2026-10-25 at 01:00 UTC (02:00 comes twice) and forward on 2026-03-29 at 01:00 UTC (02:00 to 03:00 does not exist).
it.each<[string, Recurrence | null, readonly string[]]>([
	['once', null, ['2026-11-24T02:00Z']],
	['every night while clocks go back', berlin, ['2026-10-24T00:00Z', '2026-10-25T00:00Z', '2026-10-26T01:00Z']],
	['every night while clocks go forward', berlin, ['2026-03-28T01:00Z', '2026-03-29T01:00Z', '2026-03-30T00:00Z']],
	[
		'every Sunday over the change',
		{ every: 'week', days: ['sun'], timeZone: 'Europe/Berlin' },
		['2026-10-18T00:00Z', '2026-10-25T00:00Z', '2026-11-01T01:00Z'],
	],
])('%s: inside nothing is told; at the end what is over is closed, what still burns is told, what was both is not', async (_, recurrence, starts) => {
	const startsAt = starts.map((text) => Date.parse(text));
	await announce({ fromAt: startsAt[0] ?? 0, durationMs: 60 * minute, recurrence });
	for (const [i, startAt] of startsAt.entries()) {
		if (recurrence !== null && i !== 1) expect(wallTimeAt(startAt, recurrence.timeZone).minute).toBe(120);
		expect(await live(startAt, -30, 90, night(`-${i}`))).toEqual(tale(`-${i}`));
	}
	expect((await countDeliveries(house.db)).map(({ state }) => state)).toEqual(['delivered']);
});

it('a window that is cancelled ends then: what it held back is told at once', async () => {
	const startAt = Date.parse('2026-11-24T02:00Z');
	await announce({ fromAt: startAt, durationMs: 60 * minute, recurrence: null });
	const first = await live(startAt, -30, 35, night('').slice(0, 6));
	await cancelMaintenance(house.db, 'work', now);
	const rest = await live(startAt, 40, 90, night('').slice(6));
	expect([...first, ...rest].sort()).toEqual(tale('', 40));
});

it('what is none of its business is told inside it: another provider’s outage, and the operator’s own', async () => {
	const startAt = Date.parse('2026-11-24T02:00Z');
	await announce({ fromAt: startAt, durationMs: 60 * minute, recurrence: null });
	now = startAt + 10 * minute;
	const elsewhere = { provider: 'cerebras', model: 'm', operation: 'chat' as const, vantage: null };
	for (const [id, changes] of [
		['inc-elsewhere', { incident: { id: 'inc-elsewhere', scope: elsewhere } }],
		['inc-own', { class: 'operator' as const, incident: { id: 'inc-own', cause: 'monitor' as const } }],
	] as const) {
		await transaction(house.db, (tx) => owe(tx, { subjectId: id, transition: 'opened', number: 1, at: now, event: eventOfModel('m', changes) }, tools()));
	}
	expect(await live(startAt, 10, 10, [])).toEqual(['10 elsewhere opened', '10 own operator.opened']);
});
