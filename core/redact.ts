/** Providers echo keys in their errors ("Incorrect API key provided: …"): nothing of that may reach a log, the database or a page. */

const hidden = '[redacted]';

/** Shapes of keys, whole or half masked by the provider itself. Each pattern is linear in the text. */
const keyShapes: readonly RegExp[] = [
	/\b(?:bearer|basic|api[-_ ]?key|token|secret|signature|authorization)["']?\s*[:=]?\s*["']?[\w\-.~+/*]{12,}=*/gi,
	/\b(?:sk|pk|rk|gsk|csk|xai|nvapi|hf|fw|pplx|tgp|r8|key|org|proj)[-_][\w\-*.]{6,}/gi,
	/\bAIza[\w\-*]{10,}/g,
	/\b(?:AKIA|ASIA)[A-Z0-9*]{8,}/g,
	/\beyJ[\w-]{10,}\.[\w\-.]*/g,
	// Any long run that mixes letters and digits is treated as a key; plain words and plain numbers are not.
	/\b(?=[\w*-]{0,64}\d)(?=[\w*-]{0,64}[a-z])[\w*-]{28,}/gi,
];

/** Shorter ones would hide every other word. */
const shortestSecret = 4;
/** Parts of a credential and values of headers stand in ordinary words more easily. */
const shortestPart = 8;

/** What may not be told of a request: the credential, its parts (`id:key:session`), the values of headers that the operator adds. */
export function secretsOf(credential: string | null, headers: Readonly<Record<string, string>> = {}): readonly string[] {
	const parts = [...(credential ?? '').split(':'), ...Object.values(headers), ...Object.values(headers).map((value) => value.replace(/^\w+ /, ''))];
	return [...new Set([credential ?? '', ...parts.filter(({ length }) => length >= shortestPart)])].filter(({ length }) => length >= shortestSecret);
}

interface Forms {
	readonly anywhere: RegExp;
	readonly forms: readonly string[];
}

const known = new Map<string, Forms>();
const keptSecrets = 1_000;

const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** The secret as servers repeat it without meaning to: as it is, escaped for a URL, JSON or HTML, in base64, in hex. */
function formsOf(secret: string): Forms {
	const found = known.get(secret);
	if (found !== undefined) return found;
	const bytes = new TextEncoder().encode(secret);
	const base64 = btoa(String.fromCharCode(...bytes)).replace(/=+$/, '');
	const entity = (character: string) => `&#x${character.charCodeAt(0).toString(16)};`;
	const written = [
		secret,
		encodeURIComponent(secret),
		JSON.stringify(secret).slice(1, -1),
		secret.replaceAll('/', '\\/'),
		secret.replace(/[&<>"'`=/+]/g, entity),
		base64,
		base64.replaceAll('+', '-').replaceAll('/', '_'),
		[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
	];
	const forms = [...new Set(written.map((form) => form.toLowerCase()))].sort((a, b) => b.length - a.length);
	// What is written as something else, each by itself: servers escape a part of them, and twice.
	const escaped = [...secret.toLowerCase()].map((character) => {
		if (/[a-z0-9]/.test(character)) return character;
		const code = character.charCodeAt(0);
		const hex = code.toString(16);
		return `(?:\\\\*${literal(character)}|%(?:25)?${hex}|&#(?:x0*${hex}|0*${code});|\\\\+u00${hex.padStart(2, '0')})`;
	});
	const anywhere = new RegExp([...forms.map(literal), escaped.join('')].join('|'), 'gi');
	if (known.size >= keptSecrets) known.clear();
	known.set(secret, { anywhere, forms });
	return { anywhere, forms };
}

/** Only what is known to be secret goes, in letters of either case, and its beginning where the text was cut within it; the rest stays as it is. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
	let shown = text;
	for (const secret of secrets) {
		if (secret.length < shortestSecret) continue;
		const { anywhere, forms } = formsOf(secret);
		shown = shown.replace(anywhere, hidden);
		for (const form of forms) {
			if (form.length <= shortestPart) continue;
			const tail = shown.slice(-form.length).toLowerCase();
			const at = tail.lastIndexOf(form.slice(0, shortestPart));
			if (at >= 0 && form.startsWith(tail.slice(at))) shown = shown.slice(0, shown.length - tail.length + at) + hidden;
		}
	}
	return shown;
}

/** `hideSecrets` in every text of a JSON value, the names of its fields too. */
export function hideInJson(value: unknown, secrets: readonly string[]): unknown {
	if (secrets.length === 0) return value;
	if (typeof value === 'string') return hideSecrets(value, secrets);
	if (Array.isArray(value)) return value.map((one) => hideInJson(one, secrets));
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([name, one]) => [hideSecrets(name, secrets), hideInJson(one, secrets)]));
}

/** Removes control characters: U+0000 alone makes Postgres refuse the whole row, and the rest can forge log lines. */
export function cleanText(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point.
	return text
		.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+/g, ' ')
		.toWellFormed()
		.trim();
}

/** Cleaned, without secrets, at most `maxLength` UTF-16 units. */
export function redact(text: string, secrets: readonly string[], maxLength = 300): string {
	// Cut first, with room for a key that straddles the final cut, so that hostile sizes cost nothing.
	let clean = hideSecrets(cleanText(text.slice(0, maxLength * 4)), secrets);
	for (const shape of keyShapes) clean = clean.replace(shape, hidden);
	return clean.slice(0, maxLength).toWellFormed();
}
