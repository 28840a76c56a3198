import { expect, test } from 'vitest';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { isStale, staleSnapshot } from './freshness.ts';

test('a snapshot is fresh up to its own deadline and stale after it', () => {
	const snapshot = sampleSnapshot();
	const deadline = Date.parse(snapshot.staleAfter);
	expect([isStale(snapshot, sampleNow), isStale(snapshot, deadline), isStale(snapshot, deadline + 1)]).toEqual([false, false, true]);
});

test('nothing in a stale snapshot claims a state, and its numbers stay', () => {
	const snapshot = sampleSnapshot();
	const stale = staleSnapshot(snapshot);
	const claimed = [stale.state, ...[...stale.targets, ...stale.providers, ...stale.models, ...stale.vantages].map((part) => part.state)];
	expect(new Set(claimed)).toEqual(new Set(['unknown']));
	expect(new Set(stale.targets.flatMap((target) => Object.values(target.vantages).map((vantage) => vantage.state)))).toEqual(new Set(['unknown']));
	expect(stale.targets.map((target) => target.availability)).toEqual(snapshot.targets.map((target) => target.availability));
});

test('going stale changes the verdict revision, once', () => {
	const snapshot = sampleSnapshot();
	expect(staleSnapshot(snapshot).verdictRevision).not.toBe(snapshot.verdictRevision);
	expect(staleSnapshot(snapshot)).toEqual(staleSnapshot(snapshot));
});
