/** Which of the models that a provider lists become targets. */
import type { Lifecycle } from '#core/lifecycle.ts';

/** A provider of the file whose models are to be asked for. */
export interface Discovery {
	readonly provider: string;
	readonly dialect: string;
	readonly baseUrl: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly apiKeyEnv: string | null;
}

export interface DiscoveredModel {
	/** The provider's own name. */
	readonly name: string;
	readonly lifecycle: Lifecycle;
}

/** By provider id. A provider that is missing could not be asked and was never known: it has no targets yet. */
export type Discovered = ReadonlyMap<string, readonly DiscoveredModel[]>;

/** Names of models that take no chat, in the words that providers use for them; an `include` pattern brings one back. */
const noChat = /embed|whisper|\btts\b|audio|speech|transcri|realtime|image|imagen|dall-e|\bveo\b|sora|video|moderation|rerank|guard|\bocr\b|\baqa\b/i;

/** `*` is any text, `?` any character; everything else stands for itself, in any case. */
export function matchesPattern(pattern: string, name: string): boolean {
	const source = pattern
		.replace(/[\\^$.|+()[\]{}]/g, '\\$&')
		.replaceAll('*', '.*')
		.replaceAll('?', '.');
	return new RegExp(`^${source}$`, 'isu').test(name);
}

/** Without `include`: all that look like chat. `exclude` has the last word. */
export function selectModels<M extends { readonly name: string }>(models: readonly M[], include: readonly string[] | null, exclude: readonly string[]): M[] {
	return models.filter(({ name }) => {
		const wanted = include === null ? !noChat.test(name) : include.some((pattern) => matchesPattern(pattern, name));
		return wanted && !exclude.some((pattern) => matchesPattern(pattern, name));
	});
}
