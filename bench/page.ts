/**
 * `node bench/page.ts`: the site of 160, 1,000 and 5,000 targets: time to render and write it, bytes of its pages as they are and compressed,
 * and what a reader's browser (Debian's Chromium, no throttling) needs from the click to the first paint, to being whole, and to an answer of the search.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { Snapshot } from '#core/snapshot.ts';
import { renderSite } from '#status-page/render-site.ts';
import { writeSite } from '#status-page/write-site.ts';
import { largeFleet } from '#test/large-fleet.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';

const fleets: readonly (readonly [string, Snapshot])[] = [
	['160', sampleSnapshot({ providers: 20, modelsPerProvider: 8, hostile: false })],
	['1,000', largeFleet(1, 5)],
	['5,000', largeFleet(1, 25)],
];
const kilo = (bytes: number) => `${(bytes / 1_024).toFixed(1)} KB`;
const ms = (since: number) => `${Math.round(performance.now() - since)} ms`;

console.log('# Rendering');
const rows = [];
for (const [targets, snapshot] of fleets) {
	const dir = await mkdtemp(join(tmpdir(), 'linnet-bench-page-'));
	const options = { now: Date.parse(snapshot.generatedAt) };
	const renderAt = performance.now();
	const site = renderSite(snapshot, options);
	const render = ms(renderAt);
	const writeAt = performance.now();
	await writeSite(site, dir);
	const write = ms(writeAt);
	const againAt = performance.now();
	await writeSite(site, dir);
	rows.push({ targets, files: site.size, render, 'first write': write, 'write unchanged': ms(againAt) });
	await rm(dir, { recursive: true });
}
console.table(rows);

console.log('# Bytes of a page');
const sizes = [];
for (const [targets, snapshot] of fleets) {
	const site = renderSite(snapshot, { now: Date.parse(snapshot.generatedAt) });
	const pages = [...site].filter(([path]) => path.endsWith('.html')).sort(([, a], [, b]) => Buffer.byteLength(b) - Buffer.byteLength(a));
	const paths = new Set(['index.html', 'models.html', pages[0]?.[0] ?? '', 'names.json']);
	for (const path of paths) {
		const content = site.get(path) ?? '';
		const [raw, gzip, brotli] = [Buffer.byteLength(content), gzipSync(content).length, brotliCompressSync(content).length];
		sizes.push({ targets, page: path === pages[0]?.[0] ? `${path} (the largest)` : path, raw: kilo(raw), gzip: kilo(gzip), brotli: kilo(brotli) });
	}
}
console.table(sizes);

console.log('# In a browser: median of 5 loads, from the click');
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
});
const median = (values: readonly number[]) => `${Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0)} ms`;
const views = [];
for (const [targets, snapshot] of fleets) {
	const server = await serveSample();
	await server.publish(snapshot);
	const loads: { paint: number; whole: number; found: number }[] = [];
	for (let load = 0; load < 5; load++) {
		const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
		await page.goto(server.url, { waitUntil: 'load' });
		const [paint, whole] = (await page.evaluate(
			`[performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0, performance.getEntriesByType('navigation')[0].loadEventEnd]`,
		)) as [number, number];
		const askedAt = performance.now();
		await page.locator('#find').fill('llama groq');
		await page.locator('#found a').first().waitFor();
		loads.push({ paint, whole, found: performance.now() - askedAt });
		await page.close();
	}
	views.push({
		targets,
		'first paint': median(loads.map(({ paint }) => paint)),
		'whole and interactive': median(loads.map(({ whole }) => whole)),
		'search answers': median(loads.map(({ found }) => found)),
		elements: await countElements(server.url),
	});
	await server.close();
}
console.table(views);
await browser.close();

async function countElements(url: string): Promise<number> {
	const page = await browser.newPage();
	await page.goto(url);
	const count = Number(await page.evaluate('document.querySelectorAll("*").length'));
	await page.close();
	return count;
}
