/** Plays one scenario on a virtual clock: real schedule, sockets, dialects, classification, database, evaluator, outbox and delivery. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IncidentDecision } from '#core/judge/decision.ts';
import type { MaintenanceWindow } from '#core/judge/judge-state.ts';
import { silentLog } from '#core/log.ts';
import type { ProbeResult } from '#core/probe-result.ts';
import { slotsDue, specsOf } from '#core/schedule.ts';
import type { Target } from '#core/target.ts';
import { acquireLease } from '#db/leases.ts';
import { ensurePartitions } from '#db/partitions.ts';
import { insertResults } from '#db/probe-results.ts';
import type { Db } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import type { Fault } from '#simulator/faults.ts';
import { createRandom } from '#simulator/fleet.ts';
import { demoFleet, fleetTargets } from '#simulator/scenarios/demo.ts';
import { startSimulator } from '#simulator/start-simulator.ts';
import { evaluatorName, openEvaluator } from '#workers/evaluator.ts';
import type { Scenario, ScenarioFault } from './scenario.ts';
import { drillRoutes, sendAll } from './send-all.ts';
import { createVirtualProber, drillTimeouts } from './virtual-probe.ts';

export interface Play {
	/** Zero of the scenario, ms since epoch. */
	readonly startAt: number;
	readonly decisions: readonly IncidentDecision[];
	readonly targets: readonly Target[];
	readonly probeCount: number;
	/** Results that are the drill machine's own trouble: many of them make its figures worthless. */
	readonly disturbedCount: number;
	readonly reprobeCount: number;
	/** Of alerts, as a channel received them. */
	readonly messages: readonly { readonly at: number; readonly incidentId: string; readonly type: string }[];
}

/** Everything learns what is usual before the scenario begins. */
const warmUpMs = 25 * 60_000;
const stepMs = 2_000;
const warmUpStepMs = 20_000;
/** What a batch waits before it is written. */
const writeMs = 200;
const quietNoise: Fault = { mode: 'http_error', error: 'server_error' };

