/** The operator's own alerts: what is wrong with Linnet itself, its money or its configuration. No provider is blamed for any of it. */
import type { Cause, Impact, Scope } from './incident.ts';

interface Row {
	/** `%` stands for the key. */
	readonly title: string;
	readonly why: string;
	readonly advice: string;
	readonly impact: Impact;
	readonly cause: Cause;
}

/**
 * A row for each kind that is watched here. A refused key, an empty wallet, a limit of ours and a blind vantage are incidents of the detector
 * (causes credentials, quota, rate_limit, monitor): it has the evidence. They are of the same class, and routed by it.
 */
export const operatorAlerts = {
	budget_used_up: {
		title: 'The budget of %s is used up',
		why: 'slots are skipped until the next UTC day, and states go stale',
		advice: 'raise `budget.usdPerDay`, or lengthen intervals.',
		impact: 'major',
		cause: 'quota',
	},
	budget_forecast: {
		title: 'The budget of %s will not last the day',
		why: 'slots will be skipped before midnight UTC',
		advice: 'raise `budget.usdPerDay`, or lengthen intervals.',
		impact: 'minor',
		cause: 'quota',
	},
	vantage_late: {
		title: 'The vantage %s is late',
		why: 'nothing is measured from there, and its targets go stale',
		advice: 'look whether its worker runs, and whether it reaches the database.',
		impact: 'major',
		cause: 'monitor',
	},
	outbox_ageing: {
		title: 'Alerts wait in the outbox',
		why: 'somebody is not told',
		advice: 'look at the channels: `linnet alerts list`.',
		impact: 'major',
		cause: 'monitor',
	},
	channel_failing: {
		title: 'The channel %s fails',
		why: 'whoever is told there is not told',
		advice: 'see the reason, then try it: `linnet alerts test %s`.',
		impact: 'major',
		cause: 'monitor',
	},
	channel_disabled: {
		title: 'The channel %s wants no more',
		why: 'its receiver answered 410 Gone: nothing is sent there until it is configured anew',
		advice: 'give the channel a new URL, or remove it.',
		impact: 'major',
		cause: 'monitor',
	},
	dead_letters: {
		title: 'Messages of the channel %s were given up',
		why: 'somebody was not told',
		advice: 'mend the channel, then `linnet alerts replay --channel %s`, or `linnet alerts discard --channel %s`.',
		impact: 'major',
		cause: 'monitor',
	},
	disk_filling: {
		title: 'The disk of %s is filling',
		why: 'a full disk stops the record',
		advice: 'free some space, or keep results for a shorter time (`record.keepResults`).',
		impact: 'major',
		cause: 'monitor',
	},
	spool_filling: {
		title: 'Results of the vantage %s wait on its disk',
		why: 'so that it need not refuse a result the vantage probes less, and what is left out counts as missed',
		advice: 'look whether its worker reaches Postgres and whether Postgres takes rows; what waits is recorded by itself.',
		impact: 'major',
		cause: 'monitor',
	},
	config_rejected: {
		title: 'The configuration was rejected',
		why: 'the old one keeps running, so what was changed is not in force',
		advice: 'see `linnet check`.',
		impact: 'minor',
		cause: 'monitor',
	},
	model_retired: {
		title: '%s was retired by its provider',
		why: 'its probes will fail, and that is no outage',
		advice: 'remove it from the configuration, or name its successor.',
		impact: 'minor',
		cause: 'monitor',
	},
	switch_unreachable: {
		title: 'The dead-man’s switch does not take our sign of life',
		why: 'it will soon alarm, though Linnet runs',
		advice: 'look at its URL.',
		impact: 'minor',
		cause: 'monitor',
	},
} as const satisfies Record<string, Row>;

export type OperatorKind = keyof typeof operatorAlerts;

export interface Finding {
	readonly kind: OperatorKind;
	/** Which one of its kind: one alert is open for each. */
	readonly key: string;
	/** With its numbers. */
	readonly reason: string;
	readonly scope?: Partial<Scope>;
}

export function titleOfFinding({ kind, key }: Pick<Finding, 'kind' | 'key'>): string {
	return operatorAlerts[kind].title.replaceAll('%s', key);
}

export function adviceOfFinding({ kind, key }: Pick<Finding, 'kind' | 'key'>): string {
	return operatorAlerts[kind].advice.replaceAll('%s', key);
}

