import type { z } from 'zod';
import type { Channel } from './channel.ts';
import { webhook } from './webhook.ts';

/** Every channel that the configuration may name. */
export const channels = { webhook } as const;

export type ChannelType = keyof typeof channels;
export type ChannelSettings = { [T in ChannelType]: z.output<(typeof channels)[T]['settings']> }[ChannelType];

/** The channel of some settings, with its type forgotten: settings were validated by that channel's own schema. */
export function channelOf(settings: ChannelSettings): Channel<ChannelSettings> {
	return channels[settings.type];
}
