/** The whole static site from one snapshot: pure but for the assets, which are read once. */
import { isStale, staleSnapshot } from '#core/freshness.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { FleetEvidence } from '#core/target-evidence.ts';
import { incidentHref } from './incident-item.ts';
import type { PageContext } from './page-layout.ts';
import { renderHistory } from './render-history.ts';
import { renderHow } from './render-how.ts';
import { renderIncident } from './render-incident.ts';
import { modelHref, renderModel, renderModels } from './render-models.ts';
import { renderNames } from './render-names.ts';
import { renderOverview } from './render-overview.ts';
import { renderProvider } from './render-provider.ts';
import { renderTarget } from './render-target.ts';
import { siteAssets } from './site-assets.ts';

export interface RenderOptions {
	/** ms since epoch: decides ages and staleness. */
	readonly now: number;
	/** Where the API answers: an absolute URL, or a path relative to the site's root with a slash at its end. Default: the site's own root. */
	readonly base?: string;
	/** Null or left out: it could not be read. */
	readonly evidence?: FleetEvidence | null;
}

/** Path relative to the site's root → content. Every link is relative, so the site works under any path and from a folder. */
export function renderSite(snapshot: Snapshot, { now, base = '', evidence = null }: RenderOptions): Map<string, string> {
	const stale = isStale(snapshot, now);
	const context: PageContext = { snapshot: stale ? staleSnapshot(snapshot) : snapshot, now, stale, apiBase: base, evidence };
	const files = new Map<string, string>(siteAssets());
	files.set('index.html', renderOverview(context));
	files.set('history.html', renderHistory(context));
	files.set('how.html', renderHow(context));
	for (const [path, content] of renderModels(context)) files.set(path, content);
	for (const model of context.snapshot.models) files.set(modelHref(model, ''), renderModel(context, model));
	for (const provider of context.snapshot.providers) for (const [path, content] of renderProvider(context, provider)) files.set(path, content);
	files.set('names.json', renderNames(context));
	for (const target of context.snapshot.targets) files.set(`target/${target.slug}.html`, renderTarget(context, target));
	for (const incident of context.snapshot.incidents) files.set(incidentHref(incident, ''), renderIncident(context, incident));
	return files;
}
