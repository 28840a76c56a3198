/** The feeds as files, for any static host: the same documents, each with its proof beside it. */
import { fileSlug } from '#core/target.ts';
import { badgeFiles } from './badge-view.ts';
import { atomFeed, rssFeed } from './feed-views.ts';
import type { Signer } from './sign-feed.ts';
import type { SnapshotView } from './snapshot-source.ts';
import { statuspageNames, statuspageView } from './statuspage-views.ts';

/**
 * Path → content. `verdicts.json` and `health.json` have a `.sig` with the time of making, the deadline and the signature (null without a signer).
 * @param origin public base URL, for the links inside feeds
 */
export function staticFeeds(view: SnapshotView, signer: Signer | null, origin: string): Map<string, string> {
	const { snapshot, documents } = view;
	const { generatedAt, staleAfter } = snapshot;
	const files = new Map<string, string>();
	for (const [name, document] of [['verdicts.json', documents.verdicts()] as const, ['health.json', documents.health()] as const]) {
		files.set(name, document.body.toString());
		files.set(`${name}.sig`, JSON.stringify({ generatedAt, staleAfter, signature: signer?.sign(snapshot, document.body) ?? null }));
	}
	if (signer !== null) files.set('key.json', JSON.stringify({ schema: 'linnet.key/1', algorithm: 'Ed25519', publicKey: signer.publicKey }));
	files.set('incidents.json', documents.incidents(null, 200).body.toString());
	for (const target of snapshot.targets) files.set(`target/${target.slug}.json`, documents.target(target).body.toString());
	for (const [id, { svg, json }] of badgeFiles(view)) {
		files.set(`badge/${fileSlug(id)}.svg`, svg);
		files.set(`badge/${fileSlug(id)}.json`, json);
	}
	for (const name of statuspageNames) files.set(`api/v2/${name}.json`, JSON.stringify(statuspageView(name, snapshot, origin)));
	files.set('history.rss', rssFeed(snapshot, origin));
	files.set('history.atom', atomFeed(snapshot, origin));
	return files;
}
