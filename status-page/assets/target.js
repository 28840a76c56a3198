// The part of a target's page that is drawn in the browser: latency over time, fine enough to point at.

/** The chart library, asked for once, when a chart is. */
let library = null;

const ms = (value) => (value === null || value === undefined ? '–' : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`);
const clock = (iso) => `${iso.slice(5, 10)} ${iso.slice(11, 19)}`;

/** A mark of the time axis, UTC: the date where a day begins. */
function hour(at) {
	const iso = new Date(at * 1000).toISOString();
	return iso.slice(11, 16) === '00:00' ? iso.slice(5, 10) : iso.slice(11, 16);
}

/** An element with text or children; text is never parsed as markup. */
function make(name, content = '', attributes = {}) {
	const node = document.createElement(name);
	node.append(...(Array.isArray(content) ? content : [content]));
	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
	return node;
}

function table(caption, heads, rows) {
	const cells = (row) =>
		make(
			'tr',
			row.map((cell, index) => (index === 0 ? make('th', cell, { scope: 'row' }) : make('td', cell))),
		);
	const head = make('thead', [
		make(
			'tr',
			heads.map((text) => make('th', text, { scope: 'col' })),
		),
	]);
	return make('table', [make('caption', caption), head, make('tbody', rows.map(cells))], { class: 'num rows' });
}

async function get(url) {
	const response = await fetch(url, { signal: AbortSignal.timeout(15_000) });
	const body = await response.json();
	if (!response.ok) throw new Error(body.detail ?? `HTTP ${response.status}`);
	return body;
}

/** Replaces what stands in the box; says so when it can't. */
async function draw() {
	const box = document.getElementById('chart');
	try {
		await drawChart(box, await get(box.dataset.series));
	} catch (error) {
		box.replaceChildren(make('p', `Not available now: ${error.message}. `, { class: 'q' }), make('a', 'The same as JSON', { href: box.dataset.series }));
	}
}

/** A line where the target began to be probed in another way. */
function drawMarks(chart, marks, stroke) {
	const { ctx, bbox } = chart;
	ctx.save();
	ctx.strokeStyle = stroke;
	ctx.setLineDash([2, 4]);
	for (const { at } of marks) {
		const x = Math.round(chart.valToPos(Date.parse(at) / 1000, 'x', true));
		ctx.beginPath();
		ctx.moveTo(x, bbox.top);
		ctx.lineTo(x, bbox.top + bbox.height);
		ctx.stroke();
	}
	ctx.restore();
}

function markList(marks) {
	// What is long or private is told by a hash, which says nothing to a person.
	const value = ({ before, after }) => (/^[0-9a-f]{16}$/.test(after || before) ? '' : `: ${before || 'none'} → ${after || 'none'}`);
	const items = marks.map((mark) => make('li', `${clock(mark.at)} UTC, ${mark.aspect}${value(mark)}`));
	const words = 'Dotted lines: from then on we probe in another way. A step there is ours, not the provider’s.';
	return make('div', [make('p', words, { class: 'q' }), make('ul', items, { class: 'plain' })]);
}

async function drawChart(box, series) {
	const points = series.points;
	const marks = series.marks ?? [];
	if (points.every((point) => point.ttftMs === null)) {
		box.replaceChildren(make('p', 'No latency measured in this time.', { class: 'q' }));
		return;
	}
	library ??= import('./uplot.js');
	const { default: uPlot } = await library;
	box.replaceChildren();
	const style = getComputedStyle(document.documentElement);
	const colour = (name) => style.getPropertyValue(name).trim();
	const pick = (name) => points.map((point) => point.ttftMs?.[name] ?? null);
	const frame = make('div', '', {
		role: 'img',
		'aria-label': 'Time to first token over time: median, p90, p95 and p99; the table below holds the same numbers',
	});
	box.append(frame);
	const axis = { stroke: colour('--mute'), grid: { stroke: colour('--hair'), width: 1 }, ticks: { show: false }, font: '12px system-ui' };
	const shade = (share) => `color-mix(in srgb, ${colour('--link')} ${share}%, transparent)`;
	const line = (label, look) => ({ label, stroke: colour('--link'), value: (_, value) => ms(value), points: { show: points.length < 3 }, ...look });
	const options = {
		width: box.clientWidth,
		height: 240,
		tzDate: (at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'),
		cursor: { y: false },
		scales: { y: { range: (_, __, max) => [0, max * 1.1] } },
		axes: [
			// A step is five minutes or more: marks between would all read the same.
			{ ...axis, incrs: [300, 900, 1800, 3600, 7200, 14_400, 86_400, 604_800], values: (_, splits) => splits.map(hour) },
			{ ...axis, size: 64, values: (_, splits) => splits.map((value) => (value === 0 ? '0' : ms(value))) },
		],
		hooks: { draw: [(chart) => drawMarks(chart, marks, colour('--ink'))] },
		bands: [
			{ series: [2, 1], fill: shade(24) },
			{ series: [3, 2], fill: shade(14) },
			{ series: [4, 3], fill: shade(7) },
		],
		series: [
			{ label: 'UTC', value: (_, at) => (at ? new Date(at * 1000).toISOString().slice(5, 16).replace('T', ' ') : '–') },
			line('median', { width: 2 }),
			line('p90', { width: 0.5 }),
			line('p95', { width: 1, dash: [3, 3] }),
			line('p99', { width: 0.5 }),
		],
	};
	const chart = new uPlot(options, [points.map((point) => Date.parse(point.at) / 1000), ...percentiles.map(pick)], frame);
	new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: 240 })).observe(box);
	if (marks.length > 0) box.append(markList(marks));
	const same = make('details', [make('summary', 'The same as a table')], { class: 'plainly' });
	// Made when it is asked for: 288 rows cost a slow phone a third of a second.
	same.addEventListener('toggle', () => same.append(seriesTable(points)), { once: true });
	box.append(same);
}

const percentiles = ['p50', 'p90', 'p95', 'p99'];

function seriesTable(points) {
	const rows = points
		.filter((point) => point.count > 0)
		.map((point) => [
			clock(point.at),
			...percentiles.map((name) => ms(point.ttftMs?.[name])),
			...['good', 'bad', 'excluded', 'missed'].map((name) => String(point[name])),
		]);
	return table('Each step of the chart, UTC', ['From', 'Median', 'p90', 'p95', 'p99', 'Good', 'Bad', 'Excluded', 'Missed'], rows);
}

new IntersectionObserver(
	([{ isIntersecting }], near) => {
		if (!isIntersecting) return;
		near.disconnect();
		draw();
		addEventListener('linnet:swap', draw);
	},
	{ rootMargin: '200px' },
).observe(document.getElementById('chart'));
