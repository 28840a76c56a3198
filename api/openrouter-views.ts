/** The snapshot in OpenRouter's shape. Its SDK refuses a whole answer for one missing key, so every key is there; our own are under one `x_linnet`. */
import { rankTargets } from '#core/rank-targets.ts';
import type { Percentiles, Snapshot, TargetView } from '#core/snapshot.ts';
import type { State } from '#core/state.ts';

/** Only 0, normal, is documented; the negatives are an open list, of which we use two. Null: the key is left out, as theirs may be. */
const statusOf = {
	operational: 0,
	degraded_performance: -1,
	partial_outage: -1,
	major_outage: -2,
	under_maintenance: -2,
	unknown: null,
} as const satisfies Record<State, number | null>;

const percent = (ratio: number | null) => (ratio === null ? null : ratio * 100);

/** Their price is a decimal text, USD per token. */
function perToken(usdPerMTok: number): string {
	return (usdPerMTok / 1_000_000).toFixed(12).replace(/\.?0+$/, '') || '0';
}

/** Theirs has a p75; ours lies between our p50 and p90, and is marked so in `x_linnet`. */
function latency(found: Percentiles | null) {
	return found === null ? null : { p50: found.p50, p75: (found.p50 + found.p90) / 2, p90: found.p90, p99: found.p99 };
}

function endpointOf(target: TargetView, providerName: string) {
	const speed = target.outputTokensPerSecond;
	const status = statusOf[target.state];
	return {
		name: `${providerName} | ${target.model}`,
		model_id: target.model,
		model_name: target.model,
		provider_name: providerName,
		tag: target.provider,
		context_length: 0,
		max_completion_tokens: null,
		max_prompt_tokens: null,
		pricing:
			target.price === null
				? { prompt: '-1', completion: '-1' }
				: { prompt: perToken(target.price.inputUsdPerMTok), completion: perToken(target.price.outputUsdPerMTok) },
		quantization: 'unknown',
		supported_parameters: [],
		uptime_last_5m: percent(target.availability['5m'].ratio),
		uptime_last_30m: percent(target.availability['30m'].ratio),
		uptime_last_1d: percent(target.availability['1d'].ratio),
		latency_last_30m: latency(target.ttftMs),
		// Descending, as theirs: p90 is the speed that 90 % of the answers reach.
		throughput_last_30m: speed === null ? null : { p50: speed.p50, p75: (speed.p50 + speed.p10) / 2, p90: speed.p10, p99: speed.p10 },
		...(status === null ? {} : { status }),
		supports_implicit_caching: false,
		supports_tool_choice: { auto: false, function: false, none: false, required: false },
		x_linnet: { id: target.id, state: target.state, reason: target.reason, since: target.since, unmeasured: ['context_length', 'p75', 'supports_tool_choice'] },
	};
}

/** Null when no target serves the model. */
export function endpointsView(snapshot: Snapshot, model: string): object | null {
	const members = snapshot.targets.filter((target) => target.model === model);
	if (members.length === 0) return null;
	const names = new Map(snapshot.providers.map((provider) => [provider.id, provider.name]));
	const isEmbedding = members.every((target) => target.operation === 'embeddings');
	const architecture = {
		tokenizer: 'Other',
		instruct_type: null,
		modality: isEmbedding ? 'text->embedding' : 'text->text',
		input_modalities: ['text'],
		output_modalities: [isEmbedding ? 'embeddings' : 'text'],
	};
	const endpoints = rankTargets(members).map(({ target }) => endpointOf(target, names.get(target.provider) ?? target.provider));
	return { data: { id: model, name: model, created: 0, description: snapshot.simulated ? 'simulated' : '', architecture, endpoints } };
}

export function providersView(snapshot: Snapshot): object {
	const data = snapshot.providers.map((provider) => ({
		name: provider.name,
		slug: provider.id,
		privacy_policy_url: null,
		terms_of_service_url: null,
		status_page_url: provider.statusPageUrl,
		headquarters: null,
		datacenters: null,
	}));
	return { data };
}
