/** The state of Linnet itself, its money and its configuration -> the operator's own alerts. */
import type { ChannelSettings } from '#alerts/index.ts';
import type { AlertRoute } from '#core/alert.ts';
import { forecastPerDayMicroUsd } from '#core/cost.ts';
import { adviceOfFinding, type Finding, findOperatorAlerts, type OperatorFacts, operatorAlerts, titleOfFinding } from '#core/operator-alert.ts';
import { spoolGauges } from '#core/spool-pressure.ts';
import type { Target } from '#core/target.ts';
import { readBudgetDay } from '#db/budget.ts';
import { listDisabledEndpoints } from '#db/channel-states.ts';
import { readLoopFacts, readVantageProgress } from '#db/loop-facts.ts';
import { countDeliveries, listTroubledChannels } from '#db/outbox.ts';
import { dayOf } from '#db/partitions.ts';
import { readGauge } from '#db/process-metrics.ts';
import type { Sql } from '#db/sql.ts';
import { listOpenStandingAlerts } from '#db/standing-alerts.ts';
import { askMailServers } from './ask-mail-servers.ts';
import { settingsHash } from './deliver.ts';
import { moveStandingAlerts, type StandingTools } from './move-standing-alerts.ts';
import type { SendTools } from './send-message.ts';
import { slotGraceMs, tickEveryMs } from './shard-ticks.ts';

export interface WatchTools extends StandingTools, SendTools {
	routes(): readonly AlertRoute[];
	channels(): Readonly<Record<string, ChannelSettings>>;
	targets(): readonly Target[];
	budgetUsdPerDay(): number;
	/** How long this process has been running. */
	upForMs(): number;
	/** Null: the file on disk is in force. */
	configProblem(): string | null;
	/** Null: not known. */
	disk(): Promise<OperatorFacts['disk']>;
	switchProblem(): string | null;
	/** Channels whose mail server refuses, kept between runs: asking takes seconds. */
	readonly refused: OperatorFacts['refusedChannels'];
}

/** What came due while nothing ran is settled within this time after a start. */
const settlingMs = 60_000;
/** Processes write their gauges every 10 s. */
const gaugeAgeMs = 45_000;

export async function watchOperator(tools: WatchTools): Promise<Finding[]> {
	const { db } = tools;
	const open = new Set((await listOpenStandingAlerts(db, 'operator')).map(({ kind, key }) => `${kind} ${key}`));
	const facts = await readFacts(tools, open);
	const findings = findOperatorAlerts(facts, open);
	const everywhere = { provider: null, model: null, operation: null, vantage: null };
	await moveStandingAlerts(
		tools,
		'operator',
		findings.map((finding) => {
			const { impact, cause, why } = operatorAlerts[finding.kind];
			return {
				...{ kind: finding.kind, key: finding.key, impact, cause },
				title: titleOfFinding(finding),
				reason: `${finding.reason}; ${why}`,
				advice: adviceOfFinding(finding),
				scope: { ...everywhere, ...finding.scope },
				targetIds: [],
				link: null,
			};
		}),
	);
	return findings;
}

async function readFacts(tools: WatchTools, open: ReadonlySet<string>): Promise<OperatorFacts> {
	const { db, now, channels, targets } = tools;
	const at = now();
	const day = dayOf(at);
	const configured = channels();
	const [{ reservedMicroUsd, spentMicroUsd }, loop, vantages, troubled, counts, disabled, disk, pressedSpools] = await Promise.all([
		readBudgetDay(db, day),
		readLoopFacts(db, at),
		readVantageProgress(db, at),
		listTroubledChannels(db),
		countDeliveries(db),
		listDisabledEndpoints(db),
		tools.disk(),
		readPressedSpools(db, at),
	]);
	// A settled slot is one whose probe had all its time, and the settling itself runs every 15 s.
	const usualLagMs = Math.max(0, ...targets().map(({ timeouts }) => timeouts.totalMs)) + slotGraceMs + 2 * tickEveryMs + 15_000;
	const stillDisabled = disabled.filter(({ channel, settingsHash: hash }) => {
		const settings = configured[channel];
		return settings !== undefined && settingsHash(settings) === hash;
	});
	return {
		now: at,
		day,
		budget: { capMicroUsd: tools.budgetUsdPerDay() * 1e6, reservedMicroUsd, spentMicroUsd, forecastMicroUsd: forecastPerDayMicroUsd(targets()).typical },
		// When all has just been started every vantage trails: that is news only when it goes on, or was known before.
		vantages: vantages
			.filter(({ name }) => tools.upForMs() > usualLagMs + settlingMs || open.has(`vantage_late ${name}`))
			.map((vantage) => ({ ...vantage, usualLagMs })),
		oldestPendingAt: loop.oldestPendingAt,
		oldestOwedAt: loop.oldestOwedAt,
		troubledChannels: troubled,
		refusedChannels: tools.refused,
		disabledChannels: stillDisabled,
		deadLetters: counts.filter(({ state }) => state === 'dead'),
		disk,
		pressedSpools,
		configProblem: tools.configProblem(),
		retiredTargets: targets().flatMap(({ id, provider, model, lifecycle = 'active' }) =>
			lifecycle === 'retired' || lifecycle === 'vanished' ? [{ id, provider, model, lifecycle }] : [],
		),
		switchProblem: tools.switchProblem(),
	};
}

async function readPressedSpools(sql: Sql, at: number): Promise<OperatorFacts['pressedSpools']> {
	const read = (name: string) => readGauge(sql, { name, label: 'vantage', sinceAt: at - gaugeAgeMs });
	const [leftOut, bytes] = await Promise.all([read(spoolGauges.leftOut), read(spoolGauges.bytes)]);
	return [...leftOut].filter(([, ratio]) => ratio > 0).map(([vantage, ratio]) => ({ vantage, leftOutRatio: ratio, waitingBytes: bytes.get(vantage) ?? 0 }));
}

/** @returns the channels whose mail server would not take a message, and those that can't be reached */
export async function findRefusingChannels(tools: SendTools, channels: Readonly<Record<string, ChannelSettings>>): Promise<OperatorFacts['refusedChannels']> {
	return (await askMailServers(tools, channels)).flatMap(({ channel, refusal }) => (refusal === null ? [] : [{ channel, reason: refusal.reason }]));
}
