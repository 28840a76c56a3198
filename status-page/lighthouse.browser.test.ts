/** Google's own judge of a page: accessibility and best practices. Its third score is a time, and a time is no test: `node bench/lighthouse.ts` prints it. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import lighthouse from 'lighthouse';
import { chromium } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { sampleEvidence } from '#test/sample-evidence.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const isLeftOut = !existsSync(executablePath) && process.env.CI !== 'true';
if (isLeftOut) console.warn('LEFT OUT: every test of status-page/lighthouse.browser.test.ts, because no Chromium was found. Set CHROMIUM to its path.');

const least = 98;
const categories = ['accessibility', 'best-practices'] as const;

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
	return address.port;
}

describe.skipIf(isLeftOut)('Lighthouse', () => {
	test(`gives the overview of 160 targets and a target’s page at least ${least} in ${categories.join(', ')}`, { timeout: 300_000 }, async () => {
		const now = Date.now();
		const drawn = sampleSnapshot({ providers: 20, modelsPerProvider: 8, hostile: false, now });
		const snapshot = { ...drawn, staleAfter: new Date(now + 3_600_000).toISOString() };
		const server = await serveSample({ evidence: sampleEvidence(now), now: Date.now });
		await server.publish(snapshot);
		const port = await freePort();
		const browser = await chromium.launch({
			executablePath,
			args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', `--remote-debugging-port=${port}`],
		});
		try {
			const found: Record<string, string> = {};
			for (const path of ['', `target/${snapshot.targets[1]?.slug}.html`]) {
				const result = await lighthouse(`${server.url}/${path}`, { port, onlyCategories: [...categories], logLevel: 'error' });
				if (result === undefined) throw new Error('Expected a result of Lighthouse');
				const { lhr } = result;
				for (const category of categories) {
					const score = Math.round((lhr.categories[category]?.score ?? 0) * 100);
					const lost = lhr.categories[category]?.auditRefs
						.filter(({ id, weight }) => weight > 0 && (lhr.audits[id]?.score ?? 1) < 1)
						.map(({ id }) => `${id} ${lhr.audits[id]?.displayValue ?? ''}`);
					found[`${path || 'overview'} ${category}`] = score >= least ? 'well' : `${score}: ${lost?.join('; ')}`;
				}
			}
			expect(new Set(Object.values(found)), JSON.stringify(found, null, 1)).toEqual(new Set(['well']));
		} finally {
			await browser.close();
			await server.close();
		}
	});
});
