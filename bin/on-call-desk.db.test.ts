import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BadSaying, type OnCallDesk } from '#api/on-call-desk.ts';
import { defaultPolicy } from '#core/alert.ts';
import { silentLog } from '#core/log.ts';
import { overrideIncident } from '#core/override-incident.ts';
import { listNotices } from '#db/alert-notices.ts';
import { findIncident, openIncident, resolveIncident } from '#db/incidents.ts';
import { listMaintenances } from '#db/maintenances.ts';
import { listOperatorEntries } from '#db/operator-entries.ts';
import { transaction } from '#db/sql.ts';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleIncident } from '#test/sample-incident.ts';
import { sampleNow } from '#test/sample-results.ts';
import { announce } from '#workers/announce.ts';
import { announceOverrides } from '#workers/announce-overrides.ts';
import { planMessages } from '#workers/plan-alerts.ts';
import { createOnCallDesk } from './on-call-desk.ts';

let house: TestDatabase;
let desk: OnCallDesk;
let now: number;

beforeEach(async () => {
	house = await createTestDatabase();
	now = sampleNow + 5_000;
	desk = createOnCallDesk(house.db, () => now);
});
afterEach(() => house.drop());

const tools = () => ({
	...{ db: house.db, log: silentLog, now: () => now, targets: () => [], simulated: false, publicUrl: () => null, channels: () => ({}) },
	routes: () => [{ match: {}, channels: ['pager'], policy: { ...defaultPolicy, groupWaitMs: 0 } }],
});
const told = async () => (await listNotices(house.db)).map(({ event }) => [event.type, event.incident.impact, event.incident.reason.includes('operator')]);
async function openOne() {
	const incident = sampleIncident();
	await transaction(house.db, async (tx) => {
		const number = await openIncident(tx, incident);
		await announce(tx, { incident, transition: 'opened', number, at: sampleNow }, tools());
	});
	return incident.id;
}
const shown = async (id: string) => {
	const [incident, entries] = [await findIncident(house.db, id), await listOperatorEntries(house.db, [id])];
	return incident === null ? null : overrideIncident(incident, entries.get(id) ?? []);
};

describe('an override', () => {
	it('is told on the channels that heard of the incident, and leaves the record as it was judged', async () => {
		const id = await openOne();
		const before = await findIncident(house.db, id);
		await desk.override(id, { by: 'ana', why: 'one region only', impact: 'minor' });
		expect(await announceOverrides(tools())).toBe(1);
		expect(await announceOverrides(tools())).toBe(0);
		expect(await told()).toEqual([
			['incident.opened', 'major', false],
			['incident.updated', 'minor', true],
		]);
		expect(await findIncident(house.db, id)).toEqual(before);
		expect(await shown(id)).toMatchObject({ impact: 'minor', override: { judged: { impact: 'major' }, by: 'ana', why: 'one region only' } });
	});

	it('as a false alarm closes it for on-call; its real end is no news, and a withdrawal is', async () => {
		const id = await openOne();
		await planMessages(tools());
		await desk.override(id, { by: 'ana', why: 'our firewall', falseAlarm: true });
		await announceOverrides(tools());
		now += 1_000;
		await desk.override(id, { by: 'ana', why: 'it was not', withdraw: true });
		await announceOverrides(tools());
		now += 1_000;
		await desk.override(id, { by: 'bo', why: 'it was', falseAlarm: true });
		await announceOverrides(tools());
		expect((await told()).map(([type]) => type)).toEqual(['incident.opened', 'incident.resolved', 'incident.reopened', 'incident.resolved']);
		now += 1_000;
		await planMessages(tools());
		await transaction(house.db, async (tx) => {
			const number = await resolveIncident(tx, id, { update: { at: now, status: 'resolved', body: 'over' } });
			const incident = await findIncident(tx, id);
			await announce(tx, { incident: incident!, transition: 'resolved', number, at: now }, tools());
		});
		expect((await planMessages(tools())).messages).toEqual([]);
	});

	it('is kept for ever: what was said is neither changed nor removed', async () => {
		const id = await openOne();
		await desk.note(id, { by: 'ana', text: 'seen' });
		await announceOverrides(tools());
		expect((await told()).map(([type]) => type)).toEqual(['incident.opened']);
		await expect(house.db.execute("update operator_entries set body = 'unseen'")).rejects.toThrow(/only ever added/);
		await expect(house.db.execute('delete from operator_entries')).rejects.toThrow(/only ever added/);
		expect((await shown(id))?.updates.at(-1)).toMatchObject({ operator: 'ana', body: 'Operator ana: seen' });
	});

	it('of an unknown incident is said to be none', async () => {
		expect(await desk.note('nope', { by: 'ana', text: 'x' })).toBeNull();
		expect(await desk.override('nope', { by: 'ana', why: 'x', falseAlarm: true })).toBeNull();
	});
});

