// Keeps the page true while it is open: ages tick, verdicts are polled, a change swaps the content in place. The page is complete without it.

/** State → [mark, word]; the same as core/state.ts and state-mark.ts. */
const states = {
	operational: ['up', 'Operational'],
	degraded_performance: ['slow', 'Degraded performance'],
	partial_outage: ['part', 'Partial outage'],
	major_outage: ['down', 'Major outage'],
	under_maintenance: ['care', 'Under maintenance'],
	unknown: ['none', 'Unknown'],
};
const pollMs = 15_000;
const refreshMs = 60_000;
const root = document.documentElement;
const main = document.querySelector('main');
const [net, say, find] = ['net', 'say', 'find'].map((id) => document.getElementById(id));
const all = (selector, from = main) => [...from.querySelectorAll(selector)];

let etag = null;
let revision = main.dataset.revision;
let failures = 0;
/** Server clock minus ours, ms: a wrong local clock must not make fresh data look stale. */
let skewMs = 0;
let loadedAt = performance.now();
/** When the content on show was made; the data's own age goes on with each poll. */
let shown = main.dataset.generated;
let timer = 0;
const now = () => Date.now() + skewMs;

/** @param {number} ms */
function duration(ms) {
	const s = Math.max(0, Math.round(ms / 1000));
	if (s < 60) return `${s} s`;
	const m = Math.floor(s / 60);
	if (m < 60) return `${m} min`;
	return m < 1440 ? `${Math.floor(m / 60)} h ${m % 60} min` : `${Math.floor(m / 1440)} d ${Math.floor(m / 60) % 24} h`;
}

/** The reader's own time beside UTC: on pointing, and in words where a time is the matter. By arithmetic: Intl's zone names cost a slow phone 300 ms. */
function localise() {
	const iso = (min) => new Date(min * 6e4).toISOString();
	for (const time of all('time:not([data-age])', document)) {
		const at = new Date(time.dateTime);
		const east = -at.getTimezoneOffset();
		const [day, clock] = iso(at / 6e4 + east).split('T');
		time.title = `${day} ${clock.slice(0, 5)} UTC${east < 0 ? '-' : '+'}${iso(Math.abs(east)).slice(11, 16)}`;
		if (east && time.closest('dd, .line, .say')) time.dataset.local = time.title;
	}
}

function markPage(mark, title) {
	root.dataset.s = mark;
	document.title = title;
	const icon = document.querySelector('link[rel=icon]');
	icon.href = icon.href.replace(/[a-z]+\.svg$/, `${mark}.svg`);
}

function tick() {
	const age = duration(now() - Date.parse(main.dataset.generated));
	for (const time of all('time[data-age]')) {
		const text = `${duration(now() - Date.parse(time.dateTime))} ago`;
		if (time.textContent !== text) time.textContent = text;
	}
	const stale = now() > Date.parse(main.dataset.staleAfter);
	if (stale && !('stale' in root.dataset)) {
		root.dataset.stale = '';
		for (const word of all('em')) word.textContent = 'Unknown';
		say.textContent = 'The data is out of date: every state is unknown';
		for (const h of all('#verdict')) h.textContent = say.textContent;
		markPage('none', `Out of date – ${document.title}`);
	}
	net.hidden = !(failures || stale);
	if (failures) net.textContent = `Offline: no answer from the API. This is the record of ${age} ago. Trying again.`;
	else if (stale) net.textContent = `This record is ${age} old${find.hidden ? '' : ' and has not been renewed'}.`;
}

/** The id in a link to a target's page: core/target.ts fileSlug, backwards. */
function idOf(link) {
	const [, slug] = /([^/]+)\.html$/.exec(link.getAttribute('href'));
	return decodeURIComponent(slug.replace(/%/g, '%25').replace(/__|_-|_([0-9a-f]{2})/g, (all, hex) => (hex ? `%${hex}` : all === '__' ? '/' : ':')));
}

