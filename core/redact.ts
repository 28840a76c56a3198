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
	let clean = cleanText(text.slice(0, maxLength * 4));
	for (const secret of secrets) {
		if (secret.length >= 4) clean = clean.replaceAll(secret, hidden);
	}
	for (const shape of keyShapes) clean = clean.replace(shape, hidden);
	return clean.slice(0, maxLength).toWellFormed();
}
