import { Command } from 'commander';
import type { Config } from '#config/resolve.ts';
import { channelsFor, policyFor } from '#core/alert.ts';
import { fallbackPrice, forecastPerDayMicroUsd } from '#core/cost.ts';
import { formatDuration } from '#core/duration.ts';
import { type AskedServer, askMailServers } from '#workers/ask-mail-servers.ts';
import { watchLoopLag } from '#workers/probe/loop-lag.ts';
import { runProbe } from '#workers/probe/run-probe.ts';
import { readConfig } from './config-source.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';
import { parseIncident } from './parse-incident.ts';
import { describeSelfTest, runSelfTest, type SelfTestRow, selfTestCeiling } from './self-test.ts';

export function checkCommand(): Command {
	return new Command('check')
		.description('validate the configuration: every fault at once, with its line; print targets, cadence and forecast cost')
		.argument('[file]', 'the configuration (default: LINNET_CONFIG or linnet.yaml)')
		.option('--json', 'print for machines')
		.option('--incident <fields>', 'which channels an incident would reach, like provider=groq,impact=major')
		.option('--probe', 'also send each canary of each target once, and name what to change where a request is refused; costs what they cost')
		.action(async (file: string | undefined, options: { json?: boolean; probe?: boolean; incident?: string }) => {
			const settings = readSettings(file === undefined ? process.env : { ...process.env, LINNET_CONFIG: file });
			const config = await readConfig({ ...settings, configNamed: true });
			const forecast = forecastPerDayMicroUsd(config.targets);
			const selfTest = options.probe ? await testTargets(config, settings.vantage) : null;
			if (selfTest?.some(({ ours }) => ours)) process.exitCode = 1;
			const mailTools = { now: Date.now, readSecret: (name: string) => process.env[name] };
			const servers = await askMailServers(mailTools, config.alerts.channels, askMailMs);
			// One that can't be reached may be reached from where Linnet will run; one that answers and refuses will refuse there too.
			if (servers.some(({ refusal }) => refusal?.answered)) process.exitCode = 1;
			if (options.json) {
				console.log(
					JSON.stringify({
						targets: config.targets.map(({ id, dialect, intervalMs }) => ({ id, dialect, intervalMs })),
						forecast,
						budgetUsdPerDay: config.budget.usdPerDay,
						mailServers: servers,
						...(selfTest === null ? {} : { selfTest }),
					}),
				);
				return;
			}
			console.log(`${settings.configPath}: no faults\n`);
			const width = Math.max(...config.targets.map(({ id }) => id.length));
			for (const target of config.targets) {
				const price =
					target.price === null ? `no price: booked at the fallback` : `$${target.price.inputUsdPerMTok}/$${target.price.outputUsdPerMTok} per M tokens`;
				console.log(
					`  ${target.id.padEnd(width)}  every ${formatDuration(target.intervalMs).padEnd(6)} ${target.canaries.map(({ name }) => name).join(', ')}  ${target.dialect}  ${price}`,
				);
			}
			const usd = (micro: number) => `$${(micro / 1e6).toFixed(micro < 1e5 ? 4 : 2)}`;
			console.log(`\n${config.targets.length} targets, ${Math.round(forecast.probes)} probes a day from one vantage.`);
			console.log(`Forecast: about ${usd(forecast.typical)} a day, at most ${usd(forecast.highest)}; the budget stops at $${config.budget.usdPerDay} a day.`);
			if (config.targets.some(({ price }) => price === null))
				console.log(
					`Unpriced models are booked at $${fallbackPrice.inputUsdPerMTok}/$${fallbackPrice.outputUsdPerMTok} per M tokens: set \`price\` to correct it.`,
				);
			if (forecast.typical > config.budget.usdPerDay * 1e6)
				console.log('The forecast is above the budget: slots beyond it are recorded as missed. Lengthen the interval or raise the budget.');
			for (const line of describeReach(config, options.incident)) console.log(line);
			for (const line of describeServers(servers)) console.log(line);
			if (selfTest !== null) console.log(`\nSelf-test:\n${describeSelfTest(selfTest)}`);
		});
}

/** Nobody waits for a check: of each step of the conversation. */
const askMailMs = 5_000;

function describeServers(servers: readonly AskedServer[]): string[] {
	return servers.map(({ channel, refusal }) => {
		if (refusal === null) return `The mail server of ${channel} takes messages.`;
		return refusal.answered
			? `The mail server of ${channel} refuses: ${refusal.reason}. Nobody would be told there.`
			: `The mail server of ${channel} could not be asked from here (${refusal.reason}).`;
	});
}

/** Who would be told, and by which rules. @param text of --incident; undefined: an outage of the first target */
function describeReach({ alerts: { routes }, targets }: Config, text: string | undefined): string[] {
	const [first] = targets;
	const example = `provider=${first?.provider},model=${first?.model},operation=${first?.operation}`;
	const subject = parseIncident(text ?? example);
	const channels = channelsFor(routes, subject);
	const what = text === undefined ? `An outage of ${first?.id}` : `An incident with ${text}`;
	if (channels.length === 0) return [`${what} would alert: nobody.`];
	return [
		`${what} would alert:`,
		...channels.map((channel) => {
			const { groupBy, groupWaitMs, repeatEveryMs, escalate, quiet } = policyFor(routes, subject, channel);
			const rules = [
				`grouped by ${groupBy} after ${formatDuration(groupWaitMs)}`,
				...(repeatEveryMs === null ? [] : [`again every ${formatDuration(repeatEveryMs)}`]),
				...(escalate === null ? [] : [`to ${escalate.channels.join(', ')} when nobody acknowledges within ${formatDuration(escalate.afterMs)}`]),
				...(quiet.length === 0 ? [] : ['held in quiet hours']),
			];
			return `  ${channel}: ${rules.join('; ')}`;
		}),
	];
}

async function testTargets({ targets, budget }: Config, vantage: string): Promise<SelfTestRow[]> {
	const ceiling = selfTestCeiling(targets);
	if (ceiling > budget.usdPerDay * 1e6)
		throw new ExpectedError(
			`--probe could cost up to $${(ceiling / 1e6).toFixed(2)}, more than the budget of a day ($${budget.usdPerDay}): nothing was sent`,
			2,
		);
	const lag = watchLoopLag();
	try {
		return await runSelfTest(targets, (target, canary) =>
			runProbe(
				{ now: Date.now, readSecret: (name) => process.env[name], lag, controls: () => [] },
				{ target, canary, vantage, kind: 'manual', slotAt: Date.now() },
			),
		);
	} finally {
		lag.stop();
	}
}
