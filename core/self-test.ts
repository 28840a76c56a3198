/**
 * The test of our own requests. A request that was refused as malformed is our fault: which field of the file would mend it; and until a target
 * has accepted a canary once, a failure that the request may have caused says nothing about the provider. Pure.
 */
import { hash32 } from './hash.ts';
import { keepFor } from './keep-for.ts';
import type { Outcome } from './outcome.ts';
import type { ProbeResult } from './probe-result.ts';
import type { Canary, Target } from './target.ts';

/** What an operator can do about a refusal. */
export interface RefusalAdvice {
	/** The request's field that was refused, as the provider named it; null when it named none. */
	readonly field: string | null;
	/** What to change in the configuration. */
	readonly advice: string;
}

interface AdviceRow {
	readonly field: RegExp;
	readonly advice: string;
}

/** The first row whose pattern is in the field or, without one, in the message. */
const rows: readonly AdviceRow[] = [
	{ field: /^max_tokens$|maxTokens/, advice: 'set `maxTokensField: max_completion_tokens` of the model, or lower its `maxOutputTokens`' },
	{ field: /max_completion_tokens/, advice: 'set `maxTokensField: max_tokens` of the model, or lower its `maxOutputTokens`' },
	{ field: /max_?output_?tokens|num_predict/i, advice: 'change `maxOutputTokens` of the model' },
	{ field: /temperature/i, advice: 'set `sendTemperature: false` of the model' },
	{ field: /stream_options|include_usage|include_obfuscation/, advice: 'set `includeUsage: false` of the model and `stream_options: null` in its `body`' },
	{ field: /tool_choice|toolChoice|allowedFunctionNames/, advice: 'this model takes no forced tool: take `tool` out of its `canaries`' },
	{ field: /\btools?\b|toolConfig|function/i, advice: 'this model takes no tools: take `tool` out of its `canaries`' },
	{
		field: /response_format|output_config|outputConfig|responseJsonSchema|responseMimeType|json_schema|\btext\.format|^format\b/,
		advice: 'this model takes no JSON schema: take `json` out of its `canaries`',
	},
	{ field: /dimension/i, advice: 'take `dimensions` out of the `body` of the model, or change it' },
	{ field: /reasoning|thinking/i, advice: 'change the reasoning field in the `body` of the model' },
	{ field: /^store$/, advice: 'set `store: null` in the `body` of the model: it is left out then' },
	{ field: /^model$/, advice: 'change `upstreamModel`: the name that this provider gives the model' },
];

