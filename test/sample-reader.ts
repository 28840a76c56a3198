import { expect } from 'vitest';
import type { z } from 'zod';
import { problemSchema } from '#api/schema.ts';
import type { SampleServer } from './serve-sample.ts';

export interface SampleReader {
	get(path: string, headers?: Record<string, string>): Promise<Response>;
	/** The answer, held against its status and its schema. */
	read<Schema extends z.ZodType>(path: string, schema: Schema, status?: number): Promise<z.infer<Schema>>;
	/** A problem+json without a trace of our insides. */
	problem(path: string, status: number): Promise<z.infer<typeof problemSchema>>;
}

export function readerOf(server: Pick<SampleServer, 'url'>): SampleReader {
	const get = (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers, redirect: 'manual' });
	return {
		get,
		async read(path, schema, status = 200) {
			const response = await get(path);
			const body: unknown = await response.json();
			expect({ path, status: response.status, problem: response.status === status ? null : body }).toEqual({ path, status, problem: null });
			return schema.parse(body);
		},
		async problem(path, status) {
			const response = await get(path);
			const type = response.headers.get('content-type');
			expect({ path, status: response.status, type }).toEqual({ path, status, type: 'application/problem+json; charset=utf-8' });
			const text = await response.text();
			expect(text).not.toMatch(/\.ts:\d|node_modules/);
			return problemSchema.parse(JSON.parse(text));
		},
	};
}
