/** Whether the mail servers of the configured channels would take a message; none is sent. */
import { type ChannelSettings, channelOf } from '#alerts/index.ts';
import { sampleMessage } from '#alerts/sample-message.ts';
import { type MailRefusal, type SendTools, verifyMail } from './send-message.ts';

export interface AskedServer {
	readonly channel: string;
	/** Null: it would take one. */
	readonly refusal: MailRefusal | null;
}

/** @param timeoutMs of each step of the conversation; absent: as long as sending would wait */
export async function askMailServers(tools: SendTools, channels: Readonly<Record<string, ChannelSettings>>, timeoutMs?: number): Promise<AskedServer[]> {
	const mails = Object.entries(channels).filter(([, settings]) => channelOf(settings).type === 'email');
	return Promise.all(
		mails.map(async ([channel, settings]) => ({ channel, refusal: await verifyMail(tools, settings, sampleMessage(tools.now()), timeoutMs) })),
	);
}
