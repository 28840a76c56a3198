import { z } from 'zod';
import { type Channel, commonSettings, envName, secretUrl } from './channel.ts';
import { cutLines, cutText } from './cut-text.ts';
import { colourOf, sectionsOf, titleOf } from './message.ts';

const settings = z.strictObject({
	...commonSettings,
	type: z.literal('slack'),
	/** Names the variable with the URL of an incoming webhook. */
	urlEnv: envName,
});

type SlackSettings = z.infer<typeof settings>;

/** The three characters of mrkdwn's control sequences (docs.slack.dev, "Formatting text"): so a provider's text can't mention or link. */
function escapeMrkdwn(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** An incoming webhook. `text` is what notifications and screen readers say. */
export const slack = {
	type: 'slack',
	about: { service: 'Slack, incoming webhook', success: 'the body is `ok`', limits: 'header 150, section 3,000, 20 sections' },
	settings,
	secretEnvs: ({ urlEnv }) => [urlEnv],
	endpoints: () => [''],
	keepsAlerts: false,
	resendEveryMs: null,
	wire(message, { urlEnv }, attempt) {
		const title = titleOf(message);
		const sections = sectionsOf(message, attempt.at).slice(0, 20);
		const blocks = sections.map(({ heading, lines }) => {
			const all = heading === null ? lines : [`*${escapeMrkdwn(heading)}*`, ...lines.map(escapeMrkdwn)];
			return { type: 'section', text: { type: 'mrkdwn', text: cutLines(heading === null ? lines.map(escapeMrkdwn) : all, 3_000) } };
		});
		const header = { type: 'header', text: { type: 'plain_text', text: cutText(title, 150) } };
		const color = `#${colourOf(message).toString(16).padStart(6, '0')}`;
		return {
			kind: 'http',
			method: 'POST',
			url: secretUrl(attempt, urlEnv),
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({
				text: escapeMrkdwn(cutText(title, 1_000)),
				attachments: [{ color, fallback: cutText(title, 1_000), blocks: [header, ...blocks] }],
			}),
		};
	},
	accepted: (status, body) => status === 200 && body.trim() === 'ok',
	retryAfterMs: () => null,
} satisfies Channel<SlackSettings>;
