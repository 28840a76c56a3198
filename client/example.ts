/** A router in front of two upstreams: the feed decides who is asked first, and whoever fails gives way to the next. */
import type { HealthClient } from './health-client.ts';

export interface Upstream {
	/** Of its chat completions. */
	readonly url: string;
	readonly apiKey: string;
	/** The provider's own name of the model. */
	readonly upstreamModel: string;
}

/** @param upstreams by Linnet's target id, in the order that you prefer when nothing is known */
export async function askBest(health: HealthClient, upstreams: ReadonlyMap<string, Upstream>, model: string, request: object, timeoutMs = 30_000) {
	const failures: unknown[] = [];
	for (const id of health.rank(model, [...upstreams.keys()])) {
		const upstream = upstreams.get(id);
		if (upstream === undefined) continue;
		try {
			const response = await fetch(upstream.url, {
				method: 'POST',
				headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${upstream.apiKey}` },
				body: JSON.stringify({ ...request, model: upstream.upstreamModel }),
				signal: AbortSignal.timeout(timeoutMs),
			});
			if (response.ok) return { id, response };
			failures.push(new Error(`${id} answered ${response.status}`));
		} catch (error) {
			failures.push(error);
		}
	}
	throw new AggregateError(failures, `No upstream answered for ${model}`);
}
