/** Error rows that hold for one provider only; they are tried before its dialect's. Wire protocols, sections 3, 3.1 and 3.2. */
import type { ErrorRule } from '#core/error-rules.ts';

const groq: readonly ErrorRule[] = [
	{ status: [413], outcome: 'bad_request', subcode: 'token_bucket', why: 'one request larger than our token bucket' },
	{ status: [498], outcome: 'overloaded', why: 'capacity_exceeded: the flex tier is full' },
];

const cerebras: readonly ErrorRule[] = [
	{ code: /queue_exceeded/i, outcome: 'overloaded', why: 'their queue is full; x-should-retry says false all the same' },
	{ code: /request_quota_exceeded|token_quota_exceeded/i, outcome: 'rate_limited', why: 'our limit' },
	{ code: /wrong_api_format/i, outcome: 'bad_request', why: 'a parameter that this server does not know' },
];

const sambanova: readonly ErrorRule[] = [{ status: [410], outcome: 'model_not_found', why: 'Gone: the model was removed' }];

const together: readonly ErrorRule[] = [
	{ status: [403], message: /token|context|length/i, outcome: 'bad_request', why: 'a prompt beyond the context comes as a 403' },
	{ status: [402], outcome: 'quota_exhausted', why: 'monthly spend cap' },
	{ status: [503], outcome: 'overloaded', why: 'documented as engine overloaded' },
];

const fireworks: readonly ErrorRule[] = [
	{ status: [412], outcome: 'quota_exhausted', why: 'the account is suspended for its bills' },
	{ code: /DEPLOYMENT_SCALING_UP/i, outcome: 'not_ready', why: 'a cold deployment' },
];

const deepseek: readonly ErrorRule[] = [
	{ status: [402], outcome: 'quota_exhausted', why: 'insufficient balance' },
	{ status: [503], outcome: 'overloaded', why: 'documented as overloaded' },
];

const xai: readonly ErrorRule[] = [
	{ status: [400], message: /api key/i, outcome: 'auth_failed', why: 'a bad key is a 400 here' },
	{ code: /currently unavailable/i, outcome: 'server_error', subcode: 'http200_error', why: 'a 200 with JSON in the place of a stream' },
	{ status: [403], outcome: 'forbidden', why: 'team, permission or blocked key' },
];

const openrouter: readonly ErrorRule[] = [
	{ reason: /^capacity_exhausted$/, outcome: 'overloaded', why: 'every upstream is full' },
	{ reason: /^temporarily_unavailable$/, outcome: 'server_error', why: 'no upstream answers' },
	{ reason: /^(?:region_restricted|privacy_restricted)$/, outcome: 'forbidden', why: 'our account or place' },
	{ reason: /^constraint_filtered$/, outcome: 'bad_request', why: 'our own routing constraints leave nobody' },
	{
		reason: /^(?:model_not_found|no_endpoints|model_deprecated|model_unavailable_upstream|free_variant_ended)$/,
		outcome: 'model_not_found',
		why: 'nobody serves the model',
	},
	{ reason: /^provider_overloaded$/, outcome: 'overloaded', why: 'the upstream lacks capacity' },
	{ reason: /^(?:provider_unavailable|server|unmapped)$/, outcome: 'server_error', why: 'the upstream failed' },
	{ reason: /^payment_required$/, outcome: 'quota_exhausted', why: 'credits' },
	{ reason: /^content_policy_violation$|^refusal$/, outcome: 'content_blocked', why: 'a filter' },
	{ status: [402], outcome: 'quota_exhausted', why: 'credits' },
	{ status: [502], outcome: 'server_error', why: 'the upstream answered badly' },
];

const huggingface: readonly ErrorRule[] = [{ status: [402], outcome: 'quota_exhausted', why: 'inference credits are used up' }];

const nvidia: readonly ErrorRule[] = [
	{ message: /DEGRADED function/i, outcome: 'not_ready', subcode: 'degraded_function', why: 'a 400 that is an outage' },
	{ status: [402], outcome: 'quota_exhausted', why: 'credits' },
];

const deepinfra: readonly ErrorRule[] = [{ status: [429], message: /model busy/i, outcome: 'overloaded', why: 'their capacity' }];

const novita: readonly ErrorRule[] = [
	{ code: /NOT_ENOUGH_BALANCE/i, outcome: 'quota_exhausted', why: 'balance' },
	{ type: /NOT_ENOUGH_BALANCE/i, outcome: 'quota_exhausted', why: 'balance; the word stands in `reason` too' },
];

