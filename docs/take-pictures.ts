/** `npm run pictures`: the README's pictures, taken of the demo as it runs on http://127.0.0.1:8080 (or PORT). */
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const base = `http://127.0.0.1:${process.env.PORT ?? 8080}`;
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
});

interface Picture {
	readonly name: string;
	readonly path: string;
	readonly width: number;
	readonly height: number;
	readonly dark?: boolean;
}

const verdicts = (await (await fetch(`${base}/v1/targets`)).json()) as { targets: { slug: string; state: string }[] };
const worst = verdicts.targets.find(({ state }) => state === 'major_outage') ?? verdicts.targets[0];
const pictures: Picture[] = [
	{ name: 'overview', path: '/', width: 1280, height: 1000 },
	{ name: 'overview-dark', path: '/', width: 1280, height: 1000, dark: true },
	{ name: 'models', path: '/models.html', width: 1280, height: 1000 },
	{ name: 'target', path: `/target/${worst?.slug}.html`, width: 1280, height: 1100 },
	{ name: 'phone', path: '/', width: 390, height: 844 },
];
for (const { name, path, width, height, dark } of pictures) {
	const page = await browser.newPage({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light' });
	await page.goto(base + path, { waitUntil: 'networkidle' });
	await page.screenshot({ path: join(import.meta.dirname, `${name}.png`) });
	await page.close();
	console.log(`docs/${name}.png`);
}
await browser.close();
