/** Text of a status page, which may be HTML, as plain text in bounds. It is shown as text only. */

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', '#39': "'" };

function decodeEntities(text: string): string {
	return text.replace(/&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]{2,8});/gi, (whole, name: string) => {
		const known = entities[name.toLowerCase()];
		if (known !== undefined) return known;
		const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : name.startsWith('#') ? Number(name.slice(1)) : Number.NaN;
		return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
	});
}

/** Tags become spaces, entities characters; control characters and runs of space one space; cut to `longest` characters, never inside one. */
export function plainText(value: unknown, longest: number): string {
	if (typeof value !== 'string' && typeof value !== 'number') return '';
	// A page can be megabytes; what would be cut anyway is not worked on.
	const source = String(value).slice(0, longest * 10);
	const text = decodeEntities(source.replace(/<[^<>]*>/g, ' '))
		.toWellFormed()
		.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
		.trim();
	return text.length <= longest
		? text
		: `${[...text.slice(0, longest - 1)]
				.join('')
				.toWellFormed()
				.replace(/\ufffd$/, '')}…`;
}

/** An http or https address; null for anything else. */
export function webAddress(value: unknown, base?: string): string | null {
	if (typeof value !== 'string' || value.length > 2_000 || value === '') return null;
	if (!URL.canParse(value, base)) return null;
	const url = new URL(value, base);
	return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
}

/** ms since epoch; null when it is no time between 2000 and 2100. */
export function instantOf(value: unknown): number | null {
	if (typeof value !== 'string' && typeof value !== 'number') return null;
	const at = typeof value === 'number' ? (value < 1e11 ? value * 1_000 : value) : Date.parse(value);
	return at >= 946_684_800_000 && at < 4_102_444_800_000 ? Math.round(at) : null;
}
