// The search field: every word typed must stand in the name. Loaded when the field is first used; the list lies over the page, so nothing moves.
const field = document.getElementById('find');
const say = document.getElementById('say');
const main = document.querySelector('main');
const root = field.dataset.root;
const shownCount = 40;
const list = Object.assign(document.createElement('ul'), { id: 'found', hidden: true });
list.setAttribute('aria-label', 'Found');
field.after(list);

let names = null;
let askedAt = 0;

async function ask() {
	const response = await fetch(`${root}names.json`, { cache: 'no-cache', signal: AbortSignal.timeout(10_000) });
	if (!response.ok) throw new Error(`names ${response.status}`);
	return response.json();
}

/** Asked again after a minute, since the marks grow old; keys pressed meanwhile wait for one answer. */
function load() {
	if (names === null || performance.now() - askedAt > 60_000) {
		askedAt = performance.now();
		names = ask();
		names.catch(() => {
			names = null;
		});
	}
	return names;
}

function item([name, path, mark]) {
	const link = Object.assign(document.createElement('a'), { href: root + path });
	const kind = path.slice(0, path.indexOf('/'));
	const state = { up: 'operational', slow: 'degraded', part: 'partial outage', down: 'major outage', care: 'maintenance', none: 'unknown' }[mark];
	const stale = 'stale' in document.documentElement.dataset;
	link.append(Object.assign(document.createElement('b'), { textContent: name }), ` ${kind}, `);
	const word = Object.assign(document.createElement('em'), { textContent: stale ? 'unknown' : state });
	word.dataset.s = stale ? 'none' : mark;
	link.append(word);
	const entry = document.createElement('li');
	entry.append(link);
	return entry;
}

function note(text) {
	return Object.assign(document.createElement('li'), { className: 'q', textContent: text });
}

async function find() {
	const wanted = field.value;
	const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
	list.hidden = words.length === 0;
	if (list.hidden) return;
	let all;
	try {
		all = await load();
	} catch {
		list.replaceChildren(note('The list of names can’t be read now.'));
		return;
	}
	if (wanted !== field.value) return;
	const found = all.filter(([name]) => words.every((word) => name.toLowerCase().includes(word)));
	const rest = found.length - shownCount;
	list.replaceChildren(
		...found.slice(0, shownCount).map(item),
		...(found.length === 0 ? [note('Nothing by that name.')] : rest > 0 ? [note(`and ${rest} more`)] : []),
	);
	say.textContent = `${found.length} found`;
}

function close() {
	list.hidden = true;
}

field.addEventListener('input', find);
// Coming back from the list must not draw it anew under the reader.
field.addEventListener('focus', () => list.hidden && find());
field.parentElement.addEventListener('keydown', (event) => {
	const stops = [field, ...list.querySelectorAll('a')];
	const at = stops.indexOf(document.activeElement);
	const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
	if (event.key === 'Escape') {
		field.focus();
		close();
	} else if (event.key === 'Enter' && at === 0) stops[1]?.click();
	else if (to !== undefined) stops[Math.max(0, Math.min(to, stops.length - 1))].focus();
	else return;
	event.preventDefault();
});
field.parentElement.addEventListener('focusout', (event) => field.parentElement.contains(event.relatedTarget) || close());
main.addEventListener('pointerdown', close);
if (field.value) find();
