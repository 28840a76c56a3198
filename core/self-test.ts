/** A request that was refused as malformed is our fault: which field of the file would mend it. Pure. */
import type { ProbeResult } from './probe-result.ts';

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