function patch(targets) {
	for (const row of all('details[data-s]')) {
		const verdict = targets[idOf(row.querySelector('a'))];
		const [mark, word] = states[verdict?.state] ?? [];
		if (!mark || row.dataset.s === mark) continue;
		row.dataset.s = mark;
		row.querySelector('em').textContent = word;
		say.textContent = `${row.querySelector('b').textContent}: ${word}. ${verdict.reason}`;
	}
}

const keyOf = (node) =>
	node.closest('details') && node.matches('summary, details')
		? `d ${node.closest('details').querySelector('a')?.getAttribute('href')}`
		: `a ${node.getAttribute?.('href')}`;

/** The page's own new content, without moving the reader: focus, open rows and kept nodes stay. */
async function swap() {
	const response = await fetch(location.href, { cache: 'no-cache' });
	if (!response.ok) throw new Error(`page ${response.status}`);
	const page = new DOMParser().parseFromString(await response.text(), 'text/html');
	const fresh = page.querySelector('main');
	loadedAt = performance.now();
	if (fresh.dataset.generated === shown && root.dataset.stale == null) return;
	const open = new Set(all('details[open]').map(keyOf));
	const at = document.activeElement;
	const focus = at !== main && main.contains(at) ? keyOf(at) : null;
	for (const kept of all('[data-keep]')) fresh.querySelector(`#${kept.id}`)?.replaceWith(kept);
	for (const row of all('details', fresh)) row.open ||= open.has(keyOf(row));
	main.replaceChildren(...fresh.childNodes);
	Object.assign(main.dataset, fresh.dataset);
	({ revision, generated: shown } = main.dataset);
	delete root.dataset.stale;
	localise();
	if (focus)
		all('summary, a')
			.find((node) => keyOf(node) === focus)
			?.focus({ preventScroll: true });
	markPage(page.documentElement.dataset.s, page.title);
	dispatchEvent(new Event('linnet:swap'));
}

async function poll() {
	clearTimeout(timer);
	if (document.hidden) return;
	try {
		const response = await fetch(`${main.dataset.api}v1/verdicts`, {
			cache: 'no-store',
			headers: etag ? { 'If-None-Match': etag } : {},
			signal: AbortSignal.timeout(10_000),
		});
		if (!response.ok && response.status !== 304) throw new Error(`verdicts ${response.status}`);
		const date = Date.parse(response.headers.get('Date'));
		if (date) skewMs = date - Date.now();
		const isNew = etag && response.ok;
		const [generated, until, told] = ['Generated-At', 'Stale-After', 'Revision'].map((name) => response.headers.get(`Linnet-${name}`));
		// A static host tells none of them: then the page's own deadline stands.
		if (generated && until) {
			Object.assign(main.dataset, { generated, staleAfter: until });
			for (const checked of all('#checked time')) checked.dateTime = generated;
		}
		if (response.ok) {
			etag = response.headers.get('ETag');
			const { targets } = await response.json();
			if (told !== revision && now() <= Date.parse(main.dataset.staleAfter)) patch(targets);
		}
		if (isNew || (told && told !== revision) || performance.now() - loadedAt > refreshMs) await swap();
		failures = 0;
	} catch {
		// Told to the reader by tick(); the next attempt comes later and later.
		failures += 1;
	}
	tick();
	timer = setTimeout(poll, Math.min(pollMs * 2 ** Math.min(failures, 4), 240_000) * (0.8 + Math.random() * 0.4));
}

// A folder answers no request.
find.hidden = location.protocol === 'file:';
localise();
setInterval(tick, 1000);
tick();
if (!find.hidden) {
	// The bars' own keys and tips come when a row is first touched.
	for (const kind of ['focusin', 'pointerover']) main.addEventListener(kind, () => import('./days.js'), { once: true });
	find.addEventListener('focus', () => import('./find.js'), { once: true });
	document.addEventListener('visibilitychange', poll);
	addEventListener('online', poll);
	poll();
}
