import { expect, it } from 'vitest';
import type { ObjectiveView } from '#core/objective-view.ts';
import { availability } from '#core/sli.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { targetsView, targetView } from './public-views.ts';
import { targetSchema, targetsSchema } from './schema.ts';

it('a target shows the objectives that it counts towards, with what is left of their budgets', () => {
	const sample = sampleSnapshot({ providers: 2, modelsPerProvider: 2 });
	const [one, two, three] = sample.targets;
	if (one === undefined || two === undefined || three === undefined) throw new Error('Expected three targets');
	const objective = (id: string, targetIds: string[], remainingRatio: number, firing: boolean): ObjectiveView => ({
		...{ id, title: id, scope: { provider: null, model: null, operation: null }, objectiveRatio: 0.99, periodMs: 86_400_000, targetIds },
		...{ availability: availability(90, 10, 0), budget: { allowedBad: 1, bad: 10, remainingRatio, exhaustedInMs: 0 }, burnRate1h: 10 },
		rules: [{ name: 'fast', severity: 'page', longMs: 1, shortMs: 1, threshold: 14.4, longBurnRate: 1, shortBurnRate: 1, firing, reason: 'burning' }],
	});
	const snapshot = { ...sample, objectives: [objective('both', [one.id, two.id], 0.4, false), objective('alone', [one.id], -9, true)] };
	const list = targetsView(snapshot);
	targetsSchema.parse(list);
	const shown = Object.fromEntries(
		list.targets.map(({ id, objectives }) => [id, objectives.map((each) => [each.id, each.sharedBy, each.remainingRatio, each.firing])]),
	);
	expect(shown[one.id]).toEqual([
		['both', 2, 0.4, false],
		['alone', 1, -9, true],
	]);
	expect(shown[two.id]).toEqual([['both', 2, 0.4, false]]);
	expect(shown[three.id]).toEqual([]);
	const single = targetView(snapshot, one);
	targetSchema.parse(single);
	expect(single.target.objectives).toEqual(list.targets.find(({ id }) => id === one.id)?.objectives);
});
