import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { catalog } from './catalog.ts';
import { dialects } from './index.ts';

const here = dirname(fileURLToPath(import.meta.url));

describe('the map of dialects', () => {
	test('holds every dialect file of the folder under its own id', () => {
		const source = (name: string) => readFileSync(join(here, name), 'utf8');
		const files = readdirSync(here).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && / Dialect = \{/.test(source(name)));
		for (const file of files) expect(source('index.ts')).toContain(`'./${file}'`);
		expect(Object.keys(dialects).length).toBe(files.length);
		for (const [id, dialect] of Object.entries(dialects)) expect(dialect.id).toBe(id);
	});
});

describe('the catalogue', () => {
	test('names each provider once, with a usable URL and variables', () => {
		expect(new Set(catalog.map(({ id }) => id)).size).toBe(catalog.length);
		for (const entry of catalog) {
			expect(entry.id).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
			expect(() => new URL(entry.baseUrl.replaceAll(/\{[A-Z]+\}/g, 'x')), entry.id).not.toThrow();
			for (const name of entry.apiKeyEnv) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/);
			if (entry.statusPage !== null) expect(entry.statusPage.url).toMatch(/^https:\/\//);
		}
	});

	test('names dialects that exist, each for its own operation', () => {
		for (const { id, dialect, embeddings } of catalog) {
			// Replicate has a protocol of its own, which is not spoken yet.
			if (dialect !== null && id !== 'replicate') expect(dialects[dialect]?.operation, id).toBe('chat');
			if (embeddings !== null) expect(dialects[embeddings]?.operation, id).toBe('embeddings');
		}
	});
});
