/**
 * How good the verdict is: worlds with known truths, played against the detector on a virtual clock. `npm run bench:detect -- --help`
 * Tuned on seeds from 1, reported on seeds from 500,000.
 */
import { parseArgs } from 'node:util';
import { createLatticeState } from '#core/lattice/lattice-state.ts';
import { observe } from '#core/lattice/observe.ts';
import { createFleet, type FleetOptions, usualFleet } from './detect/fleet.ts';
import { type Detector, playWorld } from './detect/play-world.ts';
import { createRandom } from './detect/random.ts';
import { buildScenario, scenarioClasses } from './detect/scenarios.ts';
import { type Score, scorePlay } from './detect/score-play.ts';

const { values: args } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		tune: { type: 'boolean', default: false },
		worlds: { type: 'string' },
		'quiet-days': { type: 'string' },
		interval: { type: 'string', default: '60' },
		vantages: { type: 'string', default: '3' },
		providers: { type: 'string', default: '6' },
		models: { type: 'string' },
		noise: { type: 'string', default: '1' },
		'no-reprobes': { type: 'boolean', default: false },
		class: { type: 'string' },
		seed: { type: 'string' },
		verbose: { type: 'boolean', default: false },
		help: { type: 'boolean', default: false },
	},
});
if (args.help) {
	console.log(`npm run bench:detect -- [options]
  --quick              few worlds, within 20 s
  --worlds N           worlds per class of trouble (default 30, quick 2)
  --quiet-days N       quiet endpoint-days (default 3000, quick 100; 0: none; the aim is stated over 15000)
  --interval S         seconds between two probes of an endpoint (60)
  --vantages N, --providers N, --models N (default 2 to 6 each), --noise X, --no-reprobes
  --tune               the seeds that may be tuned on
  --class NAME, --seed N, --verbose   one class, one world, its decisions`);
	process.exit(0);
}
const seconds = (ms: number) => Math.round(ms / 1_000);
const options: FleetOptions = {
	...usualFleet,
	...{ intervalMs: Number(args.interval) * 1_000, vantages: Number(args.vantages), providers: Number(args.providers), noise: Number(args.noise) },
	...{ models: args.models === undefined ? null : Number(args.models), reprobes: !args['no-reprobes'] },
};
const firstSeed = args.tune ? 1 : 500_000;
const worldCount = Number(args.worlds ?? (args.quick ? 2 : 30));
const quietDays = Number(args['quiet-days'] ?? (args.quick ? 100 : 3_000));
const createDetector = (latticeOptions: Parameters<typeof createLatticeState>[0]): Detector => {
	const state = createLatticeState(latticeOptions);
	return (input) => observe(state, input);
};
const baseAt = Date.UTC(2026, 10, 23);
const startedMs = performance.now();
let results = 0;

const quantile = (sorted: readonly number[], q: number) =>
	sorted.length === 0 ? null : (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? null);
const number = (value: number | null, digits = 0) => (value === null ? '–' : value.toFixed(digits));

