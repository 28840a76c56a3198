import { isRecord } from '#core/error-body.ts';
import type { ModelListing } from './adapter.ts';
import { readRows } from './read-rows.ts';

/** `GET /models` → `{data: [{id, shutdown_date?}]}`; Together answers the bare array. */
export const openaiListing: ModelListing = {
	path: '/models',
	readModels: (json) => readRows(isRecord(json) ? json.data : json, 'id'),
};
