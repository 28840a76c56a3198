import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { type SampleServer, serveSample } from '#test/serve-sample.ts';

const executablePath =
	process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path)) ?? '';
const isLeftOut = !existsSync(executablePath) && process.env.CI !== 'true';
if (isLeftOut) console.warn('LEFT OUT: every test of status-page/live.browser.test.ts, because no Chromium was found. Set CHROMIUM to its path.');

// What a page asked for is counted where it asks; a count that is seen from outside is one whose answer the page has dealt with too.
const countPolls = `globalThis.polls = { asked: 0, answered: 0, failed: 0 };
const ask = fetch;
globalThis.fetch = (url, ...rest) => {
	const answer = ask(url, ...rest);
	if (!String(url).endsWith('v1/verdicts')) return answer;
	polls.asked += 1;
	return answer.then((response) => {
		polls.answered += 1;
		return response;
	}, (error) => {
		polls.failed += 1;
		throw error;
	});
};`;

describe.skipIf(isLeftOut)('an open page, by a clock that the test moves', () => {
	let browser: Browser;
	let server: SampleServer;
	let page: Page;

	beforeAll(async () => {
		browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'] });
	});
	afterAll(async () => browser?.close());
	beforeEach(async () => {
		server = await serveSample({ now: Date.now });
		const now = Date.now();
		await server.publish({ ...sampleSnapshot({ providers: 2, now }), staleAfter: new Date(now + 3_600_000).toISOString() });
		page = await browser.newPage();
		await page.addInitScript(countPolls);
		await page.clock.install({ time: now });
		await page.goto(server.url);
		await page.clock.pauseAt(now + 60_000);
	});
	afterEach(async () => {
		await page.context().close();
		await server.close();
	});

	const count = async (what: 'asked' | 'answered' | 'failed') => Number(await page.evaluate(`polls.${what}`));
	/** Moves the clock on, step by step, until the page has asked once more. @returns ms of its clock */
	async function untilAsked(stepMs = 2_000): Promise<number> {
		const before = await count('asked');
		let waitedMs = 0;
		while ((await count('asked')) === before && waitedMs < 600_000) {
			await page.clock.runFor(stepMs);
			waitedMs += stepMs;
		}
		expect(await count('asked')).toBe(before + 1);
		return waitedMs;
	}
	async function setHidden(hidden: boolean): Promise<void> {
		await page.evaluate(
			`Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} }); document.dispatchEvent(new Event('visibilitychange'))`,
		);
	}

	test('polls while it is looked at, rests while it is hidden, and shows nothing old as well meanwhile', async () => {
		for (let poll = 0; poll < 5; poll++) await untilAsked();
		await setHidden(true);
		const asked = await count('asked');
		await page.clock.runFor(900_000);
		expect(await count('asked')).toBe(asked);
		// Two hours later its data is past its deadline: the tab says so though nobody looks.
		await page.clock.fastForward(7_200_000);
		expect(await page.title()).toMatch(/^Out of date/);
		expect(await page.locator('link[rel=icon]').getAttribute('href')).toContain('favicon-none.svg');
		await setHidden(false);
		expect(await count('asked')).toBe(asked + 1);
		await expect.poll(() => page.title()).not.toMatch(/^Out of date/);
		expect(await page.locator('em', { hasText: 'Operational' }).count()).toBeGreaterThan(0);
	});

	test('asks more and more seldom while the API errs, says that it is offline, and is back at once with the network', async () => {
		await untilAsked();
		// What is still on its way when the API begins to err may be a failure of its own, that nobody counted on.
		await expect.poll(() => count('answered'), { timeout: 10_000 }).toBe(await count('asked'));
		await page.route('**/v1/verdicts', (route) => route.abort());
		await untilAsked();
		for (const [failures, meanMs] of [30_000, 60_000, 120_000, 240_000, 240_000].entries()) {
			await expect.poll(() => count('failed'), { timeout: 10_000 }).toBe(failures + 1);
			const waitedMs = await untilAsked(4_000);
			expect(waitedMs, `after failure ${failures + 1}`).toBeGreaterThan(meanMs * 0.8 - 1);
			expect(waitedMs, `after failure ${failures + 1}`).toBeLessThan(meanMs * 1.2 + 4_001);
		}
		expect(await page.locator('#net').innerText()).toMatch(/^Offline: no answer from the API\. This is the record of \d+ min ago\. Trying again\./);
		await page.unroute('**/v1/verdicts');
		await page.evaluate('dispatchEvent(new Event("online"))');
		await page.locator('#net').waitFor({ state: 'hidden' });
	});
});
