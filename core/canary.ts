import type { Answer } from './answer.ts';
import { parseJson } from './error-body.ts';
import { hash32 } from './hash.ts';
import { matchesSchema, sameJson } from './json-schema.ts';
import type { Canary } from './target.ts';

/** The shape that an answer is asked for in; how that is said on the wire is the dialect's. */
export interface AnswerForm {
	/** `json`: the whole text follows the schema. `tool`: the named tool is called, its arguments follow the schema. */
	readonly kind: 'json' | 'tool';
	readonly name: string;
	readonly description: string;
	readonly schema: Readonly<Record<string, unknown>>;
}

/** What one probe asks. */
export interface Ask {
	readonly prompt: string;
	/** Null: words, as they come. */
	readonly form: AnswerForm | null;
}

/** Filler of the echo line: the NATO spelling alphabet, each word at least one token in any tokenizer. */
const alphabet =
	'alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor'.split(' ');
/** With the nonce 22 words: just above the 20 tokens below which a speed means nothing, and no dearer than that. */
const fillerCount = 21;

/** Both forms carry a word and a number, so that text and arithmetic types are seen; every provider's strict mode takes this subset of JSON Schema. */
const readingSchema = {
	type: 'object',
	properties: { word: { type: 'string' }, count: { type: 'integer' } },
	required: ['word', 'count'],
	additionalProperties: false,
} as const;

export const readingForms = {
	json: { kind: 'json', name: 'reading', description: 'One reading', schema: readingSchema },
	tool: { kind: 'tool', name: 'record_reading', description: 'Records one reading.', schema: readingSchema },
} as const satisfies Record<'json' | 'tool', AnswerForm>;

/** What the json and tool canaries ask for; both values follow from the nonce, so no cache holds them. */
export function expectedReading(nonce: string): { readonly word: string; readonly count: number } {
	return { word: nonce, count: 100 + (hash32(nonce) % 900) };
}

/** @param nonce a word that no cache and no earlier answer holds; unused by custom canaries, whose prompt is the operator's */
export function askOf(canary: Canary, nonce: string): Ask {
	const { word, count } = expectedReading(nonce);
	switch (canary.type) {
		case 'custom':
			return { prompt: canary.prompt, form: null };
		case 'echo':
			return { prompt: `Reply with exactly the following line and nothing else: ${echoLine(nonce)}`, form: null };
		case 'json':
			return { prompt: `Answer with one JSON object and nothing else, with word "${word}" and count ${count}.`, form: readingForms.json };
		case 'tool':
			return { prompt: `Call the tool ${readingForms.tool.name} once, with word "${word}" and count ${count}. Write no text.`, form: readingForms.tool };
		case 'embedding':
			return { prompt: `probe ${nonce}`, form: null };
	}
}

export function echoLine(nonce: string): string {
	return [nonce, ...alphabet.slice(0, fillerCount)].join(' ');
}

function words(text: string): string {
	return text
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, ' ')
		.trim();
}

/**
 * Null when the answer is as expected; otherwise the name of what is wrong with it. Echo tolerates case, punctuation and chatter around the
 * line; JSON tolerates white space around it and nothing else, because whoever asks for JSON parses it; a custom text is exact after trim.
 */
export function findMismatch(canary: Canary, nonce: string, answer: Pick<Answer, 'text' | 'toolName' | 'toolArguments' | 'vectorLength'>): string | null {
	const { text } = answer;
	const unless = (right: boolean, subcode = 'wrong_answer') => (right ? null : subcode);
	switch (canary.type) {
		case 'echo':
			return unless(` ${words(text)} `.includes(` ${words(echoLine(nonce))} `));
		case 'json': {
			const json = parseJson(text);
			return json === undefined ? 'not_json' : unless(sameJson(json, expectedReading(nonce)));
		}
		case 'tool': {
			if (answer.toolName === null) return 'no_tool_call';
			if (answer.toolName !== readingForms.tool.name) return 'wrong_tool';
			const json = parseJson(answer.toolArguments);
			return json === undefined ? 'not_json' : unless(sameJson(json, expectedReading(nonce)), 'wrong_arguments');
		}
		case 'embedding':
			return unless(canary.dimensions === null || answer.vectorLength === canary.dimensions, 'wrong_dimensions');
		case 'custom': {
			const { expect } = canary;
			if ('text' in expect) return unless(text.trim() === expect.text.trim());
			if ('pattern' in expect) return unless(new RegExp(expect.pattern, 'u').test(text));
			const json = parseJson(text);
			return json === undefined ? 'not_json' : unless(matchesSchema(expect.schema, json), 'wrong_json');
		}
	}
}

/** What chat templates put around a prompt and bill: gpt-oss's fixed system message is some 70 tokens, Llama 3's header some 30. */
const frameTokens = 200;
/** What providers add when tools or a format are asked for: Anthropic documents up to 530 for tools. */
const formTokens = 1_000;

function utf8Length(text: string): number {
	return new TextEncoder().encode(text).length;
}

/** Upper bound of what is billed as input: tokenizers fall back to single bytes, so no text has more tokens than bytes. */
export function mostInputTokens({ prompt, form }: Ask): number {
	return utf8Length(prompt) + frameTokens + (form === null ? 0 : utf8Length(JSON.stringify(form)) + formTokens);
}

/** What is usually billed: four characters a token, which English text has. */
export function typicalInputTokens({ prompt, form }: Ask): number {
	return Math.ceil(utf8Length(prompt) / 4) + 10 + (form === null ? 0 : Math.ceil(utf8Length(JSON.stringify(form)) / 4) + (form.kind === 'tool' ? 50 : 0));
}
