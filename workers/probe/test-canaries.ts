/** The gate before the record: the scheduled probe is itself the test of its request, so a test costs nothing more. */
import type { Log } from '#core/log.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { type CanaryTest, requestKey, testResult } from '#core/self-test.ts';
import type { Canary, Target } from '#core/target.ts';
import { readCanaryTests, writeCanaryTest } from '#db/canary-tests.ts';
import { type Db, isUnavailable } from '#db/sql.ts';

export interface CanaryTests {
	/** Reads what is stored of these targets, where it is not known to this process. Before their probes. */
	learn(targets: readonly Target[]): Promise<void>;
	/** The result as it is to be recorded. What it tells of the request is stored, and logged for the operator. */
	test(target: Target, canary: Canary, result: ProbeResult): Promise<ProbeResult>;
}

export function openCanaryTests({ db, log }: { readonly db: Db; readonly log: Log }): CanaryTests {
	const known = new Map<string, CanaryTest>();
	/** Learned while the store was away: stored with the canary's next probe. */
	const unstored = new Set<string>();
	const keyOf = (targetId: string, canary: string) => `${targetId}\n${canary}`;
	/** An acceptance is for good; what is not accepted may have been so elsewhere. */
	const isProven = (target: Target) =>
		target.canaries.every((canary) => {
			const test = known.get(keyOf(target.id, canary.name));
			return test?.fate === 'accepted' && test.requestKey === requestKey(target, canary);
		});

	return {
		async learn(targets) {
			const ids = [...new Set(targets.filter((target) => !isProven(target)).map(({ id }) => id))];
			if (ids.length === 0) return;
			for (const test of await readCanaryTests(db, ids)) {
				const key = keyOf(test.targetId, test.canary);
				if (!unstored.has(key)) known.set(key, test);
			}
		},
		async test(target, canary, result) {
			const key = keyOf(target.id, canary.name);
			const before = known.get(key) ?? null;
			const { result: tested, test } = testResult(before, requestKey(target, canary), target.id, result);
			const isNews = test !== null && test !== before;
			if (test === null || !(isNews || unstored.has(key))) return tested;
			known.set(key, test);
			if (isNews) tell(log, before, test);
			try {
				await writeCanaryTest(db, test);
				unstored.delete(key);
			} catch (error) {
				unstored.add(key);
				// Whatever ails the store, the result has been paid for, and goes on to its record.
				if (!isUnavailable(error)) log.error({ targetId: target.id, canary: canary.name, problem: String(error) }, 'what a canary taught could not be stored');
			}
			return tested;
		},
	};
}

function tell(log: Log, before: CanaryTest | null, { targetId, canary, fate, refusal, message }: CanaryTest): void {
	if (fate === 'refused') {
		log.warn({ targetId, canary, field: refusal?.field, advice: refusal?.advice, message }, 'a canary is refused as malformed: change the configuration');
	} else if (fate === 'unclear') {
		log.warn({ targetId, canary, message }, 'a canary failed before the target ever accepted it: it does not count yet');
	} else if (before !== null && before.fate !== 'accepted') log.info({ targetId, canary }, 'a canary is accepted: its results count');
}
