/** The two pages that stand without the rendered site: nothing measured yet, and no such page. */
import { escapeXml } from './escape-xml.ts';

function frame(title: string, body: string, head = ''): string {
	return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><title>${escapeXml(title)}</title><link rel="stylesheet" href="/assets/site.css">${head}</head><body><main><h1>${escapeXml(title)}</h1>${body}</main></body></html>`;
}

export const waitingPage = frame(
	'Nothing measured yet',
	'<p>The first probes are on their way. This page looks again every five seconds.</p>',
	'<meta http-equiv="refresh" content="5">',
);

export function notFoundPage(path: string): string {
	return frame('No such page', `<p>There is nothing at <code>${escapeXml(path.slice(0, 200))}</code>.</p><p><a href="/">Overview</a></p>`);
}