const scores = new Map<string, Score[]>();
const names = Object.keys(scenarioClasses).filter((name) => args.class === undefined || name === args.class);
for (const [c, name] of names.entries()) {
	const ofClass: Score[] = [];
	for (let i = 0; i < worldCount; i += 1) {
		const seed = args.seed === undefined ? firstSeed + Object.keys(scenarioClasses).indexOf(name) * 1_000 + i : Number(args.seed);
		const random = createRandom(seed);
		const fleet = createFleet(options, random);
		const startAt = baseAt + random.int(86_400_000);
		const scenario = buildScenario(name, fleet, startAt, options.intervalMs, random);
		const play = playWorld({ fleet, scenario, fromAt: startAt - 30 * options.intervalMs, options, random }, createDetector);
		results += play.resultCount;
		const score = scorePlay(play, scenario, fleet);
		ofClass.push(score);
		if (args.verbose) {
			console.log(
				`\n${name}, seed ${seed}`,
				scenario.faults
					.slice(0, 3)
					.map((fault) => `${JSON.stringify(fault.scope)} ${fault.effect} ×${fault.shareRatio.toFixed(2)} for ${seconds(fault.toAt - fault.fromAt)} s`),
			);
			for (const decision of play.decisions)
				if (decision.type !== 'reprobe')
					console.log(
						`  ${seconds(decision.at - startAt)} s ${decision.type} ${decision.id} ${decision.cause} ${decision.severity} ${JSON.stringify(decision.scope)} ${decision.reason}`,
					);
			console.log(
				`  ${JSON.stringify(score.truths)} false ${score.falseOpens.length}, re-probes ${play.reprobeCount}, denied ${play.deniedCount}, seen ${play.seenAt.map((at) => at && seconds(at - startAt))}`,
			);
		}
		if (args.seed !== undefined) break;
	}
	scores.set(name, ofClass);
	process.stderr.write(`\r${String(c + 1).padStart(3)} of ${names.length} classes, ${seconds(performance.now() - startedMs)} s `);
}
process.stderr.write('\n');

console.table(
	Object.fromEntries(
		[...scores].map(([name, ofClass]) => {
			const truths = ofClass.flatMap((score) => score.truths);
			const delays = truths.flatMap(({ detectMs }) => detectMs ?? []).sort((a, b) => a - b);
			const fromOnset = truths.flatMap(({ detectFromOnsetMs }) => detectFromOnsetMs ?? []).sort((a, b) => a - b);
			const ends = truths.flatMap(({ resolveMs }) => resolveMs ?? []).sort((a, b) => a - b);
			const p = (list: readonly number[], q: number) => number(quantile(list, q) === null ? null : (quantile(list, q) ?? 0) / 1_000);
			const sum = (pick: (score: Score) => number) => ofClass.reduce((total, score) => total + pick(score), 0);
			const found = truths.filter(({ detectMs }) => detectMs !== null);
			return [
				name,
				{
					outages: truths.length,
					missed: truths.length - found.length,
					'p50 s': p(delays, 0.5),
					'p95 s': p(delays, 0.95),
					'onset p50': p(fromOnset, 0.5),
					'exact %': number(found.length === 0 ? null : (100 * found.filter(({ exact }) => exact).length) / found.length),
					'at open %': number(found.length === 0 ? null : (100 * found.filter(({ exactAtOpen }) => exactAtOpen).length) / found.length),
					opens: number(found.length === 0 ? null : found.reduce((total, { opens }) => total + opens, 0) / found.length, 2),
					early: truths.reduce((total, { prematureResolves }) => total + prematureResolves, 0),
					'end p50 s': p(ends, 0.5),
					'end p95 s': p(ends, 0.95),
					false: sum(({ falseOpens }) => falseOpens.length),
					monitor: sum(({ monitorOpens }) => monitorOpens),
					operator: sum(({ operatorOpens }) => operatorOpens),
				},
			];
		}),
	),
);

interface Quiet {
	readonly days: number;
	readonly falseOpens: number;
	readonly reprobeRatio: number;
}

function playQuiet(days: number): Quiet {
	let [endpointDays, falseOpens, reprobes, all] = [0, 0, 0, 0];
	for (let i = 0; endpointDays < days; i += 1) {
		const random = createRandom(firstSeed + 900_000 + i);
		const fleet = createFleet(options, random);
		const daysHere = Math.min(2, Math.max(0.25, (days - endpointDays) / fleet.length));
		const endAt = baseAt + daysHere * 86_400_000;
		const scenario = { faults: [], truths: [], maintenance: [], gap: null, endAt };
		const play = playWorld({ fleet, scenario, fromAt: baseAt, options, random }, createDetector, 2_000);
		endpointDays += fleet.length * daysHere;
		const opens = play.decisions.filter((decision) => decision.type === 'open' && decision.cause === 'provider');
		falseOpens += opens.length;
		if (args.verbose) for (const open of opens) console.log(`quiet, seed ${firstSeed + 900_000 + i}`, open);
		reprobes += play.reprobeCount;
		all += play.resultCount;
		process.stderr.write(`\r${Math.round(endpointDays)} of ${days} quiet endpoint-days, ${falseOpens} false, ${seconds(performance.now() - startedMs)} s `);
	}
	process.stderr.write('\n');
	results += all;
	return { days: endpointDays, falseOpens, reprobeRatio: reprobes / (all - reprobes) };
}

