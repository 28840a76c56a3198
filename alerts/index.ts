import { z } from 'zod';
import { alertmanager } from './alertmanager.ts';
import type { Channel } from './channel.ts';
import { discord } from './discord.ts';
import { email } from './email.ts';
import { ntfy } from './ntfy.ts';
import { pagerduty } from './pagerduty.ts';
import { slack } from './slack.ts';
import { teams } from './teams.ts';
import { telegram } from './telegram.ts';
import { webhook } from './webhook.ts';

/** Every channel that the configuration may name. */
export const channels = { webhook, slack, discord, teams, telegram, pagerduty, email, ntfy, alertmanager } as const;

export type ChannelType = keyof typeof channels;
type SettingsSchema = (typeof channels)[ChannelType]['settings'];
export type ChannelSettings = z.output<SettingsSchema>;

/** Settings of any channel, by its `type`. */
export const channelSettings = z.discriminatedUnion('type', Object.values(channels).map(({ settings }) => settings) as [SettingsSchema, ...SettingsSchema[]], {
	error: `expected \`type\` to be one of: ${Object.keys(channels).join(', ')}`,
});

/** The channel of some settings, with its type forgotten: settings were validated by that channel's own schema. */
export function channelOf(settings: ChannelSettings): Channel<ChannelSettings> {
	return channels[settings.type] as unknown as Channel<ChannelSettings>;
}
