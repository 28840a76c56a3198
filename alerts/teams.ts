import { z } from 'zod';
import { type Channel, commonSettings, envName, isSuccess, secretUrl } from './channel.ts';
import { cutLines, cutText } from './cut-text.ts';
import { impactOf, linkOf, sectionsOf, titleOf } from './message.ts';

const settings = z.strictObject({
	...commonSettings,
	type: z.literal('teams'),
	/** Names the variable with the URL of a workflow "When a Teams webhook request is received". */
	urlEnv: envName,
});

type TeamsSettings = z.infer<typeof settings>;

const colours = { none: 'accent', minor: 'warning', major: 'attention', critical: 'attention' } as const;
/** A card may have 28 kB, in UTF-8 and with JSON's escapes: at most 6 bytes a unit leave room for 4,000 of them and the frame. */
const maxUnits = 3_600;

/** A Workflows webhook that posts an Adaptive Card. */
export const teams = {
	type: 'teams',
	about: { service: 'Microsoft Teams, Workflows webhook', success: '2xx with a body that names no error', limits: 'card of 28 kB' },
	settings,
	secretEnvs: ({ urlEnv }) => [urlEnv],
	endpoints: () => [''],
	keepsAlerts: false,
	resendEveryMs: null,
	wire(message, { urlEnv }, attempt) {
		const color = message.kind === 'resolved' ? 'good' : colours[impactOf(message.members)];
		const blocks: object[] = [{ type: 'TextBlock', text: cutText(titleOf(message), 200), weight: 'bolder', size: 'medium', color, wrap: true }];
		let left = maxUnits;
		for (const { heading, lines } of sectionsOf(message, attempt.at)) {
			if (left < 200) break;
			const text = cutLines(lines, left);
			left -= text.length;
			if (heading !== null) blocks.push({ type: 'TextBlock', text: cutText(heading, 200), weight: 'bolder', wrap: true, spacing: 'medium' });
			// A single line end is a space in a card's markdown.
			blocks.push({ type: 'TextBlock', text: text.replaceAll('\n', '\n\n'), wrap: true });
			left -= Math.min(200, heading?.length ?? 0);
		}
		const link = linkOf(message);
		const content = {
			$schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
			type: 'AdaptiveCard',
			version: '1.4',
			body: blocks,
			...(link === null ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Open', url: link }] }),
			msteams: { width: 'full' },
		};
		const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content };
		return {
			kind: 'http',
			method: 'POST',
			url: secretUrl(attempt, urlEnv),
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ type: 'message', attachments: [attachment] }),
		};
	},
	// What the service behind it refuses may come as 200 with the refusal in the body.
	accepted: (status, body) => isSuccess(status) && !/\berror\b|failed/i.test(body),
	retryAfterMs: () => null,
} satisfies Channel<TeamsSettings>;
