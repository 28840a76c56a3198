/** The words of an alert, for somebody just woken: what, since when, how bad, whose fault with what evidence, what to use instead. */
import type { AlertClass, AlertEvent, AlertMessage, MessageKind, News } from '#core/alert.ts';
import { formatDuration } from '#core/duration.ts';
import { type Cause, type Impact, impacts } from '#core/incident.ts';
import { oneLine } from './cut-text.ts';

export const causeWords = {
	provider: 'the provider',
	monitor: 'our own monitor or network',
	credentials: 'our API key',
	quota: 'our account or budget',
	rate_limit: 'our own rate limit',
	maintenance: 'announced maintenance',
} as const satisfies Record<Cause, string>;

const openWords = {
	provider: { opened: 'Down', updated: 'Changed', reopened: 'Down again', reminder: 'Still down', escalated: 'Down and not acknowledged' },
	operator: {
		opened: 'Action needed',
		updated: 'Changed',
		reopened: 'Action needed again',
		reminder: 'Action still needed',
		escalated: 'Action needed and not acknowledged',
	},
	slo: {
		opened: 'Error budget burning',
		updated: 'Changed',
		reopened: 'Error budget burning again',
		reminder: 'Error budget still burning',
		escalated: 'Error budget burning and not acknowledged',
	},
} as const satisfies Record<AlertClass, Record<Exclude<MessageKind, 'resolved' | 'test'>, string>>;

const newsWords = { new: 'New', again: 'Again', changed: 'Changed', resolved: 'Resolved', same: 'Still open' } as const satisfies Record<News, string>;

/** A few are told whole; of an outage with more models the rest is a list. */
const wholeMembers = 5;
const listedMembers = 40;
/** What reaches a channel later than this after it was decided says so. */
const lateAfterMs = 300_000;

export function titleOf({ kind, class: alertClass, simulated, members }: AlertMessage): string {
	const [first] = members;
	const what = members.length === 1 && first !== undefined ? oneLine(first.event.incident.title) : `${members.length} problems${placeOf(members)}`;
	return `${simulated ? '[simulated] ' : ''}${verbOf(kind, alertClass, members)}: ${what}`;
}

function verbOf(kind: MessageKind, alertClass: AlertClass, members: AlertMessage['members']): string {
	if (kind === 'test') return 'Test';
	if (kind === 'resolved') return 'Resolved';
	const word = openWords[alertClass][kind];
	return alertClass === 'provider' && impactOf(members) === 'minor' ? word.replace('Down', 'Degraded').replace('down', 'degraded') : word;
}

function placeOf(members: AlertMessage['members']): string {
	const providers = new Set(members.map(({ event }) => event.incident.scope.provider));
	const [provider] = providers;
	return providers.size === 1 && provider !== null ? ` at ${provider}` : '';
}

/** Worst of what is open; of a message about the end, the worst that it was. */
export function impactOf(members: AlertMessage['members']): Impact {
	const open = members.filter(({ news }) => news !== 'resolved');
	return (open.length > 0 ? open : members).reduce<Impact>(
		(worst, { event }) => (impacts.indexOf(event.incident.impact) > impacts.indexOf(worst) ? event.incident.impact : worst),
		'none',
	);
}

export interface Section {
	/** Null: the title says it already. */
	readonly heading: string | null;
	readonly lines: readonly string[];
}

/** @param at time of the attempt: what is told late says so */
export function sectionsOf({ kind, at: decidedAt, members }: AlertMessage, at: Date): Section[] {
	const sections: Section[] = members.slice(0, wholeMembers).map(({ news, event }) => ({
		heading: members.length === 1 ? null : oneLine(`${newsWords[news]}: ${event.incident.title}`),
		lines: linesOf(event, at).map(oneLine),
	}));
	const rest = members.slice(wholeMembers);
	if (rest.length > 0) {
		const listed = rest.slice(0, listedMembers).map(({ news, event }) => oneLine(`${newsWords[news]}: ${event.incident.title}`));
		sections.push({
			heading: `And ${rest.length} more`,
			lines: rest.length > listedMembers ? [...listed, `… and ${rest.length - listedMembers} more`] : listed,
		});
	}
	const lateMs = at.getTime() - Date.parse(decidedAt);
	if (kind === 'test') sections.push({ heading: null, lines: ['This is a test of the channel. Nothing is wrong.'] });
	else if (kind !== 'reminder' && lateMs > lateAfterMs)
		sections.push({ heading: null, lines: [`Told ${formatDuration(lateMs)} late: it was decided at ${clock(decidedAt)}.`] });
	return sections;
}

/** Every line, headings among them; an empty one before each heading but the first. */
export function textOf(message: AlertMessage, at: Date): string[] {
	return sectionsOf(message, at).flatMap(({ heading, lines }, i) => (heading === null ? lines : [...(i === 0 ? [] : ['']), heading, ...lines]));
}

function clock(at: string): string {
	return `${at.slice(0, 19).replace('T', ' ')} UTC`;
}

function linesOf({ class: alertClass, incident, useInstead, advice, link }: AlertEvent, at: Date): string[] {
	const { startedAt, resolvedAt, evidence } = incident;
	const blame = alertClass === 'operator' ? `ours: ${causeWords[incident.cause]}` : `cause: ${causeWords[incident.cause]}`;
	const forMs = at.getTime() - Date.parse(startedAt);
	const since = resolvedAt === null && forMs > 60_000 ? ` (${formatDuration(forMs)})` : '';
	const lines = [`Since ${clock(startedAt)}${since}, impact ${incident.impact}, ${blame}.`, `${incident.reason.replace(/\.$/, '')}.`];
	if (evidence !== null) {
		const { good, bad, excluded, vantages } = evidence;
		lines.push(`Measured since then: ${bad} bad, ${good} good, ${excluded} excluded${vantages.length > 0 ? ` from ${vantages.join(', ')}` : ''}.`);
	}
	if (incident.targetIds.length > 1)
		lines.push(
			`Affected: ${incident.targetIds.slice(0, 10).join(', ')}${incident.targetIds.length > 10 ? ` and ${incident.targetIds.length - 10} more` : ''}.`,
		);
	if (resolvedAt !== null) lines.push(`Over since ${clock(resolvedAt)}; lasted ${formatDuration(Date.parse(resolvedAt) - Date.parse(startedAt))}.`);
	else if (useInstead.length > 0) lines.push(`Well now, same model: ${useInstead.join(', ')}.`);
	if (advice !== null && resolvedAt === null) lines.push(`What to do: ${advice}`);
	if (link !== null) lines.push(link);
	return lines;
}

/** Of the first member that has one; null when none has. */
export function linkOf({ members }: AlertMessage): string | null {
	return members.find(({ event }) => event.link !== null)?.event.link ?? null;
}

const colours = { none: 0x3b82f6, minor: 0xd97706, major: 0xea580c, critical: 0xb91c1c } as const satisfies Record<Impact, number>;

/** Colour of the message's side: green when all of it is over. */
export function colourOf({ kind, members }: AlertMessage): number {
	return kind === 'resolved' ? 0x15803d : colours[impactOf(members)];
}
