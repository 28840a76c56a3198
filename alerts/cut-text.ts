/** Limits of services, kept by cutting: a message that is too long is refused as a whole. */

const ellipsis = '…';

/** One line without control characters: a provider's text neither begins lines of its own nor grows sixfold as JSON. */
export function oneLine(text: string): string {
	return text
		.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
		.toWellFormed()
		.trim();
}

/** At most `max` UTF-16 units, as the services count; never half a character. */
export function cutText(text: string, max: number): string {
	if (text.length <= max) return text;
	const end = max - ellipsis.length;
	// A high surrogate at the cut belongs to a character that does not fit.
	const whole = /[\uD800-\uDBFF]/.test(text[end - 1] ?? '') ? end - 1 : end;
	return `${text.slice(0, whole)}${ellipsis}`;
}

/** At most `max` bytes of UTF-8. */
export function cutBytes(text: string, max: number): string {
	const encoder = new TextEncoder();
	if (encoder.encode(text).length <= max) return text;
	const room = max - encoder.encode(ellipsis).length;
	const buffer = new Uint8Array(room);
	const { read } = encoder.encodeInto(text, buffer);
	return `${text.slice(0, read)}${ellipsis}`;
}

/** Whole lines while they fit into `max` units, then how many more there are; a first line that is too long by itself is cut. */
export function cutLines(lines: readonly string[], max: number): string {
	const whole = lines.join('\n');
	if (whole.length <= max) return whole;
	const kept: string[] = [];
	const more = (count: number) => `${ellipsis} and ${count} more lines`;
	let size = 0;
	for (const line of lines) {
		const left = lines.length - kept.length;
		if (size + line.length + 1 + more(left).length > max) break;
		kept.push(line);
		size += line.length + 1;
	}
	if (kept.length === 0) return cutText(whole, max);
	return [...kept, more(lines.length - kept.length)].join('\n');
}
