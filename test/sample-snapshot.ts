import { hash32 } from '#core/hash.ts';
import type { ObjectiveView } from '#core/objective-view.ts';
import { lagWords } from '#core/official.ts';
import type { Outcome } from '#core/outcome.ts';
import { PackedDays } from '#core/packed-days.ts';
import { type Availability, availability, ratio } from '#core/sli.ts';
import type { DayView, GroupView, IncidentView, OfficialIncidentView, Percentiles, Snapshot, TargetView } from '#core/snapshot.ts';
import { type State, states } from '#core/state.ts';
import { fileSlug, type Operation, targetId } from '#core/target.ts';

export interface SampleOptions {
	readonly providers?: number;
	readonly modelsPerProvider?: number;
	readonly seed?: number;
	readonly now?: number;
	/** The last provider and its models carry names made to break a page. */
	readonly hostile?: boolean;
	readonly simulated?: boolean;
	/** States by target id, over the drawn ones. */
	readonly states?: Readonly<Record<string, State>>;
	readonly number?: number;
}

export const sampleNow = Date.parse('2026-11-23T12:00:00Z');

const dayMs = 86_400_000;
const sampleDrill: Snapshot['drill'] = {
	schema: 'linnet.drill/1',
	version: '0.1.0',
	at: '2026-11-20T10:00:00.000Z',
	seeds: 3,
	scenarios: [
		{
			name: 'provider-down',
			description: 'All models of a provider answer 503.',
			detect: { meanMs: 26_000, sigmaMs: 3_000, count: 3 },
			scope: { meanMs: 28_000, sigmaMs: 3_000, count: 3 },
			clear: { meanMs: 52_000, sigmaMs: 4_000, count: 3 },
			...{ missed: 0, falseAlarms: 0, misblamed: 0, messages: 2, complaints: [] },
		},
	],
};
const none = { heard: 0, well: 0, names: [] };
const intervalMs = 60_000;

const providerNames = [
	['openai', 'OpenAI'],
	['anthropic', 'Anthropic'],
	['aws.bedrock', 'Amazon Bedrock'],
	['google.vertex', 'Google Vertex AI'],
	['azure', 'Azure AI Foundry'],
	['groq', 'Groq'],
	['together', 'Together AI'],
	['fireworks', 'Fireworks AI'],
	['deepinfra', 'DeepInfra'],
	['mistral', 'Mistral AI'],
	['cerebras', 'Cerebras'],
	['deepseek', 'DeepSeek'],
	['xai', 'xAI'],
	['cohere', 'Cohere'],
	['sambanova', 'SambaNova'],
	['novita', 'Novita AI'],
	['nebius', 'Nebius'],
	['moonshot', 'Moonshot AI'],
	['perplexity', 'Perplexity'],
	['hyperbolic', 'Hyperbolic'],
] as const;

const modelNames = [
	'meta-llama/llama-3.3-70b-instruct',
	'openai/gpt-oss-120b',
	'qwen/qwen3-235b-a22b',
	'deepseek/deepseek-v3.1',
	'mistralai/mistral-small-3.2',
	'moonshotai/kimi-k2',
	'google/gemma-3-27b-it',
	'baai/bge-m3',
	'z-ai/glm-4.6',
	'nvidia/nemotron-nano-9b-v2',
] as const;

const hostileModels = [
	'acme/<script>alert("x")</script>',
	'Größe/模型 v2:latest — "quoted" & \'single\'',
	'a/b/c:free/with:colons/and slashes/and-a-name-that-goes-on-and-on-without-any-place-where-it-could-be-broken-politely',
	'gpt-4.1',
	'gpt-4-1',
	'</title><img src=x onerror=alert(1)>',
	'مرحبا/שלום',
	'50%/100%25 ?#&=',
] as const;

