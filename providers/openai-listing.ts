import { isRecord } from '#core/error-body.ts';
import type { ModelListing } from './adapter.ts';

/** `GET /models` → `{data: [{id}]}`; Together answers the bare array. */
export const openaiListing: ModelListing = {
	path: '/models',
	readModels(json) {
		const rows = Array.isArray(json) ? json : isRecord(json) && Array.isArray(json.data) ? json.data : [];
		return rows.flatMap((row) => (isRecord(row) && typeof row.id === 'string' ? [row.id] : []));
	},
};