describe('what is said wrongly is refused with what was expected', () => {
	const cases: [string, (desk: OnCallDesk) => Promise<unknown>, RegExp][] = [
		['an override of nothing', (one) => one.override('i', { by: 'a', why: 'b' }), /expected `impact`/],
		['a false alarm of an impact', (one) => one.override('i', { by: 'a', why: 'b', falseAlarm: true, impact: 'minor' }), /alone/],
		['an impact that is none', (one) => one.override('i', { by: 'a', why: 'b', impact: 'huge' }), /impact/],
		['a note by nobody', (one) => one.note('i', { text: 'x' }), /by/],
		['a silence of everything', (one) => one.silence({ match: {}, for: '1h', by: 'a', comment: 'c' }), /at least one/],
		['a silence without an end', (one) => one.silence({ match: { provider: 'groq' }, by: 'a', comment: 'c' }), /until/],
		['a silence that is over', (one) => one.silence({ match: { provider: 'groq' }, until: '2020-01-01T00:00:00Z', by: 'a', comment: 'c' }), /ahead/],
		['weekly maintenance without its days', (one) => one.announce({ by: 'a', title: 't', for: '1h', every: 'week', at: '02:00' }), /weekdays/],
		['maintenance that is over', (one) => one.announce({ by: 'a', title: 't', for: '1h', from: '2020-01-01T00:00:00Z' }), /not over/],
	];
	it.each(cases)('%s', async (_, say, words) => {
		await expect(say(desk)).rejects.toThrow(BadSaying);
		await expect(say(desk)).rejects.toThrow(words);
	});
});

it('a silence and maintenance are made, listed and ended', async () => {
	const silence = (await desk.silence({ match: { provider: 'groq' }, for: '2h', by: 'ana', comment: 'they know' })) as { id: string };
	expect(await desk.silences()).toMatchObject({ silences: [{ id: silence.id, match: { provider: ['groq'] }, by: 'ana' }] });
	expect(await desk.endSilence(silence.id)).not.toBeNull();
	expect(await desk.endSilence(silence.id)).toBeNull();
	const window = (await desk.announce({
		by: 'ana',
		title: 'night work',
		provider: 'groq',
		for: '1h',
		every: 'day',
		at: '02:00',
		timeZone: 'Europe/Berlin',
	})) as {
		id: string;
	};
	expect(await listMaintenances(house.db, { fromAt: now, toAt: now + 86_400_000 })).toHaveLength(1);
	expect(await desk.maintenances()).toMatchObject({ maintenances: [{ id: window.id, source: 'api', by: 'ana' }] });
	expect(await desk.cancelMaintenance(window.id)).not.toBeNull();
	expect(await desk.cancelMaintenance(window.id)).toBeNull();
});

it('an acknowledgement needs somebody who was told of something open', async () => {
	expect(await desk.acknowledge('i-1', { by: 'ana' })).toBeNull();
	const id = await openOne();
	expect(await desk.acknowledge(id, { by: 'ana', comment: 'on it' })).not.toBeNull();
	expect(await desk.alerts()).toMatchObject({ alerts: [{ subject: id, channel: 'pager' }], acknowledged: [{ subject: id, by: 'ana' }] });
});
