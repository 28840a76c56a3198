import { isRecord } from '#core/error-body.ts';

type Body = Readonly<Record<string, unknown>>;

/**
 * The operator's own fields over ours. A mapping that both have is merged one level down: `options: {num_ctx: 2048}` must not throw away the
 * output cap that stands in `options` too. A field set to null in the file is left out of the request.
 */
export function mergeBody(body: Body, patch: Body): Record<string, unknown> {
	const merged: Record<string, unknown> = { ...body };
	for (const [key, value] of Object.entries(patch)) {
		const own = merged[key];
		if (value === null) delete merged[key];
		else merged[key] = isRecord(own) && isRecord(value) ? { ...own, ...value } : value;
	}
	return merged;
}