/** Everything in ms since epoch, bytes or 1e-6 USD. */
export interface OperatorFacts {
	readonly now: number;
	readonly day: string;
	readonly budget: { readonly capMicroUsd: number; readonly reservedMicroUsd: number; readonly spentMicroUsd: number; readonly forecastMicroUsd: number };
	/** Vantages that were seen within a day, with the time through which their schedule is settled, and how far that trails a healthy one. */
	readonly vantages: readonly { readonly name: string; readonly settledThroughAt: number; readonly usualLagMs: number }[];
	/** Null: nothing waits. */
	readonly oldestPendingAt: number | null;
	/** What nothing holds back and no message tells; null: nothing. */
	readonly oldestOwedAt: number | null;
	readonly troubledChannels: readonly { readonly channel: string; readonly count: number; readonly oldestAt: number; readonly lastError: string }[];
	/** Channels whose check failed, with the reason. */
	readonly refusedChannels: readonly { readonly channel: string; readonly reason: string }[];
	readonly disabledChannels: readonly { readonly channel: string; readonly disabledAt: number }[];
	readonly deadLetters: readonly { readonly channel: string; readonly count: number; readonly oldestAt: number }[];
	/** Null: not known. */
	readonly disk: { readonly host: string; readonly freeBytes: number; readonly totalBytes: number } | null;
	/** Vantages that probe less than all their slots, since results wait on their disk; a ratio of the slots, 0..1. */
	readonly pressedSpools: readonly { readonly vantage: string; readonly leftOutRatio: number; readonly waitingBytes: number }[];
	/** Why the file on disk is refused; null: it is in force. */
	readonly configProblem: string | null;
	readonly retiredTargets: readonly { readonly id: string; readonly provider: string; readonly model: string; readonly lifecycle: string }[];
	/** Null: none is configured, or it took the last one. */
	readonly switchProblem: string | null;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
export const outboxAgedMs = 10 * minuteMs;
/** More than a restart takes. */
const vantageLateMs = 3 * minuteMs;
/** Postgres stops at a full disk, and a day of a large fleet is some GB: the first that holds. */
const diskLowRatio = 0.1;
const diskLowBytes = 2 * 1024 ** 3;
/** Once open an alert of a threshold stays until it is clearly over. */
const hysteresis = 1.2;
/** A forecast from spending needs some of the day behind it. */
const forecastAfterMs = 2 * 3_600_000;

/** @param open keys of the alerts that are open, as `kind key`: thresholds are kinder to them */
export function findOperatorAlerts(facts: OperatorFacts, open: ReadonlySet<string> = new Set()): Finding[] {
	const { now, day, budget, disk } = facts;
	const findings: Finding[] = [];
	const usd = (micro: number) => `$${(micro / 1e6).toFixed(micro < 1e5 ? 4 : 2)}`;
	const clock = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

	const taken = budget.spentMicroUsd + budget.reservedMicroUsd;
	if (budget.capMicroUsd > 0 && taken >= budget.capMicroUsd * 0.98)
		findings.push({ kind: 'budget_used_up', key: day, reason: `${usd(taken)} of ${usd(budget.capMicroUsd)} are spent or reserved` });
	else if (budget.capMicroUsd > 0) {
		const elapsedMs = now - Date.parse(`${day}T00:00:00Z`);
		const bySpending = elapsedMs >= forecastAfterMs ? (budget.spentMicroUsd / elapsedMs) * dayMs : 0;
		const forecast = Math.max(bySpending, budget.forecastMicroUsd);
		const limit = budget.capMicroUsd / (open.has(`budget_forecast ${day}`) ? hysteresis : 1);
		if (forecast > limit)
			findings.push({ kind: 'budget_forecast', key: day, reason: `at this pace the day takes ${usd(forecast)}, the budget is ${usd(budget.capMicroUsd)}` });
	}
	for (const { name, settledThroughAt, usualLagMs } of facts.vantages) {
		const lateMs = now - settledThroughAt - usualLagMs;
		if (lateMs > vantageLateMs)
			findings.push({ kind: 'vantage_late', key: name, reason: `its schedule is settled through ${clock(settledThroughAt)}`, scope: { vantage: name } });
	}
	const oldestAt = Math.min(facts.oldestPendingAt ?? Number.POSITIVE_INFINITY, facts.oldestOwedAt ?? Number.POSITIVE_INFINITY);
	if (now - oldestAt > outboxAgedMs) findings.push({ kind: 'outbox_ageing', key: 'outbox', reason: `the oldest waits since ${clock(oldestAt)}` });
	const failing = new Map(facts.refusedChannels.map(({ channel, reason }) => [channel, reason]));
	for (const { channel, count, oldestAt: since, lastError } of facts.troubledChannels)
		failing.set(channel, `${count === 1 ? 'a message waits' : `${count} messages wait`} since ${clock(since)}: ${lastError}`);
	for (const [channel, reason] of failing) findings.push({ kind: 'channel_failing', key: channel, reason });
	for (const { channel, disabledAt } of facts.disabledChannels)
		findings.push({ kind: 'channel_disabled', key: channel, reason: `it answered 410 at ${clock(disabledAt)}` });
	for (const { channel, count, oldestAt: since } of facts.deadLetters)
		findings.push({ kind: 'dead_letters', key: channel, reason: `${count === 1 ? 'a message' : `${count} messages`}, the oldest of ${clock(since)}` });
	if (disk !== null && disk.totalBytes > 0) {
		const limit = Math.min(disk.totalBytes * diskLowRatio, diskLowBytes) * (open.has(`disk_filling ${disk.host}`) ? hysteresis : 1);
		if (disk.freeBytes < limit)
			findings.push({
				kind: 'disk_filling',
				key: disk.host,
				reason: `${(disk.freeBytes / 1024 ** 3).toFixed(1)} of ${(disk.totalBytes / 1024 ** 3).toFixed(1)} GiB are free`,
			});
	}
	for (const { vantage, leftOutRatio, waitingBytes } of facts.pressedSpools)
		findings.push({
			kind: 'spool_filling',
			key: vantage,
			reason: `${Math.round(waitingBytes / 2 ** 20)} MiB wait, and ${Math.round(leftOutRatio * 100)} % of its slots are left out`,
			scope: { vantage },
		});
	if (facts.configProblem !== null) findings.push({ kind: 'config_rejected', key: 'file', reason: facts.configProblem });
	for (const { id, provider, model, lifecycle } of facts.retiredTargets)
		findings.push({ kind: 'model_retired', key: id, reason: `its provider lists it as ${lifecycle}`, scope: { provider, model } });
	if (facts.switchProblem !== null) findings.push({ kind: 'switch_unreachable', key: 'switch', reason: facts.switchProblem });
	return findings;
}
