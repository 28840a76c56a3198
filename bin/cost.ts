import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { type CadencePlan, cadenceReasons, planInForce, stretchedTargets } from '#core/cadence.ts';
import { forecastPerDayMicroUsd } from '#core/cost.ts';
import { formatDuration } from '#core/duration.ts';
import type { Target } from '#core/target.ts';
import { readCadencePlan } from '#db/cadence-plans.ts';
import { readDaySpend, readTargetCosts, type TargetCost } from '#db/costs.ts';
import { dayOf } from '#db/partitions.ts';
import { readConfig } from './config-source.ts';
import { readSettings } from './environment.ts';
import { openLog } from './log.ts';
import { openDatabase } from './open-database.ts';
import type { Closing } from './run-role.ts';

const dayMs = 86_400_000;

export interface CostRow extends TargetCost {
	readonly provider: string;
	/** Of a day at the configured cadence, per vantage; null when it is configured no more. */
	readonly forecastMicroUsdPerDay: number | null;
}

/** Dearest first. */
export function costRows(costs: readonly TargetCost[], targets: readonly Target[]): CostRow[] {
	const known = new Map(costs.map((cost) => [cost.targetId, cost]));
	const configured = targets.map((target): CostRow => {
		const cost = known.get(target.id) ?? { targetId: target.id, todayMicroUsd: 0, monthMicroUsd: 0, monthProbes: 0 };
		known.delete(target.id);
		return { ...cost, provider: target.provider, forecastMicroUsdPerDay: forecastPerDayMicroUsd([target]).typical };
	});
	const gone = [...known.values()].map((cost): CostRow => ({ ...cost, provider: cost.targetId.split(':')[0] ?? '', forecastMicroUsdPerDay: null }));
	return [...configured, ...gone].sort((a, b) => b.monthMicroUsd - a.monthMicroUsd || (a.targetId < b.targetId ? -1 : 1));
}

export function costCommand(): Command {
	return new Command('cost')
		.description('what probes have cost and will cost, per provider and target')
		.option('--json', 'print for machines')
		.action(async (options: { json?: boolean }) => {
			const settings = readSettings();
			const isDemo = settings.databaseUrl === null && !settings.configNamed && !existsSync(settings.configPath);
			const config = isDemo ? null : await readConfig(settings);
			const closers: (() => Promise<void> | void)[] = [];
			const closing: Closing = { add: (_, close) => closers.push(close) };
			try {
				const log = openLog({ logLevel: 'warn' }, 'cost');
				const { db } = await openDatabase(isDemo ? { ...settings, dataDir: join(settings.dataDir, 'demo') } : settings, log, closing, { connections: 1 });
				const now = Date.now();
				const rows = costRows(await readTargetCosts(db, now), config?.targets ?? []);
				const days = await readDaySpend(db, dayOf(now - 29 * dayMs));
				const today = days.get(dayOf(now)) ?? 0;
				const month = [...days.values()].reduce((sum, spent) => sum + spent, 0);
				const cap = config === null ? null : config.budget.usdPerDay * 1e6;
				const plan = planInForce((await readCadencePlan(db))?.plan ?? null, now);
				const stretched = stretchedTargets(plan).map(({ id, cadence: { factor, reason } }) => ({ targetId: id, factor, reason }));
				if (options.json) console.log(JSON.stringify({ todayMicroUsd: today, monthMicroUsd: month, capMicroUsdPerDay: cap, targets: rows, stretched }));
				else {
					print(rows, today, month, cap);
					for (const line of describePlan(plan, config?.targets ?? [])) console.log(line);
				}
			} finally {
				for (const close of closers.reverse()) await close();
			}
		});
}

/** Nothing while every target is probed as configured. */
export function describePlan(plan: CadencePlan | null, targets: readonly Target[]): string[] {
	const stretched = stretchedTargets(plan);
	if (plan === null || stretched.length === 0) return [];
	const width = Math.max(...stretched.map(({ id }) => id.length));
	const intervals = new Map(targets.map(({ id, intervalMs }) => [id, intervalMs]));
	const lines = stretched.map(({ id, cadence: { factor, reason } }) => {
		const intervalMs = intervals.get(id);
		const every = intervalMs === undefined ? `one slot in ${factor}` : `every ${formatDuration(intervalMs * factor)} instead of ${formatDuration(intervalMs)}`;
		return `  ${id.padEnd(width)}  ${every}: ${cadenceReasons[reason]}`;
	});
	const { leftMicroUsd, forecastMicroUsd } = plan;
	const money = `${usd(leftMicroUsd)} are left until midnight UTC, at the configured cadence it would take ${usd(forecastMicroUsd)}`;
	return [`\nCadence is stretched: ${money}.`, ...lines];
}

const usd = (micro: number | null) => (micro === null ? '-' : `$${(micro / 1e6).toFixed(micro !== 0 && micro < 1e5 ? 4 : 2)}`);

function print(rows: readonly CostRow[], today: number, month: number, cap: number | null): void {
	const line = (name: string, ...figures: string[]) => console.log(`  ${name.padEnd(width)} ${figures.map((figure) => figure.padStart(11)).join('')}`);
	const width = Math.max(12, ...rows.map(({ targetId }) => targetId.length));
	const figuresOf = (own: readonly CostRow[]) => {
		const sum = (pick: (row: CostRow) => number) => own.reduce((total, row) => total + pick(row), 0);
		const configured = own.filter(({ forecastMicroUsdPerDay }) => forecastMicroUsdPerDay !== null);
		const forecast = configured.length === 0 ? null : configured.reduce((total, row) => total + (row.forecastMicroUsdPerDay ?? 0), 0);
		return [usd(sum((row) => row.todayMicroUsd)), usd(sum((row) => row.monthMicroUsd)), String(sum((row) => row.monthProbes)), usd(forecast)];
	};
	line('', 'today', '30 days', 'probes', 'a day');
	for (const [provider, own] of Map.groupBy(rows, ({ provider }) => provider)) line(provider, ...figuresOf(own));
	console.log();
	for (const row of rows) line(row.targetId, ...figuresOf([row]));
	console.log(
		`\nAll probes, extra ones too: ${usd(today)} today${cap === null ? '' : ` of ${usd(cap)}`}, ${usd(month)} in 30 days. "A day": forecast at the configured cadence, from one vantage.`,
	);
}
