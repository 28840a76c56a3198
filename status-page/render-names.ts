/** `names.json`: every provider, model and target with its file and mark, for the search field; and for whoever looks up a page by id. */
import { fileSlug } from '#core/target.ts';
import type { PageContext } from './page-layout.ts';
import { markOf } from './state-mark.ts';

/** `[words, path relative to the site's root, mark]`, in the order of the page. */
export function renderNames({ snapshot }: PageContext): string {
	const names = new Map(snapshot.providers.map((provider) => [provider.id, provider.name]));
	return JSON.stringify([
		...snapshot.providers.map(({ id, name, state }) => [name, `provider/${fileSlug(id)}.html`, markOf[state]]),
		...snapshot.models.map(({ id, name, state }) => [name, `model/${fileSlug(id)}.html`, markOf[state]]),
		...snapshot.targets.map(({ slug, model, provider, operation, state }) => [
			`${model} on ${names.get(provider) ?? provider}${operation === 'chat' ? '' : `, ${operation}`}`,
			`target/${slug}.html`,
			markOf[state],
		]),
	]);
}
