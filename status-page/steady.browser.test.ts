import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import { states } from '#core/state.ts';
import { fileSlug } from '#core/target.ts';
import { sampleEvidence } from '#test/sample-evidence.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const executablePath =
	process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path)) ?? '';
const isLeftOut = !existsSync(executablePath) && process.env.CI !== 'true';
if (isLeftOut) console.warn('LEFT OUT: every test of status-page/steady.browser.test.ts, because no Chromium was found. Set CHROMIUM to its path.');

function snapshotOf(changes: Parameters<typeof sampleSnapshot>[0] = {}): Snapshot {
	const now = Date.now();
	const snapshot = sampleSnapshot({ providers: 8, modelsPerProvider: 8, now, ...changes });
	return { ...snapshot, staleAfter: new Date(now + 3_600_000).toISOString() };
}

// Every shift counts here, also those that the metric forgives within half a second of a key: the reader pressed none.
const watchShifts = `globalThis.shifts = [];
new PerformanceObserver((list) => {
	for (const entry of list.getEntries())
		shifts.push(entry.value.toFixed(4) + ' ' + entry.sources.map(({ node }) => (node?.nodeName ?? 'gone') + ' ' + (node?.id || node?.className || node?.textContent?.slice(0, 80) || '') + ' in ' + (node?.parentElement?.className ?? '')).join(', '));
}).observe({ type: 'layout-shift', buffered: true });`;

describe.skipIf(isLeftOut)('the page keeps still and keeps its shapes', () => {
	let browser: Browser;
	let server: SampleServer;
	const contexts: BrowserContext[] = [];

	beforeAll(async () => {
		browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'] });
	});
	afterAll(async () => browser?.close());
	afterEach(async () => {
		for (const context of contexts.splice(0)) await context.close();
		await server.close();
	});

	async function open(path: string, snapshot: Snapshot, options: BrowserContextOptions = {}): Promise<Page> {
		server = await serveSample({ evidence: sampleEvidence(Date.now()), now: Date.now });
		await server.publish(snapshot);
		const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'Pacific/Auckland', ...options });
		contexts.push(context);
		const page = await context.newPage();
		await page.addInitScript(watchShifts);
		await page.goto(`${server.url}/${path}`);
		return page;
	}

	/** Two frames: what was laid out before them is painted, and any shift is told. */
	const painted = (page: Page) => page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');

	test.each([
		['wide', 1280],
		['on a phone', 360],
	])('nothing jumps while states change, %s', async (_, width) => {
		const snapshot = snapshotOf();
		const page = await open('', snapshot, { viewport: { width, height: 800 } });
		const rows = snapshot.targets.filter((target) => !target.model.includes('<'));
		for (const [step, state] of states.entries()) {
			const changed = rows[step];
			if (changed === undefined) throw new Error('Expected a target for each state');
			const sentence = `${step + 1} of them changed`;
			await server.publish({ ...snapshotOf({ states: { [changed.id]: state }, number: snapshot.number + step + 1 }), sentence });
			await page.evaluate('dispatchEvent(new Event("online"))');
			await page.locator('h1', { hasText: sentence }).waitFor();
			await painted(page);
		}
		expect(await page.evaluate('shifts')).toEqual([]);
	});

	test.each([
		['wide', 1280],
		['on a phone', 360],
	])('nothing jumps while a target’s chart and results are drawn, nor when the reader’s own time comes to an incident, %s', async (_, width) => {
		const snapshot = snapshotOf();
		const page = await open(`target/${snapshot.targets[0]?.slug}.html`, snapshot, { viewport: { width, height: 800 } });
		await page.locator('#chart').scrollIntoViewIfNeeded();
		await page.locator('#chart canvas').waitFor();
		await painted(page);
		expect(await page.evaluate('shifts')).toEqual([]);
		await page.goto(new URL(`/incident/${fileSlug(snapshot.incidents[0]?.id ?? '')}.html`, page.url()).href);
		await painted(page);
		expect(await page.locator('dd time').first().getAttribute('data-local')).toMatch(/ UTC\+1[23]:00$/);
		expect(await page.evaluate('shifts')).toEqual([]);
	});

	test('with forced colours each state still has a shape of its own', async () => {
		const snapshot = snapshotOf();
		const page = await open('', snapshot, { forcedColors: 'active' });
		const found = (await page.evaluate(`[...document.querySelectorAll('details[data-s]')].map((row) => {
			const mark = getComputedStyle(row.querySelector('em'), '::before');
			return [row.dataset.s, [mark.clipPath, mark.borderRadius, mark.borderWidth, mark.backgroundImage, mark.backgroundColor === 'rgba(0, 0, 0, 0)'].join(' ')];
		})`)) as [string, string][];
		expect(found).toHaveLength(snapshot.targets.length);
		const shapes = new Set(found.map(([, shape]) => shape));
		expect(new Set(found.map(([state]) => state)).size).toBe(states.length);
		expect(shapes.size).toBe(states.length);
		expect(new Set(found.map((pair) => pair.join(' '))).size).toBe(states.length);
	});

	test('moves nothing for a reader who asked for stillness', async () => {
		const snapshot = snapshotOf();
		const page = await open('', snapshot, { reducedMotion: 'reduce' });
		await page.locator('summary').first().click();
		expect(await page.evaluate('document.getAnimations().length')).toBe(0);
	});
});
