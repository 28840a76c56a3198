/**
 * A probe of a drill: the request goes over a real socket to the simulator and through the real dialect and classification, which answer at
 * once; how long it took is drawn from the simulated model's own spread, on the drill's clock. So an hour of trouble plays in seconds.
 */
import { missedSlot, type ProbeResult } from '#core/probe-result.ts';
import type { Canary, Target } from '#core/target.ts';
import { draw, type SimModel } from '#simulator/fleet.ts';
import { watchLoopLag } from '#workers/probe/loop-lag.ts';
import { runProbe } from '#workers/probe/run-probe.ts';
import type { ScenarioFault } from './scenario.ts';

/** As configured, and as it is waited for on the real clock: a silent upstream costs a drill this long. */
export const drillTimeouts = { connectMs: 10_000, firstTokenMs: 20_000, stallMs: 10_000, totalMs: 40_000 };
const realTimeouts = { connectMs: 2_000, firstTokenMs: 800, stallMs: 600, totalMs: 3_000 };
/** A stall of the machine that plays the drill is told as the monitor's own, not as the simulator's. */
const lagLimitMs = 300;
/** Never resolves (RFC 2606). */
const nowhere = 'nowhere.invalid';
/** Refuses at once: port 9 (discard) is open nowhere. */
const deadNetwork = { dnsServers: ['127.0.0.1:9'] };

export interface VirtualProber {
	/** A good result of a usual day, drawn and not sent: what everything learns from before a scenario begins. */
	usual(target: Target, canary: Canary, at: { vantage: string; slotAt: number }): ProbeResult;
	probe(target: Target, canary: Canary, at: { vantage: string; slotAt: number; kind: ProbeResult['kind'] }, fault: ScenarioFault | null): Promise<ProbeResult>;
	stop(): void;
}

export function createVirtualProber(models: ReadonlyMap<string, SimModel>, random: () => number): VirtualProber {
	const lag = watchLoopLag({ limitMs: lagLimitMs });
	return {
		usual(target, canary, { vantage, slotAt }) {
			const { provider, model, operation } = target;
			const slot = { provider, model, operation, canary: canary.name, vantage, kind: 'scheduled', slotAt } as const;
			const good = { startedAt: slotAt, outcome: 'ok', sli: 'good', phase: null, httpStatus: 200, evidence: null } as const;
			const result: ProbeResult = { ...missedSlot(slot, 'missed_slot'), ...good };
			return { ...result, ...timesOf(result, models.get(target.id), null, random) };
		},
		async probe(target, canary, { vantage, slotAt, kind }, fault) {
			const cutOff = fault?.fault.mode === 'network';
			const sent = { ...target, timeouts: realTimeouts, ...(cutOff ? { baseUrl: `http://${nowhere}/v1` } : {}) };
			const controls = () => (cutOff ? [{ host: nowhere, port: 80 }] : []);
			const tools = { now: () => slotAt, readSecret: () => 'drill', lag, controls, ...(cutOff ? { network: deadNetwork } : {}) };
			const result = await runProbe(tools, { target: sent, canary, vantage, kind, slotAt });
			return { ...result, lagMs: 0, ...timesOf(result, models.get(target.id), fault, random) };
		},
		stop: () => lag.stop(),
	};
}

function timesOf(result: ProbeResult, model: SimModel | undefined, fault: ScenarioFault | null, random: () => number): Partial<ProbeResult> {
	if (model === undefined) throw new Error(`Expected ${result.provider}:${result.model} to be a model of the fleet`);
	const shape = fault?.fault as { mode: string; factor?: number; ms?: number } | undefined;
	const factor = shape?.mode === 'slow' ? (shape.factor ?? 1) : 1;
	const ttftMs = draw(model.ttftMs, random) * factor + (shape?.mode === 'slow_ttft' ? (shape.ms ?? 0) : 0);
	const restMs = ((result.outputTokens ?? 12) * 1_000 * factor) / draw(model.tokensPerSecond, random);
	const { connectMs, dnsMs } = { connectMs: 12 + 20 * random(), dnsMs: null };
	const answered = { dnsMs, connectMs, ttfbMs: ttftMs * 0.6, ttftMs, maxGapMs: 40 };
	const silent = { dnsMs, connectMs, ttfbMs: null, ttftMs: null, maxGapMs: null };
	switch (result.outcome) {
		case 'ok':
		case 'canary_mismatch':
		case 'empty_response':
		case 'stream_truncated':
			return { ...answered, totalMs: connectMs + ttftMs + restMs };
		case 'first_token_timeout':
			return { ...silent, totalMs: connectMs + drillTimeouts.firstTokenMs };
		case 'stream_stalled':
			return { ...answered, totalMs: connectMs + ttftMs + drillTimeouts.stallMs };
		case 'dns_failed':
			return { ...silent, connectMs: null, totalMs: 5 + 40 * random() };
		default:
			return { ...silent, totalMs: connectMs + 60 + 500 * random() };
	}
}
