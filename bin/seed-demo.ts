/** Ninety days of simulated past for the demo, so that its page shows what a running one looks like. Written once, at the demo's first start. */
import { histogramOf } from '#core/histogram.ts';
import type { Incident } from '#core/incident.ts';
import type { Rollup } from '#core/rollup.ts';
import type { Target } from '#core/target.ts';
import { openIncident, resolveIncident } from '#db/incidents.ts';
import { findKeys, internNames } from '#db/names.ts';
import { internSeries, seriesId } from '#db/series.ts';
import { type Db, transaction } from '#db/sql.ts';
import { registerTargets } from '#db/targets.ts';
import { writeRollups } from '#db/write-rollups.ts';
import { createRandom, draw, type Fleet } from '#simulator/fleet.ts';

const dayMs = 86_400_000;
const pastDays = 89;
const seed = 20_261_123;
/** Draws that stand for a day's latency; each counts for as many slots as it must. */
const draws = 120;

interface PastOutage {
	readonly target: Target;
	readonly startedAt: number;
	readonly endedAt: number;
	readonly slow: boolean;
}

export async function seedDemo(db: Db, fleet: Fleet, targets: readonly Target[], vantage: string, now: number): Promise<void> {
	const random = createRandom(seed);
	const today = Math.floor(now / dayMs) * dayMs;
	const outages = inventOutages(targets, today, random);
	await registerTargets(db, targets, now);
	const targetKeys = await findKeys(
		db,
		'target',
		targets.map(({ id }) => id),
	);
	const vantageKey = (await internNames(db, 'vantage', [vantage])).get(vantage) ?? 0;
	const canaryKey = (await internNames(db, 'canary', ['echo'])).get('echo') ?? 0;
	const partsOf = (target: Target) => ({ targetKey: targetKeys.get(target.id) ?? 0, vantageKey, canaryKey, kind: 0 });
	const seriesKeys = await internSeries(db, targets.map(partsOf));
	await transaction(db, async (tx) => {
		for (const target of targets) {
			const model = fleet.providers.find(({ id }) => id === target.provider)?.models.find((one) => one.model === target.model);
			const series_key = seriesKeys.get(seriesId(partsOf(target)));
			if (model === undefined || series_key === undefined) continue;
			const days = Array.from({ length: pastDays }, (_, i) => {
				const from = today - (pastDays - i) * dayMs;
				const bad = badSlots(outages, target, from) + (random() < 0.25 ? Math.ceil(random() * 3) : 0);
				const latencies = Array.from({ length: draws }, () => draw(model.ttftMs, random));
				const speeds = Array.from({ length: draws }, () => draw(model.tokensPerSecond, random));
				const rollup = inventDay(target, bad, random() < 0.1 ? Math.ceil(random() * 8) : 0, latencies, speeds);
				return { bucket: { series_key, bucket_at: from }, rollup };
			});
			await writeRollups(tx, 'day', days);
		}
		for (const outage of outages) await writeIncident(tx, outage, vantage);
	});
}

function inventOutages(targets: readonly Target[], today: number, random: () => number): PastOutage[] {
	const outages: PastOutage[] = [];
	for (let i = 0; i < 22; i += 1) {
		const target = targets[Math.floor(random() * targets.length)];
		if (target === undefined) continue;
		const startedAt = Math.round(today - (0.5 + random() * (pastDays - 1)) * dayMs);
		const endedAt = startedAt + Math.round((3 + random() ** 2 * 70) * 60_000);
		outages.push({ target, startedAt, endedAt, slow: random() < 0.3 });
	}
	return outages.filter(({ endedAt }) => endedAt < today).sort((a, b) => a.startedAt - b.startedAt);
}

function badSlots(outages: readonly PastOutage[], target: Target, from: number): number {
	return outages
		.filter((outage) => outage.target.id === target.id && !outage.slow)
		.reduce(
			(sum, { startedAt, endedAt }) => sum + Math.max(0, Math.round((Math.min(endedAt, from + dayMs) - Math.max(startedAt, from)) / target.intervalMs)),
			0,
		);
}

function inventDay(target: Target, bad: number, missed: number, latencies: readonly number[], speeds: readonly number[]): Rollup {
	const count = Math.floor(dayMs / target.intervalMs);
	const good = count - bad - missed;
	const spread = (values: readonly number[]) => {
		const { buckets, counts } = histogramOf(values);
		return { buckets, counts: counts.map((part) => Math.max(1, Math.round((part * good) / draws))) };
	};
	const tokens = { input: good * 24, output: good * 30 };
	return {
		...{ count, missed, good, bad, excluded: 0, served: good, refused: 0, right: good, answered: good },
		outcomes: bad > 0 ? { ok: good, server_error: bad } : { ok: good },
		inputTokens: tokens.input,
		outputTokens: tokens.output,
		costMicroUsd: Math.round(tokens.input * (target.price?.inputUsdPerMTok ?? 0) + tokens.output * (target.price?.outputUsdPerMTok ?? 0)),
		ttft: spread(latencies),
		total: spread(latencies.map((ms, i) => ms + (30 / (speeds[i] ?? 1)) * 1_000)),
		speed: spread(speeds),
	};
}

async function writeIncident(tx: Parameters<typeof openIncident>[0], { target, startedAt, endedAt, slow }: PastOutage, vantage: string): Promise<void> {
	const detectedAt = startedAt + 24_000;
	const bad = Math.max(3, Math.round((endedAt - startedAt) / target.intervalMs));
	const reason = slow
		? '9 of 10 results took more than twice the usual; 24 of 24 results of other providers were well meanwhile'
		: '6 of 6 results failed: server_error ×6; 14 of 14 results of other providers were well meanwhile';
	const id = `inc-demo-${startedAt.toString(36)}`;
	const incident: Incident = {
		id,
		scope: { provider: target.provider, model: target.model, operation: target.operation, vantage: null },
		condition: slow ? 'slow' : 'outage',
		cause: 'provider',
		severity: slow ? 'degraded' : 'down',
		impact: slow ? 'minor' : 'major',
		status: 'identified',
		title: `${target.model} on ${target.provider}: ${slow ? 'slow answers' : 'outage'}`,
		startedAt,
		detectedAt,
		resolvedAt: null,
		reason,
		evidence: {
			good: 0,
			bad,
			excluded: 0,
			outcomes: slow ? { ok: bad } : { server_error: bad },
			vantages: [vantage],
			exampleResultIds: [],
			nats: null,
			checked: null,
		},
		updates: [{ at: detectedAt, status: 'identified', body: `Simulated history. Detected 24 s after the first bad result: ${reason}.` }],
		relapseCount: 0,
		targetIds: [target.id],
	};
	await openIncident(tx, incident);
	await resolveIncident(tx, id, {
		update: { at: endedAt + 15_000, status: 'resolved', body: 'Resolved: 12 good results since the last bad one, at every endpoint of the scope.' },
	});
}
