/** The shipped scenarios, each against the real pipeline: a verdict that is late, wrong or about the wrong one fails here. */
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { playScenario } from '#bin/drill/play-scenario.ts';
import { readScenario } from '#bin/drill/scenario.ts';
import { scorePlay } from '#bin/drill/score-play.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

const folder = new URL('../simulator/scenarios/drills/', import.meta.url);
const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
let database: TestDatabase;
beforeEach(async () => {
	database = await createTestDatabase();
});
afterEach(() => database.drop());

describe('the drill', () => {
	it('has ten scenarios', () => expect(files.length).toBeGreaterThanOrEqual(10));

	it.each(files)('%s is told as it expects', { timeout: 180_000 }, async (file) => {
		const scenario = await readScenario(new URL(file, folder).pathname);
		const play = await playScenario(database.db, scenario, 1, new AbortController().signal);
		const { faults, falseAlarms, misblamed, messageCount } = scorePlay(scenario, play);
		expect({ complaints: faults.flatMap(({ complaints }) => complaints), falseAlarms, misblamed }).toEqual({ complaints: [], falseAlarms: [], misblamed: 0 });
		// Told once, and its end once.
		expect(messageCount).toBe(2 * faults.length);
		expect(play.reprobeCount).toBeLessThan(play.probeCount / 4);
	});
});
