import { isRecord } from '#core/error-body.ts';
import { type ListedModel, readListedModel } from '#core/lifecycle.ts';

/** The models of a listing's rows, by the field that holds their name; what is no row is left out. */
export function readRows(rows: unknown, nameField: 'id' | 'name'): ListedModel[] {
	if (!Array.isArray(rows)) return [];
	return rows.flatMap((row) => {
		const name = isRecord(row) ? row[nameField] : undefined;
		return isRecord(row) && typeof name === 'string' ? [readListedModel(name, row)] : [];
	});
}
