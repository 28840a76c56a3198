/** The order of `/v1/route` in the words of routers that exist, ready to paste or to fetch. Pure. */
import type { routeView } from './route-view.ts';

export const routeFormats = ['linnet', 'openrouter', 'vercel', 'portkey', 'litellm'] as const;
export type RouteFormat = (typeof routeFormats)[number];

type Route = NonNullable<ReturnType<typeof routeView>>;

const unique = (values: readonly string[]) => [...new Set(values)];

/** Providers and models keep the names that they have here: a router that calls them otherwise maps them. */
const writers = {
	/** Request field `provider` of OpenRouter: the order to try; `ignore` only while others are left. */
	openrouter: ({ candidates, left }: Route) => ({
		provider: { order: unique(candidates.map(({ provider }) => provider)), ignore: unique(left.map(({ provider }) => provider)), allow_fallbacks: true },
	}),
	/** `providerOptions` of Vercel's AI Gateway. */
	vercel: ({ candidates }: Route) => ({ providerOptions: { gateway: { order: unique(candidates.map(({ provider }) => provider)) } } }),
	/** A Portkey config: first to last, going on at what another provider may do better. */
	portkey: ({ candidates }: Route) => ({
		strategy: { mode: 'fallback', on_status_codes: [408, 429, 500, 502, 503, 504] },
		targets: candidates.map(({ provider, upstreamModel }) => ({ provider, override_params: { model: upstreamModel } })),
	}),
	/** `litellm_settings` and `model_list` of LiteLLM: deployments of one name in `order`, the smallest first. */
	litellm: ({ model, candidates }: Route) => ({
		model_list: candidates.map(({ id, provider, upstreamModel }, index) => ({
			model_name: model,
			litellm_params: { model: `${provider}/${upstreamModel}`, order: index + 1 },
			model_info: { id },
		})),
		router_settings: { enable_pre_call_checks: true },
	}),
} as const satisfies Record<Exclude<RouteFormat, 'linnet'>, (route: Route) => object>;

export function exportRoute(format: RouteFormat, route: Route): object {
	return format === 'linnet' ? route : writers[format](route);
}