/** @throws the signal's reason when it is aborted */
export async function playScenario(db: Db, scenario: Scenario, seed: number, signal: AbortSignal): Promise<Play> {
	const random = createRandom(seed);
	const startAt = Date.UTC(2026, 5, 1, 12) + Math.floor(random() * 86_400_000) + warmUpMs;
	let now = startAt - warmUpMs;
	/** What the request that is on its way meets. */
	let wanted: Fault | null = null;
	const simulator = await startSimulator({ fleet: demoFleet, seed, timeScale: 0, now: () => now, faultAt: () => wanted });
	const targets = fleetTargets(demoFleet, simulator.url, { intervalMs: scenario.interval }).map((target) => ({ ...target, timeouts: drillTimeouts }));
	const models = new Map(
		demoFleet.providers.flatMap((provider) => provider.models.map((model) => [`${provider.id}:${model.model}:${model.operation}`, model] as const)),
	);
	const prober = createVirtualProber(models, random);
	const messages: { at: number; incidentId: string; type: string }[] = [];
	const collector = await collect((body) => {
		const event = JSON.parse(body) as { type: string; data: { incident: { id: string } } };
		messages.push({ at: now, incidentId: event.data.incident.id, type: event.type });
	});
	try {
		await ensurePartitions(db, now);
		await registerTargets(db, targets, now);
		const lease = await acquireLease(db, evaluatorName, 'drill', 3_600_000);
		if (lease === null) throw new Error('Expected a database of the drill’s own, got one with an evaluator');
		const windows = scenario.maintenance.map(({ from, until, provider, model, vantage }, i): MaintenanceWindow => {
			const scope = { provider: provider ?? null, model: model ?? null, vantage: vantage ?? null };
			return { id: `m${i}`, ...scope, fromAt: startAt + from, toAt: startAt + until };
		});
		const evaluator = await openEvaluator({
			...{ db, log: silentLog, lease, now: () => now, targets: () => targets, blipMs: () => 20_000, maintenances: () => windows },
			...{ simulated: true, publicUrl: () => null, backOff: { firstMs: 3_600_000, longestMs: 86_400_000 } },
			routes: () => drillRoutes,
		});
		const decisions: IncidentDecision[] = [];
		const asked: { at: number; target: Target; canary: string; vantage: string }[] = [];
		const done: ProbeResult[] = [];
		let [probeCount, disturbedCount, reprobeCount] = [0, 0, 0];
		const endedAt = ({ startedAt, totalMs }: ProbeResult) => (startedAt ?? 0) + (totalMs ?? 0) + writeMs;

		for (const endAt = startAt + scenario.for; now < endAt; ) {
			signal.throwIfAborted();
			const warmingUp = now < startAt;
			const until = now + (warmingUp ? warmUpStepMs : stepMs);
			const underWay: Promise<void>[] = [];
			for (const vantage of scenario.vantages) {
				const due = slotsDue(specsOf(targets, vantage), now, until).map(({ target, canary, slotAt }) => ({
					target,
					canary,
					vantage,
					at: slotAt,
					kind: 'scheduled' as const,
				}));
				const extra = asked.filter((one) => one.vantage === vantage && one.at < until).map((one) => ({ ...one, kind: 'confirmation' as const }));
				reprobeCount += extra.length;
				for (const one of [...due, ...extra]) {
					const hit = faultOf(scenario, one.target, vantage, one.at - startAt, random);
					if (hit?.fault.mode === 'gap') continue;
					const canary = one.target.canaries.find(({ name }) => name === one.canary);
					if (canary === undefined) continue;
					const place = { vantage, slotAt: Math.round(one.at) };
					if (warmingUp) {
						done.push(prober.usual(one.target, canary, place));
						continue;
					}
					wanted = hit === null ? (random() < scenario.noise ? quietNoise : null) : hit.fault.mode === 'network' ? null : (hit.fault as Fault);
					probeCount += 1;
					const sent = prober.probe(one.target, canary, { ...place, kind: one.kind }, hit).then((result) => {
						if (result.outcome === 'monitor_fault') disturbedCount += 1;
						done.push(result);
					});
					// The simulator is told what to do one request at a time; what never reaches it need not wait.
					if (hit?.fault.mode === 'network') underWay.push(sent);
					else await sent;
				}
			}
			await Promise.all(underWay);
			asked.splice(0, asked.length, ...asked.filter(({ at }) => at >= until));
			now = until;
			const ready = done.filter((result) => endedAt(result) <= now).sort((a, b) => endedAt(a) - endedAt(b));
			done.splice(0, done.length, ...done.filter((result) => endedAt(result) > now));
			await insertResults(db, ready, { now, retentionDays: 14 });
			const judged = await evaluator.step();
			decisions.push(...judged.incidents);
			for (const { targetId, canary, vantage, delayMs } of judged.reprobes) {
				const target = targets.find(({ id }) => id === targetId);
				if (target !== undefined) asked.push({ at: now + delayMs, target, canary, vantage });
			}
			if (judged.incidents.length > 0) await sendAll(db, collector.url, () => now);
		}
		return { startAt, decisions, targets, probeCount, disturbedCount, reprobeCount, messages };
	} finally {
		prober.stop();
		await simulator.close();
		await collector.close();
	}
}

function faultOf(scenario: Scenario, target: Target, vantage: string, at: number, random: () => number): ScenarioFault | null {
	for (const fault of scenario.faults) {
		if (at < fault.at || at >= fault.until) continue;
		if (fault.provider !== undefined && fault.provider !== target.provider) continue;
		if (fault.model !== undefined && fault.model !== target.model) continue;
		if (fault.vantage !== undefined && fault.vantage !== vantage) continue;
		if (fault.share < 1 && random() >= fault.share) continue;
		return fault;
	}
	return null;
}

async function collect(take: (body: string) => void): Promise<{ url: string; close(): Promise<void> }> {
	const server = createServer((request, response) => {
		let body = '';
		request.setEncoding('utf8');
		request.on('data', (chunk) => {
			body += chunk;
		});
		request.on('end', () => {
			take(body);
			response.writeHead(204, { connection: 'close' }).end();
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		close: () => new Promise((resolve) => server.close(() => resolve())),
	};
}
