import { z } from 'zod';
import { type ChannelType, channels } from './index.ts';

/** The table of docs/alerts.md, out of the map. */
export function describeChannels(): string {
	const rows = (Object.keys(channels) as ChannelType[]).map((type) => {
		const { about, settings } = channels[type];
		const { properties = {}, required = [] } = z.toJSONSchema(settings, { io: 'input' });
		const names = Object.keys(properties).filter((name) => name !== 'type' && name !== 'fallback');
		const listed = names.map((name) => `\`${name}\`${required.includes(name) ? '' : '?'}`).join(', ');
		return `| \`${type}\` | ${about.service} | ${listed} | ${about.success} | ${about.limits} |`;
	});
	return ['| `type` | service | settings (`?`: may be left out) | it took the message when | cut to |', '|---|---|---|---|---|', ...rows].join('\n');
}
