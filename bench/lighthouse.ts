/**
 * `node bench/lighthouse.ts`: Lighthouse's scores of the overview of 160 targets and of a target's page, on its default slow phone, with what cost points.
 * Wants an idle machine: the processor is slowed fourfold in the arithmetic, so whatever else runs counts four times.
 */
import lighthouse from 'lighthouse';
import { chromium } from 'playwright-core';
import { sampleEvidence } from '#test/sample-evidence.ts';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';

const port = Number(process.env.DEBUG_PORT ?? 9_333);
const now = Date.now();
const drawn = sampleSnapshot({ providers: 20, modelsPerProvider: 8, hostile: false, now });
const snapshot = { ...drawn, staleAfter: new Date(now + 3_600_000).toISOString() };
const server = await serveSample({ evidence: sampleEvidence(now), now: Date.now });
await server.publish(snapshot);
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', `--remote-debugging-port=${port}`],
});
for (const path of ['', `target/${snapshot.targets[1]?.slug}.html`]) {
	const result = await lighthouse(`${server.url}/${path}`, { port, onlyCategories: ['performance', 'accessibility', 'best-practices'], logLevel: 'error' });
	if (result === undefined) throw new Error('Expected a result of Lighthouse');
	const { audits, categories, environment } = result.lhr;
	console.log(`\n${path || 'overview'}, this machine's speed index ${environment.benchmarkIndex}`);
	for (const { title, score, auditRefs } of Object.values(categories)) {
		const lost = auditRefs.filter(({ id, weight }) => weight > 0 && (audits[id]?.score ?? 1) < 1).map(({ id }) => `${id} ${audits[id]?.displayValue ?? ''}`);
		console.log(`  ${title.padEnd(16)} ${score === null ? 'none' : Math.round(score * 100)}  ${lost.join('; ')}`);
	}
}
await browser.close();
await server.close();
