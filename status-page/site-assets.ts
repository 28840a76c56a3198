/** The files that do not depend on the snapshot, read once. */
import { readFileSync } from 'node:fs';
import type { MarkCode } from './state-mark.ts';

/** Drops whole-line comments, indentation and the air around operators; the sources hold no template literal over several lines, and no text with a spaced operator. */
function slim(source: string): string {
	return source
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '' && !/^(\/\/|\/?\*)/.test(line))
		.join('\n')
		.replace(/ (=>|[=!]==|&&|\|\||[?:]) /g, '$1');
}

/** The sheet holds no string with these marks in it. */
function slimStyles(source: string): string {
	return source
		.replace(/\/\*[\s\S]*?\*\//g, '')
		.replace(/\s+/g, ' ')
		.replace(/ ?([{};,>]) ?/g, '$1')
		.replace(/: /g, ':')
		.replace(/;}/g, '}')
		.replace(/="([a-z]+)"\]/g, '=$1]')
		.replace(/\b0\.(\d)/g, '.$1')
		.trim();
}

function readOwn(name: string): string {
	return readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');
}

/** Only `.` of the package is importable, its other files are not exported: they're found beside it. */
function readUplot(name: string): string {
	return readFileSync(new URL(name, new URL('./', import.meta.resolve('uplot'))), 'utf8');
}

/** Shapes as on the page, so that a tab says its state without colour. */
const favicons: Readonly<Record<MarkCode, string>> = {
	up: '<circle cx="8" cy="8" r="6.5" fill="#3aa57a"/>',
	slow: '<path d="M8 1l7.2 14H.8z" fill="#c27803"/>',
	part: '<path d="M8 .5L15.5 8 8 15.5.5 8z" fill="#c8434f"/>',
	down: '<path d="M4 1L8 5l4-4 3 3-4 4 4 4-3 3-4-4-4 4-3-3 4-4-4-4z" fill="#c8434f"/>',
	care: '<path d="M1.5 1.5h13v3h-13zM1.5 6.5h13v3h-13zM1.5 11.5h13v3h-13z" fill="#6a7dff"/>',
	none: '<circle cx="8" cy="8" r="5.5" fill="none" stroke="#808890" stroke-width="2.5" stroke-dasharray="3 2"/>',
};

/** The API names its hash in the policy of every page: no other style that stands in a page itself has any effect. */
export const siteSheet = 'assets/site.css';

let cached: ReadonlyMap<string, string> | null = null;

export function siteAssets(): ReadonlyMap<string, string> {
	cached ??= new Map([
		[siteSheet, slimStyles(readOwn('site.css'))],
		['assets/detail.css', slimStyles(readOwn('detail.css'))],
		['assets/live.js', slim(readOwn('live.js'))],
		['assets/days.js', slim(readOwn('days.js'))],
		['assets/find.js', slim(readOwn('find.js'))],
		['assets/target.js', slim(readOwn('target.js'))],
		// Its only minified form is a script with a global; as a module that global is its own. 51 KB instead of 145.
		['assets/uplot.js', `${readUplot('uPlot.iife.min.js')}\nexport default uPlot;`],
		['assets/uplot.css', readUplot('uPlot.min.css')],
		...Object.entries(favicons).map(
			([code, shape]) => [`assets/favicon-${code}.svg`, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${shape}</svg>`] as const,
		),
	]);
	return cached;
}
