/** The whole static site from one snapshot: pure but for the assets, which are read once. */
import { isStale, staleSnapshot } from '#core/freshness.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { FleetEvidence } from '#core/target-evidence.ts';
import { incidentHref } from './incident-item.ts';
import type { PageContext, SiteFile } from './page-layout.ts';
import { renderHistory } from './render-history.ts';
import { renderHow } from './render-how.ts';
import { renderIncident } from './render-incident.ts';
import { modelHref, modelsHref, renderModel, renderModels } from './render-models.ts';
import { renderNames } from './render-names.ts';
import { renderOverview } from './render-overview.ts';
import { providerHref, renderProvider } from './render-provider.ts';
import { renderTarget, targetHref } from './render-target.ts';
import { siteAssets } from './site-assets.ts';

export interface RenderOptions {
	/** ms since epoch: decides ages and staleness. */
	readonly now: number;
	/** Where the API answers: an absolute URL, or a path relative to the site's root with a slash at its end. Default: the site's own root. */
	readonly base?: string;
	/** Null or left out: it could not be read. */
	readonly evidence?: FleetEvidence | null;
	/** Paths of the pages of providers, models and targets that are drawn, of a board in several pages the first; null or left out: all. */
	readonly due?: ReadonlySet<string> | null;
}

/**
 * The files one after the other, each made when it is asked for: of 10,000 targets all of them are half a gigabyte. Every link is relative, so the
 * site works under any path and from a folder.
 */
export function* siteFiles(snapshot: Snapshot, { now, base = '', evidence = null, due = null }: RenderOptions): Generator<SiteFile> {
	const stale = isStale(snapshot, now);
	const context: PageContext = { snapshot: stale ? staleSnapshot(snapshot) : snapshot, now, stale, apiBase: base, evidence };
	const isDue = (path: string) => due === null || due.has(path);
	const inTurn = (path: string, render: () => string): SiteFile => [path, isDue(path) ? render() : null];
	yield* siteAssets();
	yield ['index.html', renderOverview(context)];
	yield ['history.html', renderHistory(context)];
	yield ['how.html', renderHow(context)];
	yield* renderModels(context, isDue(modelsHref('')));
	for (const model of context.snapshot.models) yield inTurn(modelHref(model, ''), () => renderModel(context, model));
	for (const provider of context.snapshot.providers) yield* renderProvider(context, provider, isDue(providerHref(provider, '')));
	yield ['names.json', renderNames(context)];
	for (const target of context.snapshot.targets) yield inTurn(targetHref(target, ''), () => renderTarget(context, target));
	for (const incident of context.snapshot.incidents) yield [incidentHref(incident, ''), renderIncident(context, incident)];
}

/** All of them at once. */
export function renderSite(snapshot: Snapshot, options: Omit<RenderOptions, 'due'>): Map<string, string> {
	return new Map([...siteFiles(snapshot, options)].map(([path, content]) => [path, content ?? '']));
}