const moonshot: readonly ErrorRule[] = [
	{ type: /engine_overloaded_error/i, outcome: 'overloaded', why: 'their engine; also a 429' },
	{ type: /rate_limit_reached_error/i, outcome: 'rate_limited', why: 'our limit' },
	{ type: /exceeded_current_quota_error/i, outcome: 'quota_exhausted', why: 'our balance' },
	{ type: /resource_not_found_error/i, outcome: 'model_not_found', why: 'the model id' },
	{ type: /content_filter/i, outcome: 'content_blocked', why: 'a filter' },
];

const zai: readonly ErrorRule[] = [
	{ code: /^(?:500|1120|1230|1234)$/, outcome: 'server_error', why: 'internal, or the account service is away' },
	{ code: /^100[0-4]$/, outcome: 'auth_failed', why: 'key' },
	{ code: /^(?:111[0-2]|1121|1220|1311)$/, outcome: 'forbidden', why: 'account inactive or without this model' },
	{ code: /^1113$/, outcome: 'quota_exhausted', why: 'arrears' },
	{ code: /^(?:1210|121[3-5]|1261)$/, outcome: 'bad_request', why: 'our parameter' },
	{ code: /^(?:121[12]|122[12])$/, outcome: 'model_not_found', why: 'no such model' },
	{ code: /^1301$/, outcome: 'content_blocked', why: 'unsafe content' },
	{ code: /^(?:1302|1303|1313)$/, outcome: 'rate_limited', why: 'our concurrency, frequency or fair use' },
	{ code: /^(?:1304|1308|1309|1310)$/, outcome: 'quota_exhausted', why: 'a daily count or the plan' },
	{ code: /^(?:1305|1312)$/, outcome: 'overloaded', why: 'their traffic limit, or a busy model' },
];

const minimax: readonly ErrorRule[] = [
	{ code: /^1001$/, outcome: 'server_timeout', why: 'timeout' },
	{ code: /^10(?:00|13|24|33)$/, outcome: 'server_error', why: 'internal' },
	{ code: /^10(?:02|39|41)$/, outcome: 'rate_limited', why: 'our limit' },
	{ code: /^(?:1004|2049)$/, outcome: 'auth_failed', why: 'key' },
	{ code: /^(?:1008|2056)$/, outcome: 'quota_exhausted', why: 'balance or plan window' },
	{ code: /^102[67]$/, outcome: 'content_blocked', why: 'sensitive input or output' },
	{ code: /^2013$/, outcome: 'bad_request', why: 'our parameter' },
];

const qwen: readonly ErrorRule[] = [
	{
		code: /^(?:Arrearage|PrepaidBillOverdue|PostpaidBillOverdue|AllocationQuota\.FreeTierOnly|BudgetLimitExceeded)$/i,
		outcome: 'quota_exhausted',
		why: 'bills',
	},
	{ code: /Throttling\.ServiceOverloaded|ModelServingError/i, outcome: 'overloaded', why: 'their capacity' },
	{ message: /system capacity/i, outcome: 'overloaded', why: 'their capacity' },
	{ code: /^(?:Throttling|LimitRequests|limit_requests|insufficient_quota)/i, outcome: 'rate_limited', why: 'here insufficient_quota means throttling' },
	{ code: /^InvalidApiKey$/i, outcome: 'auth_failed', why: 'key' },
	{ code: /AccessDenied/i, outcome: 'forbidden', why: 'not purchased, or no access' },
	{ code: /^ModelNotFound$/i, outcome: 'model_not_found', why: 'no such model' },
	{ code: /data_?inspection_?failed/i, outcome: 'content_blocked', why: 'a filter' },
	{ code: /InternalError\.Timeout|RequestTimeOut/i, outcome: 'server_timeout', why: 'timeout' },
	{ code: /^InternalError/i, outcome: 'server_error', why: 'internal' },
];

const cloudflare: readonly ErrorRule[] = [
	{ code: /^3040$/, outcome: 'overloaded', why: 'capacity temporarily exceeded' },
	{ code: /^3036$/, outcome: 'quota_exhausted', why: 'the daily free allocation' },
	{ message: /daily free allocation/i, outcome: 'quota_exhausted', why: 'the daily free allocation' },
	{ code: /^(?:10000|9109)$/, outcome: 'auth_failed', why: 'token' },
	{ code: /^(?:7009|5007)$/, outcome: 'model_not_found', why: 'no such model' },
];

const llamaCpp: readonly ErrorRule[] = [
	{ status: [503], type: /unavailable_error/i, outcome: 'not_ready', why: 'the model is loading' },
	{ type: /exceed_context_size_error/i, outcome: 'bad_request', why: 'our prompt is too long' },
];

export const catalogRules = {
	groq,
	cerebras,
	sambanova,
	together,
	fireworks,
	deepseek,
	xai,
	openrouter,
	huggingface,
	nvidia,
	deepinfra,
	novita,
	moonshot,
	zai,
	minimax,
	qwen,
	cloudflare,
	llamaCpp,
} as const;
