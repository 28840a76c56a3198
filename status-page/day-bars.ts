/**
 * Ninety UTC days of one target as bars. The good ones are the picture's striped ground, drawn by the style sheet, with today's mark;
 * over them lies one path per kind of exception: for 160 rows × 90 days that is a fifteenth of the markup of a rectangle per day.
 * A path's units are days across and bars down; the style sheet makes of them 4 px (3 of them drawn) and 24 px.
 * Worse days differ by height and notch as well as by colour.
 */
import type { DayView } from '#core/snapshot.ts';
import { shortDate } from './figures.ts';
import { type Html, html, trusted } from './html.ts';
import { dayLimits, dayMark, type MarkCode } from './state-mark.ts';

/** One letter each, of the gradient and of the class that the style sheet draws it with: they are in every row. */
const gradientIds = { slow: 's', part: 't', down: 'd', care: 'c' } as const;

/** Colour stops from top to bottom; `bg` hides the good bar beneath, so that a bar can be shorter or notched. */
const fills: Readonly<Record<keyof typeof gradientIds, readonly (readonly [number, MarkCode | 'bg'])[]>> = {
	slow: [
		[0, 'bg'],
		[0.36, 'slow'],
	],
	part: [
		[0, 'bg'],
		[0.17, 'down'],
	],
	down: [
		[0, 'down'],
		[0.58, 'bg'],
		[0.71, 'down'],
	],
	care: [
		[0, 'care'],
		[0.5, 'bg'],
	],
};

const codes = Object.keys(gradientIds) as (keyof typeof gradientIds)[];

/** Goes once into a page that draws bars. */
export function barSymbols(): Html {
	const gradients = codes.map((code) => {
		const stops = fills[code];
		// The first and the last colour go on to the ends by themselves.
		const edges = stops.slice(1).map(([offset, fill], index) => {
			const before = stops[index]?.[1] ?? fill;
			return `<stop offset=${offset} class=s-${before} /><stop offset=${offset} class=s-${fill} />`;
		});
		const repeat = code === 'care' ? ' spreadMethod=repeat' : '';
		return `<linearGradient id=${gradientIds[code]} gradientUnits=userSpaceOnUse x2=0 y2=${code === 'care' ? 0.25 : 1}${repeat}>${edges.join('')}</linearGradient>`;
	});
	return trusted(`<svg class="defs" width="0" height="0" aria-hidden="true"><defs>${gradients.join('')}</defs></svg>`);
}

/** Runs of days with the same mark: [first day's index, days]. */
function runsOf(days: readonly DayView[], code: MarkCode): (readonly [number, number])[] {
	const runs: [number, number][] = [];
	days.forEach((day, index) => {
		if (dayMark(day) !== code) return;
		const last = runs.at(-1);
		if (last !== undefined && last[0] + last[1] === index) last[1] += 1;
		else runs.push([index, 1]);
	});
	return runs;
}

function exceptionPaths(days: readonly DayView[]): string {
	const paths = codes.map((code) => {
		let strokes = '';
		let from = 0;
		for (const [index, day] of days.entries()) {
			if (dayMark(day) !== code) continue;
			// From the foot of the last bar: shorter than an absolute place.
			strokes += strokes === '' ? `M${index},0v1` : `m${index - from}-1v1`;
			from = index;
		}
		return strokes === '' ? '' : `<path class=${gradientIds[code]} d=${strokes} />`;
	});
	// A day without data is an empty outline; neighbours share one.
	const holes = runsOf(days, 'none').map(([index, count]) => {
		const width = count - 0.5;
		return `M${index - 0.25},.02h${width}v.96h-${width}z`;
	});
	return paths.join('') + (holes.length === 0 ? '' : `<path class=h d=${holes.join('')} />`);
}

/** What a screen reader says of the picture; the days in words follow it. No percentage: its counts and interval would not fit into every row. */
export function summariseDays(days: readonly DayView[]): string {
	const marks = days.map(dayMark);
	if (marks.every((mark) => mark === 'none')) return '90 days: no data';
	const troubled = marks.filter((mark) => mark !== 'up' && mark !== 'none' && mark !== 'care').length;
	return `90 days, ${troubled === 0 ? 'none' : troubled} bad`;
}

export function dayBars(days: readonly DayView[]): Html {
	return html`<svg role=img aria-label="${summariseDays(days)}">${trusted(exceptionPaths(days))}</svg>`;
}

/** The days that are not plainly good, in words, newest first: the text alternative of the bars. The browser's tooltip reads it too. */
export function dayWords(days: readonly DayView[]): string {
	const newest = [...days].reverse();
	const list = (title: string, matches: (day: DayView) => boolean, minutes: (day: DayView) => number | null) => {
		const found = newest.filter((day) => dayMark(day) !== 'none' && matches(day));
		const words = found.map((day) => {
			const length = minutes(day);
			return length === null ? shortDate(day.date) : `${shortDate(day.date)} ${length < 1 ? '<1' : Math.round(length)} min`;
		});
		return words.length === 0 ? [] : [`${title} ${words.join(', ')}.`];
	};
	const empty = runsOf(days, 'none')
		.reverse()
		.map(([index, count]) => {
			const first = shortDate(days[index]?.date ?? '');
			return count === 1 ? first : `${first} to ${shortDate(days[index + count - 1]?.date ?? '')}`;
		});
	const isDown = (day: DayView) => day.downMinutes > 0;
	const isSlow = (day: DayView) => !isDown(day) && (day.degradedMinutes > 0 || dayMark(day) === 'slow');
	const sentences = [
		...list('Down', isDown, (day) => day.downMinutes),
		...list('Degraded', isSlow, (day) => day.degradedMinutes),
		...list(
			'Maintenance',
			(day) => dayMark(day) === 'care',
			() => null,
		),
		...(empty.length === 0 ? [] : [`No data ${empty.join(', ')}.`]),
	];
	return sentences.length === 0 ? 'No problem in 90 days.' : sentences.join(' ');
}

export function dayLegend(): Html {
	const sample = (code: MarkCode) => {
		if (code === 'up') return trusted('<svg class="k" aria-hidden="true"><path class="s-up" d="M0 0v1"/></svg>');
		if (code === 'none') return trusted('<svg class="k" aria-hidden="true"><path class="h" d="M-.25 .02h.5v.96h-.5z"/></svg>');
		return trusted(`<svg class="k" aria-hidden="true"><path class=${gradientIds[code]} d="M0 0v1"/></svg>`);
	};
	const entry = (code: MarkCode, text: string) => html`<li>${sample(code)}${text}</li>`;
	return html`<ul class="legend">${[
		entry('up', 'no confirmed outage'),
		entry('slow', `degraded, or down up to ${dayLimits.minorMinutes} min`),
		entry('part', `down up to ${dayLimits.majorMinutes} min`),
		entry('down', `down more than ${dayLimits.majorMinutes} min`),
		entry('care', 'maintenance'),
		entry('none', 'no data'),
	]}</ul>`;
}
