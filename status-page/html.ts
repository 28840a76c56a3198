/** Text that is markup by construction. Only `html` and `trusted` make it, so no value from outside can pass for one. */
export interface Html {
	readonly [markup]: string;
}

const markup = Symbol('markup');

/** Null and false render nothing; everything that is not Html is escaped. */
export type HtmlValue = string | number | null | false | Html | readonly HtmlValue[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Most texts hold none of what is replaced: one look instead of three. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const suspicious = /[&<>"'\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff]/;

/** Safe in text and in a quoted attribute; never in an unquoted one, a script or a style. */
export function escapeHtml(text: string): string {
	if (!suspicious.test(text)) return text;
	// C0 controls and lone surrogates are no text: they'd make the file invalid.
	return (
		text
			.toWellFormed()
			// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
			.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd')
			.replace(/[&<>"']/g, (char) => entities[char] ?? char)
	);
}

/** For markup that the code itself wrote. */
export function trusted(text: string): Html {
	return { [markup]: text };
}

export function renderHtml(value: HtmlValue): string {
	if (value === null || value === false) return '';
	if (typeof value === 'string') return escapeHtml(value);
	if (typeof value === 'number') return String(value);
	if (markup in value) return value[markup];
	return value.map(renderHtml).join('');
}

const squeezed = new WeakMap<TemplateStringsArray, readonly string[]>();

function squeeze(strings: TemplateStringsArray): readonly string[] {
	let result = squeezed.get(strings);
	if (result === undefined) {
		result = strings.map((part) => part.replace(/\n\s*/g, ''));
		squeezed.set(strings, result);
	}
	return result;
}

/** Escapes every value by default. A line break and the indentation after it are layout of the source and vanish. Quote every attribute that holds a value. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
	const parts = squeeze(strings);
	let text = parts[0] ?? '';
	for (let i = 0; i < values.length; i++) text += renderHtml(values[i] as HtmlValue) + (parts[i + 1] ?? '');
	return trusted(text);
}
