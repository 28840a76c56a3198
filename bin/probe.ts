import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import { formatDuration } from '#core/duration.ts';
import { ruleOf } from '#core/outcome.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { adviseOnRefusal } from '#core/self-test.ts';
import type { Target } from '#core/target.ts';
import { watchLoopLag } from '#workers/probe/loop-lag.ts';
import { runProbe } from '#workers/probe/run-probe.ts';
import { readConfig } from './config-source.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';

interface ProbeOptions {
	readonly canary?: string;
	readonly repeat: string;
	readonly json?: true;
	readonly verbose?: true;
}

export function probeCommand(): Command {
	return new Command('probe')
		.description('one probe now, outside the schedule and the record, with its waterfall')
		.argument('<target>', 'provider:model:operation, or a part of it that only one target has')
		.option('--canary <name>', 'which canary to send (default: the first of the target)')
		.addOption(new Option('--repeat <n>', 'so many probes, one after the other, and their percentiles').default('1'))
		.option('--json', 'print each result as a line of JSON')
		.option('--verbose', 'show the exchange as it happens')
		.addHelpText('after', '\nIt is sent from here and costs what one canary costs. Exit code 0 when every outcome is ok, otherwise 1.')
		.action(async (wanted: string, options: ProbeOptions) => {
			const repeat = Number(options.repeat);
			if (!Number.isInteger(repeat) || repeat < 1 || repeat > 1_000)
				throw new ExpectedError(`--repeat: expected a number from 1 to 1000, got "${options.repeat}"`, 2);
			const settings = readSettings();
			const config = await readConfig({ ...settings, configNamed: true });
			const target = findTarget(config.targets, wanted);
			const canary = options.canary === undefined ? target.canaries[0] : target.canaries.find(({ name }) => name === options.canary);
			if (canary === undefined)
				throw new ExpectedError(`--canary: expected one of ${target.canaries.map(({ name }) => name).join(', ')}, got "${options.canary}"`, 2);
			const lag = watchLoopLag();
			const results: ProbeResult[] = [];
			for (let i = 0; i < repeat; i += 1) {
				const result = await runProbe(
					{
						now: Date.now,
						readSecret: (name) => process.env[name],
						lag,
						controls: () => [],
						...(options.verbose
							? { observe: ({ atMs, what, detail }) => console.error(styleText('dim', `${atMs.toFixed(1).padStart(9)} ms  ${what.padEnd(10)} ${detail}`)) }
							: {}),
					},
					{ target, canary, vantage: settings.vantage, kind: 'manual', slotAt: Date.now() },
				);
				results.push(result);
				if (options.json) console.log(JSON.stringify(result));
				else if (repeat === 1) console.log(drawWaterfall(target, result));
				else console.log(`${String(i + 1).padStart(4)}  ${outcomeText(result)}  ttft ${ms(result.ttftMs)}  total ${ms(result.totalMs)}`);
			}
			lag.stop();
			if (repeat > 1 && !options.json) console.log(`\n${drawPercentiles(results)}`);
			if (results.some(({ outcome }) => outcome !== 'ok')) process.exitCode = 1;
		});
}

function findTarget(targets: readonly Target[], wanted: string): Target {
	const exact = targets.find(({ id }) => id === wanted);
	if (exact !== undefined) return exact;
	const close = targets.filter(({ id }) => id.includes(wanted));
	if (close.length === 1 && close[0] !== undefined) return close[0];
	const shown = (close.length > 0 ? close : targets).slice(0, 20).map(({ id }) => `  ${id}`);
	throw new ExpectedError(
		`expected a target of the configuration, got "${wanted}", which ${close.length === 0 ? 'none has' : `${close.length} have`}:\n${shown.join('\n')}`,
		2,
	);
}

const ms = (value: number | null) => (value === null ? '–' : `${value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0)} ms`);

function outcomeText({ outcome, phase, httpStatus }: ProbeResult): string {
	const detail = [phase === null ? '' : `at ${phase}`, httpStatus === null ? '' : `HTTP ${httpStatus}`].filter((part) => part !== '').join(', ');
	return `${styleText(outcome === 'ok' ? 'green' : 'red', outcome)}${detail === '' ? '' : ` (${detail})`}`;
}

