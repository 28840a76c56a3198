import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#test/postgres.ts';
import { sampleNow } from '#test/sample-results.ts';
import { addMaintenance, cancelMaintenance, listMaintenances, listStandingMaintenances, type NewMaintenance, syncFileMaintenances } from './maintenances.ts';
import { transaction } from './sql.ts';

const hour = 3_600_000;
let house: TestDatabase;
beforeEach(async () => {
	house = await createTestDatabase();
});
afterEach(() => house.drop());

const maintenance = (changes: Partial<NewMaintenance> = {}): NewMaintenance => ({
	id: 'm-1',
	source: 'api',
	title: 'move of racks',
	scope: { provider: 'acme', model: null, vantage: null },
	fromAt: sampleNow,
	durationMs: hour,
	recurrence: null,
	untilAt: null,
	createdBy: 'operator',
	createdAt: sampleNow - hour,
	...changes,
});
const stretch = (from: number, to: number) => ({ fromAt: sampleNow + from * hour, toAt: sampleNow + to * hour });

it('lists windows with their scope, recurring ones expanded, oldest first', async () => {
	await addMaintenance(house.db, maintenance({ id: 'm-2', recurrence: { every: 'day', timeZone: 'UTC' }, fromAt: sampleNow - 48 * hour + 60_000 }));
	await addMaintenance(house.db, maintenance());
	expect(await listMaintenances(house.db, stretch(0, 25))).toEqual([
		{ id: 'm-1', title: 'move of racks', scope: { provider: 'acme', model: null, vantage: null }, fromAt: sampleNow, toAt: sampleNow + hour },
		expect.objectContaining({ id: 'm-2', fromAt: sampleNow + 60_000 }),
		expect.objectContaining({ id: 'm-2', fromAt: sampleNow + 24 * hour + 60_000 }),
	]);
	expect(await listMaintenances(house.db, stretch(-10, -9))).toEqual([]);
});

it('one that is cancelled ends at once, and is remembered for the time it ran', async () => {
	await addMaintenance(house.db, maintenance());
	expect(await cancelMaintenance(house.db, 'm-1', sampleNow + hour / 2)).toBe(true);
	expect(await cancelMaintenance(house.db, 'm-1', sampleNow + hour / 2)).toBe(false);
	expect((await listMaintenances(house.db, stretch(0, 1))).map(({ toAt }) => toAt)).toEqual([sampleNow + hour / 2]);
	expect(await listStandingMaintenances(house.db, sampleNow)).toEqual([]);
});

it('the file’s own come and go with it; those of an operator stay', async () => {
	const sync = (...ids: string[]) =>
		transaction(house.db, (tx) =>
			syncFileMaintenances(
				tx,
				ids.map((id) => maintenance({ id, source: 'file' })),
				sampleNow,
			),
		);
	await addMaintenance(house.db, maintenance());
	await sync('f-1', 'f-2');
	await sync('f-2');
	expect((await listStandingMaintenances(house.db, sampleNow)).map(({ id }) => id)).toEqual(['f-2', 'm-1']);
	await sync('f-1');
	expect((await listStandingMaintenances(house.db, sampleNow)).map(({ id }) => id)).toEqual(['f-1', 'm-1']);
});

it('an id is announced once', async () => {
	expect(await addMaintenance(house.db, maintenance())).toBe(true);
	expect(await addMaintenance(house.db, maintenance({ title: 'another' }))).toBe(false);
});