/** Words in which providers quote the field: `Unsupported parameter: 'x'`, `x: Extra inputs …`, `Unknown name "x" at y`, `property 'x' …`. */
const fieldPatterns = [
	/(?:parameter|argument|property|field|name|keyword|input)s?:?\s*['"`“]([\w.[\]-]{1,80})['"`”]/i,
	/['"`“]([\w.[\]-]{1,80})['"`”]\s*(?:is|are|was)?\s*(?:not\s|un|does not|invalid|deprecated)/i,
	/^([a-z_][\w.[\]-]{1,80}): /,
	/"loc":\[(?:"body",)?"([\w.-]{1,80})"/,
];

function fieldIn(message: string): string | null {
	for (const pattern of fieldPatterns) {
		const field = pattern.exec(message)?.[1];
		if (field !== undefined) return field;
	}
	return null;
}

/** Null unless the provider refused the request itself: then the target's verdicts say nothing about the provider until the file is changed. */
export function adviseOnRefusal({ outcome, evidence, canary }: Pick<ProbeResult, 'outcome' | 'evidence' | 'canary'>): RefusalAdvice | null {
	if (outcome !== 'bad_request') return null;
	const message = evidence?.message ?? '';
	const field = evidence?.param ?? fieldIn(message);
	const row = rows.find((each) => each.field.test(field ?? message));
	if (row !== undefined) return { field, advice: row.advice };
	if (field !== null) return { field, advice: `set \`${field}\` in the \`body\` of the model (null leaves it out)` };
	return {
		field: null,
		advice: `the provider names no field: compare the \`body\` of the model and its canary \`${canary}\` with the provider's documentation`,
	};
}

/** What a result tells of the request. `unclear`: an error that the request may have caused. `nothing`: the request was not what mattered. */
export type RequestFate = 'accepted' | 'refused' | 'unclear' | 'nothing';

/** By outcome; `answered` needs a status, and a success to be more than unclear. */
const fates = {
	ok: 'accepted',
	canary_mismatch: 'accepted',
	content_blocked: 'accepted',
	stream_stalled: 'accepted',
	stream_error: 'accepted',
	// Under a success status both are answers to a request that was taken; without one they are silence.
	stream_truncated: 'accepted',
	first_token_timeout: 'accepted',
	bad_request: 'refused',
	// Servers answer what they cannot parse with a 500, an empty stream or a page as well.
	server_error: 'unclear',
	server_timeout: 'unclear',
	invalid_response: 'unclear',
	empty_response: 'unclear',
	// Each has a word of its own for what was wrong, or was never read.
	overloaded: 'nothing',
	not_ready: 'nothing',
	throttled: 'nothing',
	rate_limited: 'nothing',
	quota_exhausted: 'nothing',
	auth_failed: 'nothing',
	forbidden: 'nothing',
	model_not_found: 'nothing',
	dns_failed: 'nothing',
	connect_failed: 'nothing',
	tls_failed: 'nothing',
	edge_blocked: 'nothing',
	monitor_fault: 'nothing',
} as const satisfies Record<Outcome, RequestFate>;

export function fateOf({ outcome, httpStatus }: Pick<ProbeResult, 'outcome' | 'httpStatus'>): RequestFate {
	const fate = fates[outcome];
	if (httpStatus === null) return fate === 'refused' ? fate : 'nothing';
	if (fate !== 'accepted') return fate;
	return httpStatus >= 200 && httpStatus < 300 ? 'accepted' : 'unclear';
}

/** What is known of one canary of one target. Times in ms since epoch. */
export interface CanaryTest {
	readonly targetId: string;
	readonly canary: string;
	/** Of the request that was tested: another one is another test. */
	readonly requestKey: string;
	/** Null: never yet. */
	readonly acceptedAt: number | null;
	/** The newest that told anything. After an acceptance `unclear` is the provider's trouble, and no news. */
	readonly fate: Exclude<RequestFate, 'nothing'>;
	readonly fateAt: number;
	/** Of the newest refusal; null unless refused. */
	readonly refusal: RefusalAdvice | null;
	/** The provider's words, redacted; null: none. */
	readonly message: string | null;
}

/** Each result is held against it. */
const requestKeys = keepFor((target: Target) => keepFor((canary: Canary) => makeRequestKey(target, canary)));

/** Changes with everything that the request is built from. */
export function requestKey(target: Target, canary: Canary): string {
	return requestKeys(target)(canary);
}

function makeRequestKey({ dialect, baseUrl, upstreamModel, headers, flags }: Target, canary: Canary): string {
	const text = JSON.stringify([dialect, baseUrl, upstreamModel, headers, flags, canary]);
	return hash32(text).toString(16).padStart(8, '0') + hash32(`${text.length}\n${text}`).toString(16).padStart(8, '0');
}

export interface TestedResult {
	/** As it is to be recorded. */
	readonly result: ProbeResult;
	/** What is known now; the same object where the result told nothing new. Null: nothing yet. */
	readonly test: CanaryTest | null;
}

/** Takes a result into what is known of its canary, and out of the provider's numbers where the request may be at fault. */
export function testResult(known: CanaryTest | null, key: string, targetId: string, result: ProbeResult): TestedResult {
	const own = known?.requestKey === key ? known : null;
	const fate = fateOf(result);
	const at = result.startedAt ?? result.slotAt;
	const kept = { targetId, canary: result.canary, requestKey: key };
	const acceptedAt = own?.acceptedAt ?? null;
	if (fate === 'accepted') {
		const isNews = own?.fate !== 'accepted';
		return { result, test: isNews ? { ...kept, acceptedAt: at, fate, fateAt: at, refusal: null, message: null } : own };
	}
	const message = result.evidence?.message ?? null;
	if (fate === 'refused') {
		const refusal = adviseOnRefusal(result);
		const isNews = own?.fate !== 'refused' || own.refusal?.field !== refusal?.field;
		return { result, test: isNews ? { ...kept, acceptedAt, fate, fateAt: at, refusal, message } : own };
	}
	if (fate === 'nothing' || acceptedAt !== null) return { result, test: own };
	const untested: ProbeResult = result.sli === 'bad' ? { ...result, sli: 'excluded', evidence: { ...result.evidence, untested: true } } : result;
	// A refusal says more than an error after it.
	return { result: untested, test: own ?? { ...kept, acceptedAt: null, fate, fateAt: at, refusal: null, message } };
}
