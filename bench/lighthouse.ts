/**
 * `node bench/lighthouse.ts [runs, default 3]`: Lighthouse's scores of the overview of 160 targets and of a target's page, on its default slow phone:
 * the median of the runs, each run's score, and what cost points in the median run.
 * Wants an idle machine: the processor is slowed fourfold in the arithmetic, so whatever else runs counts four times.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import lighthouse, { type RunnerResult } from 'lighthouse';
import { chromium } from 'playwright-core';
import { sampleEvidence } from '#test/sample-evidence.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';

type Result = RunnerResult['lhr'];
const categories = ['performance', 'accessibility', 'best-practices'] as const;
const port = Number(process.env.DEBUG_PORT ?? 9_333);
const now = Date.now();
const drawn = sampleSnapshot({ providers: 20, modelsPerProvider: 8, hostile: false, now });
const snapshot = { ...drawn, staleAfter: new Date(now + 3_600_000).toISOString() };
const server = await serveSample({ evidence: sampleEvidence(now), now: Date.now });
await server.publish(snapshot);
// Lighthouse opens each page in a tab. Without a window it is in a new one each time, and the parts of the browser's own window, pages too, are
// loaded beside the page that is measured: "Hello" alone was then blocked for 22 to 391 ms (91 to 100 points), with a window for 0 to 15 (100).
const profile = await mkdtemp(join(tmpdir(), 'linnet-lighthouse-'));
const browser = await chromium.launchPersistentContext(profile, {
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', `--remote-debugging-port=${port}`],
});
await pause(3_000);
const runs = Number(process.argv[2] ?? 3);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`Expected the count of runs to be a whole number of at least 1, got \`${process.argv[2]}\``);
const scoreOf = (lhr: Result, id: string) => Math.round((lhr.categories[id]?.score ?? 0) * 100);
for (const path of ['', `target/${snapshot.targets[1]?.slug}.html`]) {
	const found: Result[] = [];
	for (let run = 0; run < runs; run++) {
		const result = await lighthouse(`${server.url}/${path}`, { port, onlyCategories: [...categories], logLevel: 'error' });
		if (result === undefined) throw new Error('Expected a result of Lighthouse');
		found.push(result.lhr);
	}
	console.log(`\n${path || 'overview'}, this machine's speed index ${found.map(({ environment }) => environment.benchmarkIndex).join(', ')}`);
	for (const id of categories) {
		const median = found.toSorted((a, b) => scoreOf(a, id) - scoreOf(b, id))[Math.floor((runs - 1) / 2)];
		if (median === undefined) throw new Error('Expected a run');
		const lost = (median.categories[id]?.auditRefs ?? [])
			.filter((audit) => audit.weight > 0 && (median.audits[audit.id]?.score ?? 1) < 1)
			.map((audit) => `${audit.id} ${median.audits[audit.id]?.displayValue ?? ''}`);
		console.log(`  ${id.padEnd(16)} ${scoreOf(median, id)} (${found.map((lhr) => scoreOf(lhr, id)).join(', ')})  ${lost.join('; ')}`);
	}
}
await browser.close();
await rm(profile, { recursive: true });
await server.close();
