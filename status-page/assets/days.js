// The bars by keyboard and pointer: left and right walk the days, up and down the rows, Home and End the ends, Escape closes.
const main = document.querySelector('main');
const say = document.getElementById('say');
const tip = Object.assign(document.createElement('div'), { id: 'tip', popover: 'manual' });
tip.setAttribute('role', 'tooltip');
document.body.append(tip);
let day = 89;

/** What the row's own list says of a day; it stays silent about good ones. */
function wordsOf(row, index) {
	const today = Date.parse(`${main.dataset.generated.slice(0, 10)}T00:00:00Z`);
	const dateOf = (back) =>
		new Date(today - back * 86_400_000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' }).replace('Sept', 'Sep');
	const date = dateOf(89 - index);
	const dates = Array.from({ length: 90 }, (_, i) => dateOf(89 - i));
	for (const [, kind, list] of row.querySelector('p:last-of-type').textContent.matchAll(/(Down|Degraded|Maintenance|No data) ([^.]+)\./g)) {
		for (const entry of list.split(', ')) {
			const [from, to = from] = entry.replace(/ <?\d+ min$/, '').split(' to ');
			if (index >= dates.indexOf(from) && index <= dates.indexOf(to)) return `${date}: ${kind.toLowerCase()}${entry.match(/ <?\d+ min$/)?.[0] ?? ''}`;
		}
	}
	return `${date}: no confirmed outage`;
}

function show(row, index, aloud) {
	day = index;
	const bars = row.querySelector('svg').getBoundingClientRect();
	tip.textContent = `${wordsOf(row, index)} (UTC)`;
	if (aloud) say.textContent = tip.textContent;
	tip.showPopover();
	const x = bars.right - (90 - index) * 4;
	tip.style.inset = `${bars.top - tip.offsetHeight - 6}px auto auto ${Math.max(4, Math.min(x - tip.offsetWidth / 2, innerWidth - tip.offsetWidth - 4))}px`;
}

const hide = () => tip.hidePopover();
const rowOf = (event) => event.target.closest?.('summary:has(svg)')?.parentElement;

main.addEventListener('keydown', (event) => {
	const row = rowOf(event);
	if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
	const first = 90 - row.querySelector('svg').clientWidth / 4;
	const to = { ArrowLeft: Math.max(first, day - 1), ArrowRight: Math.min(89, day + 1), Home: first, End: 89 }[event.key];
	const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
	if (to !== undefined) show(row, to, true);
	else if (step) {
		const rows = [...main.querySelectorAll('summary:has(svg)')];
		rows[rows.indexOf(event.target) + step]?.focus();
	} else return;
	event.preventDefault();
});
addEventListener('keydown', (event) => event.key === 'Escape' && hide());
main.addEventListener('pointermove', (event) => {
	const bars = event.target.closest?.('summary svg');
	if (!bars || event.pointerType === 'touch') return;
	show(rowOf(event), Math.max(0, Math.min(89, 89 - Math.floor((bars.getBoundingClientRect().right - event.clientX) / 4))), false);
});
// The tip may be pointed at without vanishing (WCAG 1.4.13).
main.addEventListener('pointerout', (event) => event.target.closest?.('svg') && event.relatedTarget !== tip && hide());
tip.addEventListener('pointerleave', hide);
main.addEventListener('focusout', hide);
addEventListener('scroll', hide, { passive: true });
