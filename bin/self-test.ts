/** Sends each canary of each target once, before anything is scheduled: what is refused as malformed is a fault of the file, not of a provider. */
import { styleText } from 'node:util';
import pLimit from 'p-limit';
import { reservationMicroUsd } from '#core/cost.ts';
import { ruleOf } from '#core/outcome.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { adviseOnRefusal, type RefusalAdvice } from '#core/self-test.ts';
import type { Canary, Target } from '#core/target.ts';

export interface SelfTestRow {
	readonly target: string;
	readonly canary: string;
	readonly outcome: ProbeResult['outcome'];
	/** Null unless the request itself was refused. */
	readonly refusal: RefusalAdvice | null;
	/** The provider's words; null when there were none. */
	readonly message: string | null;
	/** Whether only the operator can mend it: key, wallet, model name, request. */
	readonly ours: boolean;
}

/** At most this many providers are asked at once, each one probe at a time. */
const mostAtOnce = 8;

/** @param send one probe; it must not throw */
export async function runSelfTest(targets: readonly Target[], send: (target: Target, canary: Canary) => Promise<ProbeResult>): Promise<SelfTestRow[]> {
	const limit = pLimit(mostAtOnce);
	const byProvider = [...Map.groupBy(targets, ({ provider }) => provider).values()];
	const rows = await Promise.all(
		byProvider.map((own) =>
			limit(async () => {
				const found: SelfTestRow[] = [];
				for (const target of own) {
					for (const canary of target.canaries) {
						const result = await send(target, canary);
						const refusal = adviseOnRefusal(result);
						const ours = ruleOf(result.outcome).alertsOperator;
						found.push({ target: target.id, canary: canary.name, outcome: result.outcome, refusal, message: result.evidence?.message ?? null, ours });
					}
				}
				return found;
			}),
		),
	);
	return rows.flat();
}

/** The most that a self-test can cost, in micro-USD. */
export function selfTestCeiling(targets: readonly Target[]): number {
	return targets.flatMap((target) => target.canaries.map(({ name }) => reservationMicroUsd(target, name))).reduce((sum, cost) => sum + cost, 0);
}

export function describeSelfTest(rows: readonly SelfTestRow[]): string {
	const lines = rows.flatMap(({ target, canary, outcome, refusal, message, ours }) => {
		const color = outcome === 'ok' ? 'green' : ours ? 'red' : 'yellow';
		const head = `  ${target}  ${canary}: ${styleText(color, outcome)}`;
		if (refusal === null) return outcome === 'ok' || message === null ? [head] : [head, `    ${message}`];
		return [
			head,
			`    refused${refusal.field === null ? '' : ` for \`${refusal.field}\``}: ${refusal.advice}`,
			...(message === null ? [] : [`    it says: ${message}`]),
		];
	});
	const faults = rows.filter(({ ours }) => ours).length;
	const rest = rows.filter(({ outcome, ours }) => outcome !== 'ok' && !ours).length;
	const words = [
		faults > 0 ? `${faults} to be mended in the file or the account` : 'nothing to be mended',
		...(rest > 0 ? [`${rest} failed for other reasons`] : []),
	];
	return [...lines, '', `${rows.length} canaries sent once: ${words.join(', ')}.`].join('\n');
}
