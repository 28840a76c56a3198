import { expect, test } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { createPageTurns, type DuePages } from './page-turns.ts';

const fleet: Snapshot = { ...sampleSnapshot({ providers: 10, modelsPerProvider: 10, hostile: false }), incidents: [] };
const pageCount = fleet.targets.length + fleet.models.length;

function withState(snapshot: Snapshot, index: number, state: 'major_outage' | 'operational'): Snapshot {
	return { ...snapshot, targets: snapshot.targets.map((target, i) => (i === index ? { ...target, state, reason: state } : target)) };
}

const start = Date.UTC(2026, 10, 23, 12);
const every = 15_000;

const isBoard = (path: string) => path === 'models.html' || path.startsWith('provider/');
const boardCount = fleet.providers.length + 1;
const ownOf = ({ paths }: DuePages) => [...paths].filter((path) => !isBoard(path));
const boardsOf = ({ paths }: DuePages) => [...paths].filter(isBoard);

/** Of a site that is always too large to be drawn whole, at the pace of the service. */
function inTurns(perRound = 3_500) {
	const turns = createPageTurns({ whole: 0, perRound });
	let now = start;
	return {
		next: (snapshot: Snapshot, all = false, afterMs = every) => turns.next(snapshot, (now += afterMs), all),
		forget: turns.forget,
	};
}

test('a small fleet is drawn whole each time', () => {
	const turns = createPageTurns({ whole: pageCount });
	for (let i = 0; i < 3; i++) {
		const due = turns.next(fleet, start + i);
		expect([ownOf(due).length, boardsOf(due).length, due.targetIds]).toEqual([pageCount, boardCount, null]);
	}
});

test('of a large one everything is drawn at first, then the oldest in turns, and each page within a minute', () => {
	const turns = inTurns();
	expect(turns.next(fleet).paths.size).toBe(pageCount + boardCount);
	const drawnAt = new Map<string, number>();
	for (let at = every; at <= 40 * every; at += every) {
		const due = turns.next(fleet);
		const { paths, targetIds } = due;
		expect([ownOf(due).length, boardsOf(due).length]).toEqual([pageCount, boardCount].map((count) => Math.ceil((count * every) / 40_000)));
		expect(targetIds?.length).toBe([...paths].filter((path) => path.startsWith('target/')).length);
		for (const path of paths) {
			expect(at - (drawnAt.get(path) ?? 0)).toBeLessThanOrEqual(60_000);
			drawnAt.set(path, at);
		}
	}
	expect(drawnAt.size).toBe(pageCount + boardCount);
});

test('each page within a minute also where renderings take long and come seldom', () => {
	for (const gaps of [[30_000], [15_000, 30_000], [3_000, 27_000, 12_500]]) {
		const turns = inTurns();
		turns.next(fleet);
		const drawnAt = new Map<string, number>();
		let at = 0;
		for (let i = 0; i < 60; i++) {
			at += gaps[i % gaps.length] ?? 0;
			for (const path of turns.next(fleet, false, gaps[i % gaps.length]).paths) {
				expect(at - (drawnAt.get(path) ?? 0)).toBeLessThanOrEqual(60_000);
				drawnAt.set(path, at);
			}
		}
		expect(drawnAt.size).toBe(pageCount + boardCount);
	}
});

test('renderings that follow each other sooner draw less each', () => {
	const turns = inTurns();
	turns.next(fleet);
	expect(ownOf(turns.next(fleet, false, 5_000)).length).toBe(Math.ceil(pageCount / 10));
});

test('of one that is larger still no more are drawn in a round, but for the boards, which wait for none of them', () => {
	const turns = inTurns(60);
	turns.next(fleet);
	expect(ownOf(turns.next(fleet)).length).toBe(Math.ceil(60 * (15 / 40)));
	const due = turns.next(fleet, false, 600_000);
	expect([ownOf(due).length, boardsOf(due).length]).toEqual([60, boardCount]);
});

test('where there are many of both, targets have four turns of five', () => {
	const counts = (perRound: number) => {
		const turns = inTurns(perRound);
		turns.next(fleet);
		const own = ownOf(turns.next(fleet));
		return (['target/', 'model/'] as const).map((folder) => own.filter((path) => path.startsWith(folder)).length);
	};
	const inTurn = (count: number) => Math.ceil((count * 15) / 40);
	expect(counts(10)).toEqual([8, 2].map(inTurn));
	const [targets, models] = [fleet.targets.length, fleet.models.length];
	expect(counts(targets + models)).toEqual([targets, models].map(inTurn));
});

test('a clock that is set back draws everything', () => {
	const turns = inTurns();
	turns.next(fleet);
	expect(turns.next(fleet, false, -3_600_000)).toMatchObject({ targetIds: null, paths: { size: pageCount + boardCount } });
});

test('a verdict that moves is drawn at once, on its own page and on its model’s, its provider’s and the list of models, and turns on as the others do', () => {
	const turns = inTurns(20);
	turns.next(fleet);
	const target = fleet.targets[70];
	const down = withState(fleet, 70, 'major_outage');
	const due = turns.next(down);
	const { paths, targetIds } = due;
	expect(paths).toContain(`target/${target?.slug}.html`);
	expect(targetIds).toContain(target?.id);
	expect([...paths].filter((path) => path.startsWith('model/')).length).toBeGreaterThan(0);
	expect(boardsOf(due)).toEqual(expect.arrayContaining(['models.html', `provider/${target?.provider}.html`]));
	expect(ownOf(due).length).toBe(Math.ceil(20 * (15 / 40)));
	expect(turns.next(down).paths).not.toContain(`target/${target?.slug}.html`);
	expect(turns.next(fleet).paths).toContain(`target/${target?.slug}.html`);
});

test('many verdicts that move at once are all drawn', () => {
	const turns = inTurns(20);
	turns.next(fleet);
	const all = { ...fleet, targets: fleet.targets.map((target) => ({ ...target, state: 'major_outage' as const, reason: 'all of it' })) };
	expect(turns.next(all).paths.size).toBe(pageCount + boardCount);
});

test('news of an incident draws the pages of its targets', () => {
	const turns = inTurns(20);
	const { incidents } = sampleSnapshot({ providers: 10, modelsPerProvider: 10, hostile: false });
	const [incident] = incidents;
	if (incident === undefined) throw new Error('Expected the sample to have an incident');
	turns.next({ ...fleet, incidents });
	const told = { ...incident, updates: [...incident.updates, ...incident.updates] };
	const { targetIds } = turns.next({ ...fleet, incidents: [told, ...incidents.slice(1)] });
	expect(targetIds).toEqual(expect.arrayContaining([...incident.targetIds]));
});

test('everything is drawn when it is old, and after a writing that failed', () => {
	const turns = inTurns(20);
	turns.next(fleet);
	expect(turns.next(fleet, true)).toMatchObject({ targetIds: null, paths: { size: pageCount + boardCount } });
	turns.forget();
	expect(turns.next(fleet).paths.size).toBe(pageCount + boardCount);
});

test('a target that is gone has no turn', () => {
	const turns = inTurns(20);
	turns.next(fleet);
	const gone = fleet.targets[0]?.slug;
	const rest = { ...fleet, targets: fleet.targets.slice(1) };
	for (let i = 0; i < 30; i++) expect(turns.next(rest).paths).not.toContain(`target/${gone}.html`);
});