const quiet = quietDays > 0 && args.class === undefined ? playQuiet(quietDays) : null;
const entries = [...scores].map(([name, list]) => ({ name, group: scenarioClasses[name]?.group, list, truths: list.flatMap((score) => score.truths) }));
const every = entries.flatMap(({ truths }) => truths);
const found = every.filter(({ detectMs }) => detectMs !== null);
const delaysOf = (pick: (entry: (typeof entries)[number]) => boolean) =>
	entries
		.filter(pick)
		.flatMap(({ truths }) => truths.map(({ detectMs }) => detectMs ?? Number.POSITIVE_INFINITY))
		.sort((a, b) => a - b);
const delay = (pick: (entry: (typeof entries)[number]) => boolean, q: number) => {
	const value = quantile(delaysOf(pick), q);
	return value === null ? null : value / 1_000;
};
const own = entries.filter(({ group }) => group === 'own');
const rows: [string, number | null, number, number?][] = [
	['missed outages', every.length - found.length, 0],
	['hard* p50 s', delay(({ group }) => group === 'hard', 0.5), 40],
	['hard* p95 s', delay(({ group }) => group === 'hard', 0.95), 80],
	['20 % errors p50 s', delay(({ name }) => name === '20 % errors', 0.5), 245],
	['3 × slow p50 s', delay(({ name }) => name === '3 × slow', 0.5), 220],
	['one wrong in six p50 s', delay(({ name }) => name === 'one wrong in six', 0.5), 240],
	['scope not exact %', found.length === 0 ? null : (100 * found.filter(({ exact }) => !exact).length) / found.length, 1, 2],
	['incidents per outage', found.length === 0 ? null : found.reduce((sum, { opens }) => sum + opens, 0) / found.length, 1.15, 3],
	['our own faults blamed on a provider', own.reduce((sum, { list }) => sum + list.reduce((n, { falseOpens }) => n + falseOpens.length, 0), 0), 0],
	[
		'false opens beside real outages',
		entries.filter(({ group }) => group !== 'own').reduce((sum, { list }) => sum + list.reduce((n, { falseOpens }) => n + falseOpens.length, 0), 0),
		0,
	],
	[
		'premature resolves %',
		(100 * every.reduce((sum, one) => sum + one.prematureResolves, 0)) /
			Math.max(
				1,
				every.reduce((sum, one) => sum + one.resolves, 0),
			),
		0.1,
		2,
	],
];
if (quiet !== null) {
	rows.push(['false provider incidents per quiet endpoint-year', (quiet.falseOpens / quiet.days) * 365, 0.05, 3]);
	rows.push(['extra probes when quiet %', 100 * quiet.reprobeRatio, 1.6, 2]);
}
console.table(
	Object.fromEntries(
		rows.map(([name, value, aim, digits = 0]) => [
			name,
			{ measured: number(value, digits), 'at most': aim, met: value !== null && value <= aim ? 'yes' : 'no' },
		]),
	),
);
const wallMs = performance.now() - startedMs;
console.log(
	`${every.length} outages, ${own.reduce((sum, { list }) => sum + list.length, 0)} worlds with a fault of ours, ${Math.round(quiet?.days ?? 0)} quiet endpoint-days; ` +
		`${seconds(wallMs)} s, ${Math.round(results / (wallMs / 1_000)).toLocaleString('en')} results/s with their generation. Seeds from ${firstSeed}.\n` +
		'Delays count from the start of the first probe that the trouble hit; "onset p50" from its onset. "exact": the last word on its scope; "at open": the first.',
);