/** mulberry32: small, seeded, good enough to draw sample data (public domain, Tommy Ettinger 2017). */
function randomSource(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

const iso = (at: number) => new Date(at).toISOString();

function drawDays(random: () => number, now: number, firstDay: number, gap: readonly [number, number] | null): DayView[] {
	const today = Math.floor(now / dayMs);
	return Array.from({ length: 90 }, (_, index) => {
		const date = iso((today - 89 + index) * dayMs).slice(0, 10);
		const roll = random();
		const minutes = random();
		if (index < firstDay || (gap !== null && index >= gap[0] && index < gap[1])) {
			return { date, state: 'unknown', downMinutes: 0, degradedMinutes: 0, good: 0, bad: 0, excluded: 0 };
		}
		const slots = index === 89 ? Math.floor((now % dayMs) / intervalMs) : 1_440;
		if (roll > 0.06) return { date, state: 'operational', downMinutes: 0, degradedMinutes: 0, good: slots, bad: 0, excluded: 0 };
		if (roll > 0.055) return { date, state: 'under_maintenance', downMinutes: 0, degradedMinutes: 0, good: slots - 30, bad: 0, excluded: 30 };
		const down = roll < 0.035 ? Math.ceil(minutes * minutes * 120) : 0;
		const degraded = Math.ceil(minutes * 90);
		const bad = Math.min(slots, down);
		return {
			date,
			state: down > 30 ? 'major_outage' : down > 0 ? 'partial_outage' : 'degraded_performance',
			downMinutes: down,
			degradedMinutes: down > 0 ? 0 : degraded,
			good: slots - bad,
			bad,
			excluded: 0,
		};
	});
}

function sumDays(days: readonly DayView[], count: number): Availability {
	const last = days.slice(-count);
	const sum = (field: 'good' | 'bad' | 'excluded') => last.reduce((total, day) => total + day[field], 0);
	return availability(sum('good'), sum('bad'), sum('excluded'));
}

const reasons: Readonly<Record<State, string>> = {
	operational: '30 of the last 30 results good',
	degraded_performance: 'p95 of the time to first token is 4.1 times its usual value at this hour',
	partial_outage: '2 of 3 vantages see it failing: server_error (HTTP 503)',
	major_outage: '6 of the last 6 results bad: server_error (HTTP 503)',
	under_maintenance: 'maintenance announced by the operator until 14:00 UTC',
	unknown: 'no result in the last 10 min: the key is missing',
};

function percentiles(p50: number, tail: number): Percentiles {
	return { p50, p90: p50 * (1 + tail), p95: p50 * (1 + tail * 1.4), p99: p50 * (1 + tail * 3) };
}

function outcomesFor(state: State, valid: Availability): Record<string, number> {
	const outcomes: Partial<Record<Outcome, number>> = { ok: valid.good };
	const first = Math.ceil(valid.bad * 0.7);
	if (first > 0) outcomes.server_error = first;
	if (valid.bad - first > 0) outcomes.first_token_timeout = valid.bad - first;
	if (valid.excluded > 0) outcomes.monitor_fault = valid.excluded;
	if (state === 'degraded_performance') outcomes.canary_mismatch = 3;
	return outcomes;
}

interface Seat {
	readonly provider: string;
	readonly model: string;
	readonly operation: Operation;
	readonly index: number;
}

function drawTarget(seat: Seat, random: () => number, now: number, forced: State | undefined, incident: string | null): TargetView {
	const { provider, model, operation, index } = seat;
	const id = targetId(seat);
	const drawn = states[index % 23] ?? 'operational';
	const state = forced ?? drawn;
	const isBlank = state === 'unknown';
	const firstDay = isBlank ? 90 : index % 11 === 3 ? 41 : 0;
	const days = drawDays(random, now, firstDay, index % 13 === 5 ? [60, 66] : null);
	const isDown = state === 'major_outage' || state === 'partial_outage';
	const recent = (good: number, bad: number) => (isBlank ? availability(0, 0, 0) : availability(good, bad, 0));
	const windows = {
		'5m': isDown ? recent(0, 5) : recent(5, 0),
		'30m': isDown ? recent(22, 8) : recent(30, 0),
		'1h': isDown ? recent(50, 10) : recent(60, 0),
		'1d': isDown ? recent(1_421, 19) : recent(index % 7 === 1 ? 1_439 : 1_440, index % 7 === 1 ? 1 : 0),
		'7d': sumDays(days, 7),
		'30d': sumDays(days, 30),
		'90d': sumDays(days, 90),
	};
	const speed = 40 + random() * 220;
	const ttft = percentiles(90 + random() * 700, 0.3 + random());
	const ran = isBlank ? 0 : index % 9 === 4 ? 1_391 : 1_440;
	return {
		id,
		slug: fileSlug(id),
		provider,
		model,
		operation,
		upstreamModel: model.split('/').at(-1) ?? model,
		state,
		reason: reasons[state],
		since: iso(now - (state === 'operational' ? 3 * dayMs : 14 * 60_000)),
		incident,
		measuredAt: isBlank ? null : iso(now - 14_000),
		staleAfter: iso(now + 180_000),
		...{ intervalMs, plannedIntervalMs: intervalMs },
		availability: windows,
		coverage: { ran, due: 1_440, ratio: ratio(ran, 1_440) },
		capacity: isBlank
			? { state: 'unknown', ratio: null, served: 0, refused: 0, retryAfterMs: null, headroom: null }
			: {
					state: 'available',
					ratio: ratio(28, index % 6 === 2 ? 30 : 28),
					served: 28,
					refused: index % 6 === 2 ? 2 : 0,
					retryAfterMs: index % 6 === 2 ? 4_000 : null,
					headroom: index % 3 === 0 ? { ratio: 0.42, of: 'requests', measuredAt: iso(now - 14_000) } : null,
				},
		quality: isBlank
			? { state: 'unknown', ratio: null, right: 0, answered: 0 }
			: { state: 'as_expected', ratio: ratio(1_437, 1_440), right: 1_437, answered: 1_440 },
		ttftMs: isBlank || isDown ? null : { ...ttft, count: 30 },
		outputTokensPerSecond: isBlank || operation === 'embeddings' ? null : { p50: speed, p10: speed * 0.7, count: 1_200 },
		ttftMs1d: isBlank ? null : { ...ttft, count: 1_421 },
		price: index % 5 === 0 ? null : { inputUsdPerMTok: Math.round(random() * 300) / 100, outputUsdPerMTok: Math.round(random() * 1_500) / 100 },
		lifecycle: index % 17 === 6 ? 'deprecated' : 'active',
		vantages: {
			fra: { state, measuredAt: isBlank ? null : iso(now - 14_000) },
			iad: { state: state === 'partial_outage' ? 'operational' : state, measuredAt: isBlank ? null : iso(now - 31_000) },
		},
		canaryFaults: [],
		outcomes: isBlank ? {} : outcomesFor(state, windows['1d']),
		days: PackedDays.of(days),
	};
}

function worst(found: readonly State[]): State {
	const order: readonly State[] = ['operational', 'under_maintenance', 'unknown', 'degraded_performance', 'partial_outage', 'major_outage'];
	const ranks = found.map((state) => order.indexOf(state));
	const top = order[Math.max(0, ...ranks)] ?? 'unknown';
	return top === 'major_outage' && found.some((state) => state !== 'major_outage') ? 'partial_outage' : top;
}

function group(id: string, name: string, members: readonly TargetView[]): GroupView {
	const state = worst(members.map((target) => target.state));
	const sum = (field: 'good' | 'bad' | 'excluded') => members.reduce((total, target) => total + target.availability['1d'][field], 0);
	const failing = members.filter((target) => target.state === 'major_outage' || target.state === 'partial_outage').length;
	return {
		id,
		name,
		state,
		reason: failing === 0 ? 'no target in an outage' : `${failing} of ${members.length} targets in an outage`,
		targetIds: members.map((target) => target.id),
		availability1d: availability(sum('good'), sum('bad'), sum('excluded')),
	};
}

function drawIncidents(targets: readonly TargetView[], now: number): IncidentView[] {
	const minute = 60_000;
	const open = targets
		.filter((target) => target.incident !== null)
		.map((target): IncidentView => {
			const isOutage = target.state !== 'degraded_performance';
			return {
				id: target.incident ?? '',
				title: isOutage ? `${target.model} on ${target.provider} fails` : `${target.model} on ${target.provider} is slow`,
				scope: { provider: target.provider, model: target.model, operation: target.operation, vantage: null },
				condition: isOutage ? 'outage' : 'slow',
				cause: 'provider',
				severity: isOutage ? 'down' : 'degraded',
				impact: target.state === 'major_outage' ? 'critical' : isOutage ? 'major' : 'minor',
				status: 'identified',
				reason: target.reason,
				startedAt: iso(now - 16 * minute),
				detectedAt: iso(now - 14 * minute),
				resolvedAt: null,
				relapseCount: 0,
				targetIds: [target.id],
				evidence: {
					good: 3,
					bad: 13,
					excluded: 1,
					outcomes: { server_error: 9, first_token_timeout: 4, ok: 3, monitor_fault: 1 },
					vantages: ['fra', 'iad'],
					exampleResultIds: ['r-1042', 'r-1040', 'r-1037'],
					nats: 31.7,
					checked: { models: none, vantages: none, providers: { heard: 9, well: 9, names: ['acme', 'groq'] } },
				},
				updates: [
					{ at: iso(now - 12 * minute), status: 'identified', body: 'Two vantages agree: HTTP 503 from the provider, our control endpoint answers.' },
					{ at: iso(now - 14 * minute), status: 'investigating', body: target.reason },
				],
			};
		});
	const victims = targets.filter((target) => target.state === 'operational').slice(0, 12);
	const resolved = victims.map((target, index): IncidentView => {
		const startedAt = now - Math.round((0.4 + index * index * 0.55) * dayMs);
		const isWhole = index % 4 === 2;
		const isMonitor = index % 6 === 4;
		const endedAt = startedAt + (7 + index * 5) * minute;
		const members = isMonitor ? targets : isWhole ? targets.filter((other) => other.provider === target.provider) : [target];
		return {
			id: `inc-r${index}`,
			title: isMonitor ? 'Vantage fra lost its network' : isWhole ? `${target.provider} fails for every model` : `${target.model} on ${target.provider} fails`,
			scope: {
				provider: isMonitor ? null : target.provider,
				model: isMonitor || isWhole ? null : target.model,
				operation: isMonitor || isWhole ? null : target.operation,
				vantage: isMonitor ? 'fra' : null,
			},
			condition: 'outage',
			cause: isMonitor ? 'monitor' : 'provider',
			severity: isMonitor ? 'info' : 'down',
			impact: isMonitor ? 'none' : isWhole ? 'critical' : 'major',
			status: 'resolved',
			reason: isMonitor ? '14 unrelated providers failed at once from one vantage' : '4 of the last 4 results bad: server_error (HTTP 500)',
			startedAt: iso(startedAt),
			detectedAt: iso(startedAt + 2 * minute),
			resolvedAt: iso(endedAt),
			relapseCount: index % 5 === 3 ? 2 : 0,
			targetIds: members.map((member) => member.id),
			evidence: {
				good: 1,
				bad: 9 + index,
				excluded: isMonitor ? 40 : 0,
				outcomes: isMonitor ? { connect_failed: 40 } : { server_error: 9 + index, ok: 1 },
				vantages: isMonitor ? ['fra'] : ['fra', 'iad'],
				exampleResultIds: [`r-${900 + index}`],
				nats: isMonitor ? null : 22.4,
				checked: null,
			},
			updates: [
				{ at: iso(endedAt), status: 'resolved', body: 'As many good results as had been bad.' },
				{ at: iso(startedAt + 2 * minute), status: 'investigating', body: '4 of the last 4 results bad: server_error (HTTP 500)' },
			],
		};
	});
	return [...open, ...resolved];
}

/** A deterministic public document with every state, open and resolved incidents, gaps, blanks and names made to break a page. */
export function sampleSnapshot(options: SampleOptions = {}): Snapshot {
	const { providers = 6, modelsPerProvider = 4, seed = 1, now = sampleNow, hostile = true, simulated = true, number = 1_042 } = options;
	const random = randomSource(seed);
	const seats: Seat[] = [];
	const names = new Map<string, string>();
	for (let p = 0; p < providers; p++) {
		const isHostile = hostile && p === providers - 1;
		const [id, name] = isHostile ? ['acme', 'Acme <b>"&\' Ünïted</b>'] : (providerNames[p] ?? [`provider-${p}`, `Provider ${p}`]);
		names.set(id, name);
		for (let m = 0; m < modelsPerProvider; m++) {
			const model = (isHostile ? hostileModels[m] : modelNames[(m + p) % modelNames.length]) ?? `author/model-${m}`;
			seats.push({ provider: id, model, operation: model.includes('bge') ? 'embeddings' : 'chat', index: seats.length });
		}
	}
	const targets = seats.map((seat) => {
		const id = targetId(seat);
		const state = options.states?.[id] ?? states[seat.index % 23] ?? 'operational';
		const hasIncident = state === 'major_outage' || state === 'partial_outage' || state === 'degraded_performance';
		return drawTarget(seat, random, now, options.states?.[id], hasIncident ? `inc-${seat.index}` : null);
	});
	const drawn = drawIncidents(targets, now);
	const official = drawOfficial(drawn, now);
	const incidents = drawn.map((incident) => ({ ...incident, ...officialOn(incident, official) }));
	const providerViews = [...names].map(([id, name]) => ({
		...group(
			id,
			name,
			targets.filter((target) => target.provider === id),
		),
		statusPageUrl: `https://status.${id}.example/`,
	}));
	const models = [...new Set(targets.map((target) => target.model))].map((model) =>
		group(
			model,
			model,
			targets.filter((target) => target.model === model),
		),
	);
	const troubled = providerViews.filter((provider) => provider.state === 'major_outage' || provider.state === 'partial_outage').length;
	const verdicts = targets.map((target) => [target.id, target.state, target.reason, target.since]);
	return {
		schema: 'linnet.snapshot/1',
		number,
		generatedAt: iso(now),
		staleAfter: iso(now + 60_000),
		simulated,
		title: 'Linnet',
		url: 'https://status.example.org',
		state: worst(providerViews.map((provider) => provider.state)),
		sentence: troubled === 0 ? 'No provider has an outage' : `${troubled} of ${providerViews.length} providers have problems`,
		intervalMs,
		vantages: [
			{ id: 'fra', state: 'trusted', measuredAt: iso(now - 14_000) },
			{ id: 'iad', state: 'late', measuredAt: iso(now - 310_000) },
		],
		providers: providerViews,
		models,
		targets,
		incidents,
		official,
		objectives: drawObjectives(targets),
		spend: { todayMicroUsd: 412_345, capMicroUsdPerDay: 2_000_000, forecastMicroUsdPerDay: 861_000, forecastProbesPerDay: 69_120 },
		drill: sampleDrill,
		verdictRevision: hash32(JSON.stringify([verdicts, incidents.map((incident) => [incident.id, incident.status])])).toString(16),
	};
}

/** One that is kept and one that is missed, each of its first target. */
function drawObjectives(targets: readonly TargetView[]): ObjectiveView[] {
	return targets.slice(0, 2).map(({ id, provider, model }, index): ObjectiveView => {
		const counts = availability(43_190 - index * 90, 10 + index * 90, 12);
		const allowedBad = (counts.good + counts.bad) * 0.001;
		const remainingRatio = 1 - counts.bad / allowedBad;
		const rule = { name: 'fast', severity: 'page', longMs: 3_600_000, shortMs: 300_000, threshold: 14.4 } as const;
		return {
			...{ id: `slo-${index}`, title: `${id}: 99.9 % over 30 d`, scope: { provider, model, operation: 'chat' }, objectiveRatio: 0.999 },
			...{ periodMs: 30 * dayMs, targetIds: [id], availability: counts, burnRate1h: index * 16.2 },
			budget: { allowedBad, bad: counts.bad, remainingRatio, exhaustedInMs: index === 0 ? null : 0 },
			rules: [{ ...rule, longBurnRate: index * 16.2, shortBurnRate: index * 20, firing: index === 1, reason: index === 1 ? 'burning' : 'within_budget' }],
		};
	});
}

/** Their page speaks 14 min after the first open incident was detected, in words made to break a page. */
function drawOfficial(incidents: readonly IncidentView[], now: number): OfficialIncidentView[] {
	const provider = incidents.find((incident) => incident.scope.provider !== null && incident.cause === 'provider')?.scope.provider ?? 'acme';
	const said = iso(now - 3_000_000);
	const common = { provider, impact: 'minor', startedAt: said, firstUpdateAt: said, components: ['API <b>'], targetIds: [] } as const;
	return [
		{
			...common,
			id: 'off-1',
			title: 'Elevated errors <script>alert(1)</script> "&\'',
			status: 'investigating',
			url: 'https://status.acme.example/incidents/off-1',
			resolvedAt: null,
			updates: [{ at: said, status: 'investigating', body: 'We are looking into it.' }],
		},
		{ ...common, id: 'off-2', title: 'Old trouble', status: 'resolved', url: null, resolvedAt: iso(now - 600_000), updates: [] },
	];
}

function officialOn(incident: IncidentView, official: readonly OfficialIncidentView[]): Pick<IncidentView, 'official'> {
	const [word] = official.filter(({ provider }) => provider === incident.scope.provider);
	if (word === undefined) return {};
	const { id, title, url, firstUpdateAt, resolvedAt } = word;
	const lagMs = 840_000;
	return { official: [{ id, title, url, firstUpdateAt, resolvedAt, lagMs, words: lagWords(lagMs) }] };
}
