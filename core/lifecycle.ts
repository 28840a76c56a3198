/** Where a model stands in its life, from what providers list and send. Pure. */
import { isRecord } from './error-body.ts';

export type Lifecycle = 'active' | 'deprecated' | 'retired' | 'vanished';

/** One model of a provider's listing. */
export interface ListedModel {
	/** The provider's own name. */
	readonly name: string;
	/** The provider's word; null when the listing has none. */
	readonly stated: 'active' | 'deprecated' | 'retired' | null;
	/** When it ends, ms since epoch; null when no end is told. */
	readonly shutdownAt: number | null;
}

/** A listed model as it is remembered between listings. */
export interface KnownModel extends ListedModel {
	/** ms since epoch. */
	readonly lastListedAt: number;
}

/** A model that left the listing stays a target this long, so that its end is seen and not just missing: a week, in which somebody looks. */
export const keepVanishedMs = 7 * 86_400_000;

/** Fields that announce an end: OpenAI `shutdown_date`, Anthropic `retires_at`, Mistral `deprecation`, OpenRouter `expiration_date`. */
const endFields = ['shutdown_date', 'retires_at', 'deprecation', 'expiration_date'];

/** Reads one row of any provider's listing. */
export function readListedModel(name: string, row: Readonly<Record<string, unknown>>): ListedModel {
	const status = isRecord(row.modelStatus) ? row.modelStatus : {};
	const ends = [...endFields.map((field) => row[field]), status.retirementTime].map(dateIn).filter((at) => at !== null);
	const ofBedrock = isRecord(row.modelLifecycle) ? wordIn(row.modelLifecycle.status) : null;
	const ofCohere = row.is_deprecated === true ? 'deprecated' : null;
	return {
		name,
		stated: wordIn(row.lifecycle) ?? wordIn(status.modelStage) ?? ofBedrock ?? ofCohere,
		shutdownAt: ends.length === 0 ? null : Math.min(...ends),
	};
}

function wordIn(value: unknown): ListedModel['stated'] {
	if (typeof value !== 'string') return null;
	const word = value.toLowerCase();
	if (word === 'active' || word === 'stable') return 'active';
	if (word === 'deprecated' || word === 'legacy') return 'deprecated';
	return word === 'retired' ? 'retired' : null;
}

/** An ISO date or time; null for anything else. */
function dateIn(value: unknown): number | null {
	if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d/.test(value)) return null;
	const at = Date.parse(value);
	return Number.isNaN(at) ? null : at;
}

/** @param listedAt when the newest listing was read: a model that it lacks has vanished */
export function lifecycleOf(model: KnownModel, listedAt: number, now: number): Lifecycle {
	if (model.stated === 'retired' || (model.shutdownAt !== null && model.shutdownAt <= now)) return 'retired';
	if (model.lastListedAt < listedAt) return 'vanished';
	return model.stated === 'deprecated' || model.shutdownAt !== null ? 'deprecated' : 'active';
}

/** What is known after a new listing: what it lists, and what it no longer lists but did until lately. In the order of the names. */
export function rememberListing(known: readonly KnownModel[], listed: readonly ListedModel[], now: number): KnownModel[] {
	const names = new Set(listed.map(({ name }) => name));
	const gone = known.filter(({ name, lastListedAt }) => !names.has(name) && now - lastListedAt < keepVanishedMs);
	const unique = [...new Map(listed.map((model) => [model.name, model])).values()];
	return [...unique.map((model) => ({ ...model, lastListedAt: now })), ...gone].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What an answer's headers announce. */
export interface Announcement {
	/** Since when, or from when on, the resource is deprecated, ms since epoch; null when no date is told. */
	readonly deprecatedAt: number | null;
	/** Null when no end is told. */
	readonly shutdownAt: number | null;
}

/** `Deprecation` (RFC 9745: `@` and seconds; older drafts: a date or `true`) and `Sunset` (RFC 8594: an HTTP date). Null: nothing announced. */
export function readAnnouncement(headers: Readonly<Record<string, string>>): Announcement | null {
	const { deprecation, sunset } = headers;
	const shutdownAt = sunset === undefined ? null : httpDate(sunset);
	const seconds = /^@(\d{1,12})$/.exec(deprecation?.trim() ?? '')?.[1];
	const deprecatedAt = seconds === undefined ? httpDate(deprecation ?? '') : Number(seconds) * 1_000;
	const deprecated = deprecatedAt !== null || deprecation?.trim().toLowerCase() === 'true';
	return deprecated || shutdownAt !== null ? { deprecatedAt, shutdownAt } : null;
}

/** Only what has a month's name: `Date.parse` takes nearly anything, "12" for one. */
function httpDate(text: string): number | null {
	const at = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
	return Number.isNaN(at) ? null : at;
}
