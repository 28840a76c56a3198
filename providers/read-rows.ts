import { isRecord } from '#core/error-body.ts';
import { type ListedModel, readListedModel } from '#core/lifecycle.ts';

/** The models of a listing's rows, by the field that holds their name; what is no row is left out. */
export function readRows(rows: unknown, nameField: 'id' | 'name' | 'modelId'): ListedModel[] {
	if (!Array.isArray(rows)) return [];
	return rows.flatMap((row) => {
		const name = isRecord(row) ? row[nameField] : undefined;
		return isRecord(row) && typeof name === 'string' ? [readListedModel(name, row)] : [];
	});
}

/** `{param}={token}` of a page that says there is more; null when it says nothing. */
export function pageToken(json: unknown, param: string, field: string): string | null {
	const token = isRecord(json) ? json[field] : null;
	return typeof token === 'string' && token !== '' ? `${param}=${encodeURIComponent(token)}` : null;
}
