import { dirname, join, normalize } from 'node:path/posix';
import { brotliCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import { states, stateWords } from '#core/state.ts';
import { largeFleet } from '#test/large-fleet.ts';
import { sampleTargetEvidence } from '#test/sample-evidence.ts';
import { sampleNow, sampleSnapshot } from '#test/sample-snapshot.ts';
import { renderHistory } from './render-history.ts';
import { renderModel, renderModels } from './render-models.ts';
import { renderOverview } from './render-overview.ts';
import { renderProvider } from './render-provider.ts';
import { renderSite } from './render-site.ts';

const snapshot = sampleSnapshot({ providers: 7, modelsPerProvider: 8 });
const site = renderSite(snapshot, { now: sampleNow + 14_000, evidence: sampleTargetEvidence(snapshot) });
const pages = [...site].filter(([path]) => path.endsWith('.html'));

function page(path: string, from = site): string {
	const content = from.get(path);
	if (content === undefined) throw new Error(`Expected ${path} to be rendered`);
	return content;
}

/** No value holds a raw `>`: escaping sees to that, and the hostile names would show if it didn't. */
function tagsOf(content: string): string[] {
	return content.match(/<[a-z][^>]*>/gi) ?? [];
}

/** Names and values, in order; a quoted value that looks like an attribute is none. */
function attributesOf(tag: string): (readonly [string, string])[] {
	return [...tag.slice(1).matchAll(/\s([^\s=>"]+)(?:=(?:"([^"]*)"|([^\s">]+)))?/g)].map((match) => [match[1] ?? '', match[2] ?? match[3] ?? ''] as const);
}

function linksOf(content: string): string[] {
	return tagsOf(content)
		.flatMap((tag) => attributesOf(tag).filter(([name]) => name === 'href' || name === 'src'))
		.map(([, value]) => value);
}

function size(content: string): { raw: number; brotli: number } {
	return { raw: Buffer.byteLength(content), brotli: brotliCompressSync(content).length };
}

describe('the budget', () => {
	const big = renderSite(sampleSnapshot({ providers: 20, modelsPerProvider: 8, hostile: false }), { now: sampleNow });

	test('an overview of 160 targets × 90 days, its style sheet in it, is at most 100 KB, 15 KB compressed', () => {
		const { raw, brotli } = size(page('index.html', big));
		expect(page('index.html', big).match(/<details /g)).toHaveLength(160);
		expect(page('index.html', big)).toContain(`<style>${page('assets/site.css', big)}</style>`);
		expect(raw).toBeLessThanOrEqual(100 * 1_024);
		expect(brotli).toBeLessThanOrEqual(15 * 1_024);
	});

	test('is painted from one answer: what else it asks for, holds nothing up', () => {
		const blocking = tagsOf(page('index.html', big)).filter((tag) => /^<link[^>]* rel="?stylesheet/.test(tag) || /^<script(?![^>]* defer)/.test(tag));
		expect(blocking).toEqual([]);
	});

	test('its style sheet is at most 8 KB and its script 6 KB', () => {
		expect(size(page('assets/site.css', big)).raw).toBeLessThanOrEqual(8 * 1_024);
		const scripts = [...page('index.html', big).matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, src]) => page(src ?? '', big));
		expect(scripts.reduce((sum, script) => sum + size(script).raw, 0)).toBeLessThanOrEqual(6 * 1_024);
	});
});

describe('a large fleet', () => {
	const flat = (copies: number) => largeFleet(1, copies);
	/** All of one provider, all of one model, or each of a provider of its own. */
	const regroup = (copies: number, by: 'provider' | 'model' | 'each'): Snapshot => {
		const fleet = flat(copies);
		const ids = fleet.targets.map(({ id }) => id);
		const whole = (group: Snapshot['models'][number]) => [{ ...group, targetIds: ids }];
		const [provider, model] = [fleet.providers[0], fleet.models[0]];
		if (provider === undefined || model === undefined) throw new Error('Expected a fleet with a provider and a model');
		if (by === 'model') return { ...fleet, models: whole(model) };
		if (by === 'provider') return { ...fleet, providers: [{ ...provider, targetIds: ids }] };
		const each = fleet.targets.map(({ id, state }) => ({ ...provider, id: `p-${id}`, name: `Provider ${id}`, state, targetIds: [id] }));
		return { ...fleet, providers: each, models: each };
	};

	test.each([
		['1,000 targets', () => flat(5)],
		['5,000 targets', () => flat(25)],
		['5,000 targets of one provider', () => regroup(25, 'provider')],
		['5,000 providers of one model', () => regroup(25, 'model')],
		['5,000 providers and 5,000 models', () => regroup(25, 'each')],
	])('%s make no page above 1 MB', (_, make) => {
		const fleet = make();
		const context = { snapshot: fleet, now: sampleNow, stale: false, apiBase: '', evidence: null };
		const [provider, model] = [fleet.providers[0], fleet.models[0]];
		if (provider === undefined || model === undefined) throw new Error('Expected a provider and a model');
		const boards = new Map<string, string | null>([
			['index.html', renderOverview(context)],
			['history.html', renderHistory(context)],
			['a model', renderModel(context, model)],
			...renderModels(context),
			...renderProvider(context, provider),
		]);
		const tooLarge = [...boards].filter(([, content]) => Buffer.byteLength(content ?? '') > 1_000_000).map(([path]) => path);
		expect(tooLarge).toEqual([]);
	});

	test('shows what is not well on its first page, and every target on the pages of its provider, once', () => {
		const fleet = regroup(12, 'provider');
		const context = { snapshot: fleet, now: sampleNow, stale: false, apiBase: '', evidence: null };
		const [only] = fleet.providers;
		if (only === undefined) throw new Error('Expected the provider');
		const large = new Map([
			['index.html', renderOverview(context)],
			...[...renderProvider(context, only)].map(([path, content]) => [path, content ?? ''] as const),
		]);
		const rowsOf = (path: string) => page(path, large).match(/<details .*?<\/details>/g) ?? [];
		const states = rowsOf('index.html').map((row) => /data-s=(\w+)/.exec(row)?.[1]);
		expect(states).toHaveLength(400);
		expect(new Set(states)).toEqual(new Set(['down', 'part', 'slow', 'none']));
		const name = `provider/${only.id}`;
		const linked = [`${name}.html`, `${name}_p2.html`, `${name}_p3.html`].flatMap(rowsOf).map((row) => /target\/([^>]+)\.html/.exec(row)?.[1]);
		expect(linked).toHaveLength(2_400);
		expect(new Set(linked)).toEqual(new Set(fleet.targets.map(({ slug }) => slug)));
		expect(large.has(`${name}_p4.html`)).toBe(false);
		expect(page('index.html', large)).toContain('All 2,400 targets');
	});

	test('is found by name: names.json lists every provider, model and target with the file that is there', () => {
		const names = JSON.parse(page('names.json')) as [string, string, string][];
		expect(names).toHaveLength(snapshot.providers.length + snapshot.models.length + snapshot.targets.length);
		expect(names.filter(([, path]) => !site.has(path))).toEqual([]);
	});
});

/** What is measured: a ratio, then its counts and interval, whatever tags stand between; in the table of windows the interval has a column. */
const provenShares = [
	/−?[\d.]+ %[|\s(]*(?:all )?[\d,.]+(?: of [\d,.]+)?[a-z ]*, −?[\d.]+(?:–| to )−?[\d.]+/g,
	/[\d.]+ %[|\s]*[\d.]+ to [\d.]+ %[|\s]*[\d,]+[|\s]*[\d,]+[|\s]*[\d,]+/g,
	// What is no measurement: what was promised, and the words of the method.
	/ [\d.]+ % over \d+ d/g,
	/95 % (?:Wilson )?interval/g,
	/99\.9999 % does not become 100 %|5 % buckets|within 2\.5 %/g,
];

describe('every page', () => {
	test('links only to files that are there, or to the API', () => {
		const apiPaths = /^(v1\/|openapi\.json$|history\.(atom|rss)$|metrics$)/;
		const dead = pages.flatMap(([path, content]) =>
			linksOf(content)
				.map((link) => link.replaceAll('&amp;', '&'))
				.filter((link) => !link.startsWith('#') && !link.startsWith('https://status.'))
				.filter((link) => {
					const place = normalize(join(dirname(path), link.split('?')[0] ?? ''));
					return !site.has(place) && !apiPaths.test(place);
				})
				.map((link) => `${path}: ${link}`),
		);
		expect(dead).toEqual([]);
	});

	test('asks nobody else for anything, and holds no script and no style but the site’s own sheet', () => {
		const foreign = /^(?:https?:)?\/\//;
		const faults = pages.flatMap(([path, content]) =>
			tagsOf(content.replace(`<style>${page('assets/site.css')}</style>`, ''))
				.filter((tag) => {
					const attributes = attributesOf(tag);
					const isInline =
						/^<(?:style|iframe|img|object|embed|base)\b/.test(tag) || (tag.startsWith('<script') && !attributes.some(([name]) => name === 'src'));
					const isLoading = /^<(?:script|link)\b/.test(tag);
					return isInline || attributes.some(([name, value]) => /^(?:style|on[a-z]+)$/.test(name) || (isLoading && foreign.test(value)));
				})
				.map((tag) => `${path}: ${tag}`),
		);
		expect(faults).toEqual([]);
		for (const sheet of ['assets/site.css', 'assets/detail.css', 'assets/uplot.css']) expect(page(sheet)).not.toMatch(/url\((?!#)|@import|@font-face/);
	});

	test('gives every percentage with its counts and its interval', () => {
		expect(page('index.html')).toContain('99.930 %<i>1,439 of 1,440, 99.60–99.98</i>');
		const bare = pages.flatMap(([path, content]) => {
			const labels = tagsOf(content).flatMap((tag) => attributesOf(tag).filter(([name, value]) => name !== 'href' && name !== 'content' && / %/.test(value)));
			const text = content.replace(/<[^>]*>/g, '|');
			const rest = provenShares.reduce((left, pattern) => left.replace(pattern, ''), text);
			return [...labels.map(([, value]) => value), ...(rest.match(/.{0,60}\d %.{0,60}/g) ?? [])].map((found) => `${path}: ${found}`);
		});
		expect(bare).toEqual([]);
		expect(page('how.html')).toContain('−131.5 %<small>100 of 43.2 allowed bad used, −181.5 to −90.4; used up</small>');
	});

	test('says that the data is simulated, and does not when it is not', () => {
		const silent = (from: Iterable<[string, string]>) =>
			[...from].filter(([path, content]) => path.endsWith('.html') && !content.includes('Simulated fleet.')).map(([path]) => path);
		expect(silent(site)).toEqual([]);
		const real = renderSite({ ...snapshot, simulated: false }, { now: sampleNow });
		expect(silent(real)).toHaveLength(pages.length);
	});

	test('shows hostile names as text', () => {
		const text = pages.map(([, content]) => content).join('');
		expect(['<script>alert', '<img', '<b>"&'].filter((markup) => text.includes(markup))).toEqual([]);
		expect(page('index.html')).toContain('acme/&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
	});
});

describe('the overview', () => {
	test('names every target once, with its state in words', () => {
		const rows = [...page('index.html').matchAll(/<details data-s=(\w+)><summary><b>.*?<em>(.*?)<\/em>/g)];
		expect(rows).toHaveLength(snapshot.targets.length);
		const words = rows.map(([, , word]) => word);
		const shown = snapshot.providers.flatMap((provider) => provider.targetIds.map((id) => snapshot.targets.find((target) => target.id === id)));
		expect(words).toEqual(shown.map((target) => stateWords[target?.state ?? 'unknown']));
		for (const state of states) expect(words).toContain(stateWords[state]);
	});

	test('never rounds up to 100', () => {
		const almost = { good: 9_999_999, bad: 1, excluded: 0, ratio: 0.9999999, low: 0.9999994, high: 0.9999999 };
		const targets = snapshot.targets.map((target) => ({ ...target, availability: { ...target.availability, '1d': almost } }));
		const rows = page('index.html', renderSite({ ...snapshot, targets }, { now: sampleNow })).match(/<details .*?<\/details>/g) ?? [];
		expect(rows.filter((row) => /<span>100 %/.test(row) || /–100</.test(row))).toEqual([]);
		expect(rows.length).toBe(snapshot.targets.length);
	});

	test('shows no data as no data', () => {
		const blank = snapshot.targets.find((target) => target.state === 'unknown');
		const row = (page('index.html').match(/<details .*?<\/details>/g) ?? []).find((found) => found.includes(`target/${blank?.slug}.html`));
		expect(row).toContain('data-s=none');
		expect(row).toContain('<span>no data');
		expect(row).not.toContain('100 %');
	});

	test('lists open incidents before the providers, with what was measured', () => {
		const content = page('index.html');
		expect(content.indexOf('open incidents')).toBeGreaterThan(0);
		expect(content.indexOf('open incidents')).toBeLessThan(content.indexOf('<details'));
		expect(content).toContain('13 of 16 valid results bad: server_error 9, first_token_timeout 4');
	});

	test('lists open incidents the worst first, and those of one impact in their order', () => {
		const [one] = snapshot.incidents.filter(({ resolvedAt }) => resolvedAt === null);
		if (one === undefined) throw new Error('Expected the sample to have an open incident');
		const impacts = ['minor', 'critical', 'major', 'critical'] as const;
		const incidents = impacts.map((impact, i) => ({ ...one, id: `i-${i}`, impact, title: `Trouble ${i}.` }));
		const content = page('index.html', renderSite({ ...snapshot, incidents }, { now: sampleNow }));
		expect(content.match(/Trouble \d(?=\.)/g)?.filter((title, i, all) => all.indexOf(title) === i)).toEqual([
			'Trouble 1',
			'Trouble 3',
			'Trouble 2',
			'Trouble 0',
		]);
	});

	test('a target says how often it is probed, and when a short budget makes it rarer', () => {
		const [calm, short, ...others] = snapshot.targets;
		if (calm === undefined || short === undefined) throw new Error('Expected two sample targets');
		const own = { ...calm, intervalMs: 30_000, plannedIntervalMs: 30_000 };
		const made = renderSite({ ...snapshot, targets: [own, { ...short, plannedIntervalMs: 480_000 }, ...others] }, { now: sampleNow });
		expect(page(`target/${calm.slug}.html`, made)).toContain('Probed every 30 s. ');
		expect(page(`target/${short.slug}.html`, made)).toContain('Probed every 8 min instead of every 1 min: the day’s budget is short');
		const { intervalMs: _, plannedIntervalMs: __, ...older } = calm;
		const kept = { ...snapshot, targets: [older, short, ...others] } as unknown as Snapshot;
		expect(page(`target/${calm.slug}.html`, renderSite(kept, { now: sampleNow }))).toContain('Probed every 1 min. ');
	});

	test('an empty fleet renders, without a claim', () => {
		const empty = {
			...snapshot,
			targets: [],
			providers: [],
			models: [],
			incidents: [],
			vantages: [],
			state: 'unknown' as const,
			sentence: 'Nothing measured yet',
		};
		expect(page('index.html', renderSite(empty, { now: sampleNow }))).toContain('Nothing measured yet');
	});
});

test('a stale record takes over the headline, and nothing in it is green', () => {
	const stale = renderSite(snapshot, { now: Date.parse(snapshot.staleAfter) + 600_000 });
	const content = page('index.html', stale);
	expect(content).toContain('The data is out of date: every state is unknown');
	expect(content).toContain('It is 11 min old');
	const green = [...stale].filter(([path, text]) => path.endsWith('.html') && tagsOf(text).some((tag) => /data-s="?up/.test(tag))).map(([path]) => path);
	expect(green).toEqual([]);
});

test('ids that differ only in punctuation or case have pages of their own', () => {
	const paths = snapshot.targets.map((target) => `target/${target.slug}.html`);
	expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(snapshot.targets.length);
	for (const path of paths) expect(site.has(path)).toBe(true);
});

test('the same snapshot at the same time renders the same bytes', () => {
	expect([...renderSite(snapshot, { now: sampleNow + 14_000, evidence: sampleTargetEvidence(snapshot) })]).toEqual([...site]);
});

test('an API that lives elsewhere is linked there', () => {
	const exported = page('index.html', renderSite(snapshot, { now: sampleNow, base: 'https://api.example.org' }));
	expect(exported).toContain('data-api="https://api.example.org/"');
	expect(exported).toContain('href="https://api.example.org/v1/health"');
});
