import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeSite } from './write-site.ts';

let dir = '';
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'linnet-site-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('files appear with their folders and nothing temporary stays behind', async () => {
	expect(
		await writeSite(
			new Map([
				['index.html', 'a'],
				['target/x.html', 'b'],
			]),
			dir,
		),
	).toEqual({ written: 2, unchanged: 0, removed: 0 });
	expect(await readFile(join(dir, 'target/x.html'), 'utf8')).toBe('b');
	const found = await readdir(dir, { recursive: true });
	expect(found.filter((name) => name.includes('.new-'))).toEqual([]);
});

test('an unchanged file is not touched', async () => {
	await writeSite(
		new Map([
			['a.html', '1'],
			['b.html', '1'],
		]),
		dir,
	);
	const before = await stat(join(dir, 'a.html'));
	expect(
		await writeSite(
			new Map([
				['a.html', '1'],
				['b.html', '2'],
			]),
			dir,
		),
	).toEqual({ written: 1, unchanged: 1, removed: 0 });
	expect((await stat(join(dir, 'a.html'))).ino).toBe(before.ino);
});

test('a file without a content is left as it is, and belongs to the site all the same', async () => {
	await writeSite(new Map([['a.html', '1']]), dir);
	expect(
		await writeSite(
			[
				['b.html', '2'],
				['a.html', null],
			],
			dir,
		),
	).toEqual({ written: 1, unchanged: 1, removed: 0 });
	expect(await readFile(join(dir, 'a.html'), 'utf8')).toBe('1');
	expect(await writeSite([['b.html', null]], dir)).toEqual({ written: 0, unchanged: 1, removed: 1 });
});

test('what is no longer rendered is removed, what others put there stays', async () => {
	await writeSite(
		new Map([
			['incident/1.html', 'x'],
			['index.html', 'x'],
		]),
		dir,
	);
	await writeFile(join(dir, 'robots.txt'), 'theirs');
	expect(await writeSite(new Map([['index.html', 'x']]), dir)).toEqual({ written: 0, unchanged: 1, removed: 1 });
	expect(await readdir(join(dir, 'incident'))).toEqual([]);
	expect(await readFile(join(dir, 'robots.txt'), 'utf8')).toBe('theirs');
});

test('a path that leaves the folder is refused, and nothing is written there', async () => {
	await expect(
		writeSite(
			new Map([
				['index.html', 'x'],
				['../out.html', 'x'],
			]),
			dir,
		),
	).rejects.toThrow('Expected a path inside the site');
	expect(await readdir(join(dir, '..'))).not.toContain('out.html');
});