const barWidth = 44;

export function drawWaterfall(target: Target, result: ProbeResult): string {
	const { dnsMs, connectMs, tlsMs, ttfbMs, ttftMs, totalMs } = result;
	const sentAt = (dnsMs ?? 0) + (connectMs ?? 0) + (tlsMs ?? 0);
	const rows: [string, number, number | null][] = [
		['dns', 0, dnsMs],
		['connect', dnsMs ?? 0, connectMs],
		['tls', (dnsMs ?? 0) + (connectMs ?? 0), tlsMs],
		['headers', sentAt, ttfbMs],
		['first token', sentAt + (ttfbMs ?? 0), ttftMs === null ? null : ttftMs - (ttfbMs ?? 0)],
		['stream', sentAt + (ttftMs ?? 0), ttftMs === null || totalMs === null ? null : totalMs - sentAt - ttftMs],
	];
	const scale = barWidth / Math.max(totalMs ?? 1, 1);
	const lines = rows.map(([name, from, length]) => {
		const start = Math.min(Math.round(from * scale), barWidth - 1);
		const bar = length === null ? '' : ' '.repeat(start) + '█'.repeat(Math.max(1, Math.min(Math.round(length * scale), barWidth - start)));
		return `  ${name.padEnd(12)} ${ms(length).padStart(10)}  ${styleText(length === null ? 'dim' : 'cyan', length === null ? 'did not happen' : bar)}`;
	});
	const { evidence } = result;
	const facts: [string, string][] = [
		['outcome', `${outcomeText(result)}: ${ruleOf(result.outcome).meaning}`],
		['counts as', result.sli],
		['ttft, total', `${ms(ttftMs)}, ${ms(totalMs)}; longest gap ${ms(result.maxGapMs)}; our own lag ${ms(result.lagMs)}`],
		[
			'tokens',
			`${result.inputTokens ?? '–'} in, ${result.outputTokens ?? '–'} out${result.outputTokensPerSecond === null ? '' : `, ${result.outputTokensPerSecond.toFixed(1)} per second`}`,
		],
		['served by', `${result.servedModel ?? '–'}, request ${result.requestId ?? '–'}`],
		['cost', result.costMicroUsd === null ? 'unknown' : `$${(result.costMicroUsd / 1e6).toFixed(6)}`],
	];
	if (result.retryAfterMs !== null) facts.push(['retry after', formatDuration(result.retryAfterMs)]);
	if (evidence !== null && Object.keys(evidence).length > 0) facts.push(['evidence', JSON.stringify(evidence)]);
	const refusal = adviseOnRefusal(result);
	if (refusal !== null) facts.push(['to do', `${refusal.field === null ? '' : `\`${refusal.field}\` was refused: `}${refusal.advice}`]);
	return [
		`\n  ${styleText('bold', target.id)}  ${result.canary} from ${result.vantage}\n`,
		...lines,
		'',
		...facts.map(([name, text]) => `  ${name.padEnd(12)} ${text}`),
		'',
	].join('\n');
}

function drawPercentiles(results: readonly ProbeResult[]): string {
	const ok = results.filter(({ outcome }) => outcome === 'ok');
	const row = (name: string, pick: (result: ProbeResult) => number | null) => {
		const values = ok
			.map(pick)
			.filter((value) => value !== null)
			.sort((a, b) => a - b);
		const at = (q: number) => ms(values[Math.max(0, Math.ceil(q * values.length) - 1)] ?? null).padStart(10);
		return `  ${name.padEnd(8)} ${at(0.5)} ${at(0.9)} ${at(0.95)} ${at(0.99)}`;
	};
	const head = `  ${''.padEnd(8)} ${['p50', 'p90', 'p95', 'p99'].map((name) => name.padStart(10)).join(' ')}`;
	return [
		`  ${ok.length} of ${results.length} ok`,
		head,
		row('connect', (r) => r.connectMs),
		row('ttfb', (r) => r.ttfbMs),
		row('ttft', (r) => r.ttftMs),
		row('total', (r) => r.totalMs),
	].join('\n');
}
