/** What the timeline of an incident says, for people. */
import { formatDuration } from '#core/duration.ts';
import type { Checked, CheckedWell } from '#core/incident.ts';
import type { IncidentDecision } from './decision.ts';

export function updateWords(decision: IncidentDecision): string {
	const { type, reason, startedAt, at, severity, evidence } = decision;
	const since = formatDuration(at - startedAt);
	switch (type) {
		case 'open':
			return `Detected ${since} after the first bad result: ${reason}.${checkedWords(evidence.checked)}`;
		case 'reopen':
			return `It is back, ${since} after its first bad result now: ${reason}.${checkedWords(evidence.checked)}`;
		case 'update':
			return `${decision.title}, ${severity}: ${reason}.${checkedWords(evidence.checked)}`;
		case 'recovering':
			return `It looks better: ${reason}. We watch whether it lasts.`;
		case 'failing_again':
			return `Not over yet: ${reason}.`;
		case 'resolve':
			return `Resolved after ${since}: ${reason}.`;
	}
}

/** " Found well meanwhile: 2 of 2 other models, 5 of 5 other providers." Empty when nothing else was heard. */
function checkedWords(checked: CheckedWell | null): string {
	if (checked === null) return '';
	const words = (
		[
			['models', checked.models],
			['vantages', checked.vantages],
			['providers', checked.providers],
		] as const
	)
		.filter(([, { heard }]) => heard > 0)
		.map(([noun, one]) => countWords(noun, one));
	return words.length === 0 ? '' : ` Found well meanwhile: ${words.join(', ')}.`;
}

const countWords = (noun: string, { well, heard }: Checked) => `${well} of ${heard} other ${heard === 1 ? noun.slice(0, -1) : noun}`;
