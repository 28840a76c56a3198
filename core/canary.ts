import type { Canary } from './target.ts';

/** Filler of the echo line: the NATO spelling alphabet, each word at least one token in any tokenizer. */
const alphabet =
	'alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor'.split(' ');
/** With the nonce 22 words: just above the 20 tokens below which a speed means nothing, and no dearer than that. */
const fillerCount = 21;

/**
 * The prompt of one probe.
 * @param nonce a word that no cache and no earlier answer holds; unused by custom canaries, whose prompt is the operator's.
 */
export function canaryPrompt(canary: Canary, nonce: string): string {
	if (canary.type === 'custom') return canary.prompt;
	return `Reply with exactly the following line and nothing else: ${echoLine(nonce)}`;
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

/** Whether the answer is as expected. Echo tolerates case, punctuation and chatter around the line; a custom text is exact after trim. */
export function answersCanary(canary: Canary, nonce: string, text: string): boolean {
	if (canary.type === 'echo') return ` ${words(text)} `.includes(` ${words(echoLine(nonce))} `);
	if ('text' in canary.expect) return text.trim() === canary.expect.text.trim();
	return new RegExp(canary.expect.pattern, 'u').test(text);
}

/** Upper bound of the prompt's tokens, for money: no tokenizer makes more than one token of a byte pair in prose, plus the chat frame. */
export function mostInputTokens(prompt: string): number {
	return Math.ceil(new TextEncoder().encode(prompt).length / 2) + 32;
}
