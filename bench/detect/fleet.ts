/** What is measured: providers, models, vantages, and how each endpoint behaves on a usual day. */
import type { EndpointName, LatticeOutcome } from '#core/lattice/lattice-state.ts';
import type { Random } from './random.ts';

export interface FleetOptions {
	readonly intervalMs: number;
	readonly providers: number;
	/** Null: two to six. */
	readonly models: number | null;
	readonly vantages: number;
	/** Background errors, tails and spread times this. */
	readonly noise: number;
	readonly reprobes: boolean;
}

export const usualFleet: FleetOptions = { intervalMs: 60_000, providers: 6, models: null, vantages: 3, noise: 1, reprobes: true };
export const timeoutMs = 20_000;

export interface Endpoint extends EndpointName {
	readonly place: number;
	readonly errorRatio: number;
	readonly wrongRatio: number;
	readonly ttftMs: number;
	readonly restMs: number;
	readonly spread: number;
	readonly tailRatio: number;
	readonly diurnal: number;
	readonly offsetMs: number;
}

export function createFleet(options: FleetOptions, random: Random): Endpoint[] {
	const vantages = ['fra', 'iad', 'sin', 'gru', 'syd'].slice(0, options.vantages);
	const endpoints: Endpoint[] = [];
	for (let p = 0; p < options.providers; p += 1) {
		const models = options.models ?? 2 + random.int(5);
		for (let m = 0; m < models; m += 1) {
			const [ttftMs, restMs, spread] = [random.logBetween(200, 1_500), random.logBetween(300, 3_000), random.between(0.12, 0.32)];
			for (const vantage of vantages) {
				endpoints.push({
					...{ place: endpoints.length, provider: `p${p}`, model: `m${p}-${m}`, vantage, ttftMs: ttftMs * random.between(0.9, 1.4), restMs },
					...{ errorRatio: random.logBetween(0.001, 0.01) * options.noise, wrongRatio: 0.0005 * options.noise },
					...{ spread: spread * (options.noise > 1 ? 1.2 : 1), tailRatio: random.between(0.003, 0.012) * options.noise },
					...{ diurnal: random.between(0, 0.3), offsetMs: random.int(options.intervalMs) },
				});
			}
		}
	}
	return endpoints;
}

export interface Answer {
	outcome: LatticeOutcome;
	ttftMs: number | null;
	totalMs: number;
}

/** One probe of an endpoint on a usual day. */
export function answerUsually(endpoint: Endpoint, startedAt: number, random: Random): Answer {
	const x = random.next();
	if (x < endpoint.errorRatio) return failAs(random.pick(['http_5xx', 'http_5xx', 'timeout', 'connect', 'stream_broken']), endpoint, random);
	const day = 1 + endpoint.diurnal * Math.sin((startedAt / 86_400_000) * 2 * Math.PI);
	// A heavy tail: now and then an answer takes a multiple (Pareto, alpha 1.8).
	const tail = random.next() < endpoint.tailRatio ? 1.5 / (1 - random.next()) ** (1 / 1.8) : 1;
	const ttftMs = endpoint.ttftMs * day * tail * Math.exp(endpoint.spread * random.normal());
	const totalMs = ttftMs + endpoint.restMs * day * Math.exp(endpoint.spread * random.normal());
	if (totalMs > timeoutMs) return { outcome: 'timeout', ttftMs: null, totalMs: timeoutMs };
	const wrong = x < endpoint.errorRatio + endpoint.wrongRatio;
	return { outcome: wrong ? random.pick(['wrong', 'empty']) : 'ok', ttftMs, totalMs };
}

export function failAs(outcome: LatticeOutcome, endpoint: Endpoint, random: Random): Answer {
	switch (outcome) {
		case 'timeout':
			return { outcome, ttftMs: null, totalMs: timeoutMs };
		case 'connect':
			return { outcome, ttftMs: null, totalMs: random.logBetween(20, 3_000) };
		case 'stream_broken':
			return { outcome, ttftMs: endpoint.ttftMs, totalMs: endpoint.ttftMs + random.between(0, endpoint.restMs) };
		case 'ok':
		case 'wrong':
		case 'empty':
			return { outcome, ttftMs: endpoint.ttftMs, totalMs: endpoint.ttftMs + endpoint.restMs };
		default:
			return { outcome, ttftMs: null, totalMs: random.logBetween(60, 1_200) };
	}
}
