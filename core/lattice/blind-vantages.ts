/** A vantage that can't see: its results are void while it lasts, and prove nothing about providers. */
import type { Blindness } from './attribute-blame.ts';
import { type Channel, channelRules } from './channels.ts';
import { insertSample } from './insert-sample.ts';
import { endpointAt, type LatticeDecision, type LatticeIncident, type LatticeState, type Sample, type VantageState } from './lattice-state.ts';
import { openIncident, resolveIncident, updateIncident } from './record-incident.ts';

/** A probe that ran when it began may have started this much earlier. */
const voidBeforeMs = 25_000;
const recoveryNats = 6.5;
/** Spans are remembered for results that come late. */
const spanKeptMs = 3_600_000;

/** Was this result's vantage blind when it started? */
export function isVoid(vantage: VantageState, startedAt: number): boolean {
	return vantage.spans.some(({ fromAt, toAt }) => startedAt >= fromAt && (toAt === null || startedAt < toAt));
}

export function blindVantages(state: LatticeState, blindness: Blindness, channel: Channel, decisions: LatticeDecision[]): void {
	for (const name of blindness.vantages) blindVantage(state, name, blindness, channel, decisions);
}

function blindVantage(state: LatticeState, name: string, { vantages, onsetAt, reason }: Blindness, channel: Channel, decisions: LatticeDecision[]): void {
	const vantage = state.vantages[name];
	if (vantage === undefined || vantage.blindIncident !== null) return;
	const fromAt = onsetAt - voidBeforeMs;
	vantage.spans.push({ fromAt, toAt: null });
	for (const provider of Object.values(state.providers)) {
		const isOurs = ({ startedAt, endpoint }: Sample) => startedAt >= fromAt && endpointAt(state, endpoint).vantage === name;
		vantage.samples.push(...provider.samples.filter(isOurs));
		provider.samples = provider.samples.filter((sample) => !isOurs(sample));
	}
	vantage.samples.sort((a, b) => a.startedAt - b.startedAt || a.endpoint - b.endpoint);

	const all = Object.values(state.vantages);
	const others = state.incidents.filter(({ cause, scope }) => cause === 'monitor' && scope.provider === null);
	const everything = all.length > 1 && all.every((other) => other === vantage || other.blindIncident !== null);
	const first = others[0];
	if (vantages.length > 1 && first !== undefined && first.onsetAt === onsetAt && first.scope.vantage === null) vantage.blindIncident = first.id;
	else if (everything && first !== undefined) {
		vantage.blindIncident = first.id;
		for (const other of others.slice(1)) resolveIncident(state, other, 'absorbed', `part of ${first.id}`, decisions);
		for (const other of all) other.blindIncident = first.id;
		updateIncident(state, first, { scope: { provider: null, model: null, vantage: null }, reason: `every vantage is blind; ${reason}` }, decisions);
	} else {
		const scope = { provider: null, model: null, vantage: vantages.length > 1 && others.length === 0 ? null : name };
		vantage.blindIncident = openIncident(state, { scope, severity: 'info', cause: 'monitor', channel, onsetAt, reason }, decisions).id;
	}
	withdraw(state, name, fromAt, decisions);
}

/** What was said about providers on the word of this vantage alone, since it went blind, is taken back. */
function withdraw(state: LatticeState, name: string, fromAt: number, decisions: LatticeDecision[]): void {
	for (const incident of [...state.incidents]) {
		if (incident.cause !== 'provider' || incident.onsetAt < fromAt) continue;
		const { scope } = incident;
		const alone = scope.vantage === name || (scope.vantage === null && Object.keys(state.vantages).length === 1);
		if (alone) resolveIncident(state, incident, 'withdrawn', `withdrawn: vantage ${name} was blind`, decisions);
	}
}

/** Looks whether blind vantages see again. */
export function judgeRecovery(state: LatticeState, decisions: LatticeDecision[]): void {
	for (const vantage of Object.values(state.vantages)) {
		vantage.spans = vantage.spans.filter(({ toAt }) => toAt === null || state.nowAt - toAt < spanKeptMs);
		const incident = state.incidents.find(({ id }) => id === vantage.blindIncident);
		if (incident === undefined) continue;
		const backAt = recoveredAt(state, vantage, incident);
		if (backAt === null) continue;
		for (const span of vantage.spans) span.toAt ??= backAt;
		vantage.blindIncident = null;
		for (const sample of vantage.samples) {
			const provider = state.providers[endpointAt(state, sample.endpoint).provider];
			if (sample.startedAt >= backAt && provider !== undefined) insertSample(provider.samples, sample);
		}
		vantage.samples = [];
		if (Object.values(state.vantages).some(({ blindIncident }) => blindIncident === incident.id)) continue;
		resolveIncident(state, incident, 'recovered', 'unrelated providers answer again', decisions);
	}
}

/** Start of the run of good results that ends the blindness; null while it lasts. The provider that looks worst may be down by itself. */
function recoveredAt(state: LatticeState, { samples }: VantageState, incident: LatticeIncident): number | null {
	const channel = incident.channel ?? 'failed';
	const { bit } = channelRules[channel];
	const judged = samples.filter(({ valid }) => (valid & bit) !== 0);
	const counts = new Map<string, { n: number; k: number }>();
	const lately = state.nowAt - Math.max(120_000, 2 * state.options.baseIntervalMs);
	let [n, k, through] = [0, 0, 0];
	for (const { startedAt, endpoint, bad } of judged) {
		n += 1;
		if ((bad & bit) !== 0) {
			k += 1;
			through = n;
		}
		if (startedAt < lately) continue;
		const name = endpointAt(state, endpoint).provider;
		const count = counts.get(name) ?? { n: 0, k: 0 };
		counts.set(name, { n: count.n + 1, k: count.k + ((bad & bit) !== 0 ? 1 : 0) });
	}
	const worst = counts.size < 3 ? null : ([...counts].sort(([, a], [, b]) => b.k / b.n - a.k / a.n)[0]?.[0] ?? null);
	const share = Math.min(0.98, Math.max(0.1, (k - 0.7 * Math.sqrt(k)) / Math.max(1, through)));
	let nats = 0;
	let fromAt: number | null = null;
	for (const { startedAt, endpoint, bad } of judged) {
		const at = endpointAt(state, endpoint);
		if (at.provider === worst) continue;
		const usual = Math.exp(-at.badCost[channel]);
		nats += (bad & bit) !== 0 ? Math.log(usual / share) : Math.log((1 - usual) / (1 - share));
		if (nats <= 0) [nats, fromAt] = [0, null];
		else fromAt ??= startedAt;
	}
	return nats >= recoveryNats ? fromAt : null;
}
