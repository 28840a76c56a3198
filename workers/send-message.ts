/** One attempt to bring a message to its service. Every failure is a value; no text of it holds a URL or a secret. */
import { createTransport } from 'nodemailer';
import { request } from 'undici';
import { type Attempt, type HttpRequest, type Mail, SettingsError } from '#alerts/channel.ts';
import { type ChannelSettings, channelOf } from '#alerts/index.ts';
import type { AlertMessage } from '#core/alert.ts';
import type { DeliveryOutcome } from '#core/alert-delivery.ts';
import { parseRetryAfter } from '#core/retry-after.ts';

export const sendTimeoutMs = 20_000;
const bodyLimit = 16_384;

export interface SendTools {
	now(): number;
	/** Undefined: not set. */
	readSecret(envName: string): string | undefined;
}

type Sent = Pick<Attempt, 'id' | 'sequence' | 'endpoint'>;

export async function sendMessage({ now, readSecret }: SendTools, settings: ChannelSettings, message: AlertMessage, sent: Sent): Promise<DeliveryOutcome> {
	const channel = channelOf(settings);
	const secret = (name: string) => {
		const value = readSecret(name);
		if (value === undefined || value === '') throw new SettingsError(`the environment variable ${name} is not set`);
		return value;
	};
	let wire: HttpRequest | Mail;
	try {
		wire = channel.wire(message, settings, { ...sent, at: new Date(now()), secret });
	} catch (error) {
		return failed(error instanceof SettingsError ? error.message : `the message could not be worded: ${(error as Error).name}`);
	}
	return wire.kind === 'mail' ? sendMail(wire) : sendHttp(wire, channel, now);
}

function failed(message: string, more: { status?: number; retryAfterMs?: number | null; final?: boolean } = {}): DeliveryOutcome {
	return { kind: 'failed', status: more.status ?? null, retryAfterMs: more.retryAfterMs ?? null, message, final: more.final ?? false };
}

async function sendHttp(wire: HttpRequest, channel: ReturnType<typeof channelOf>, now: () => number): Promise<DeliveryOutcome> {
	try {
		const signal = AbortSignal.timeout(sendTimeoutMs);
		const response = await request(wire.url, { method: wire.method, headers: { ...wire.headers, 'user-agent': 'linnet' }, body: wire.body, signal });
		const body = await readBounded(response.body, bodyLimit);
		const status = response.statusCode;
		if (channel.accepted(status, body)) return { kind: 'delivered' };
		const retryAfterMs = Math.max(parseRetryAfter(response.headers as Record<string, string>, null, now()) ?? 0, channel.retryAfterMs(body) ?? 0) || null;
		// A status of success whose body says otherwise may pass: a service behind the service failed.
		if (status >= 200 && status < 300) return failed(`answered ${status}, but not as it reports success`, { retryAfterMs });
		return failed(`answered ${status}`, { status, retryAfterMs });
	} catch (error) {
		const { code, name } = error as NodeJS.ErrnoException;
		return failed(name === 'TimeoutError' ? `no answer within ${sendTimeoutMs / 1_000} s` : (code ?? name));
	}
}

async function readBounded(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > limit) break;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
}

function transportOf({ host, port, security, login }: Mail['smtp'], timeoutMs = sendTimeoutMs) {
	const [connectMs, greetingMs] = [Math.min(10_000, timeoutMs), Math.min(10_000, timeoutMs)];
	const timeouts = { connectionTimeout: connectMs, greetingTimeout: greetingMs, dnsTimeout: connectMs, socketTimeout: timeoutMs };
	return createTransport({
		host,
		port,
		secure: security === 'tls',
		requireTLS: security === 'starttls',
		ignoreTLS: security === 'none',
		...timeouts,
		...(login === null ? {} : { auth: { user: login.user, pass: login.password } }),
	});
}

async function sendMail({ smtp, from, to, subject, text, html, messageId, inReplyTo }: Mail): Promise<DeliveryOutcome> {
	const transport = transportOf(smtp);
	try {
		const thread = inReplyTo === null ? {} : { inReplyTo, references: inReplyTo };
		// RFC 3834: no answering machine shall answer.
		const headers = { 'Auto-Submitted': 'auto-generated' };
		await transport.sendMail({ from, to: [...to], subject, text, html, messageId, headers, ...thread });
		return { kind: 'delivered' };
	} catch (error) {
		return failed(describeSmtp(error), { final: isFinal(error) });
	} finally {
		transport.close();
	}
}

interface SmtpError extends Error {
	readonly code?: string;
	readonly responseCode?: number;
	readonly command?: string;
}

/** The server's own text may repeat the login: its code and the step are enough to find it. */
function describeSmtp(error: unknown): string {
	const { code, responseCode, command, name } = error as SmtpError;
	const step = command === undefined || command === 'CONN' ? '' : ` at ${command.split(' ')[0]}`;
	return responseCode === undefined ? `SMTP: ${code ?? name}${step}` : `SMTP: answered ${responseCode}${step}`;
}

/** 5xx is final (RFC 5321, 4.2.1) but for logins and missing encryption, which the operator may mend. */
function isFinal(error: unknown): boolean {
	const { responseCode = 0, code } = error as SmtpError;
	return responseCode >= 500 && code !== 'EAUTH' && code !== 'ETLS' && ![530, 534, 535, 538].includes(responseCode);
}

export interface MailRefusal {
	readonly reason: string;
	/** False: it could not be asked, which from another network says nothing of it. */
	readonly answered: boolean;
}

/** Whether a mail server would take what this channel sends. @returns null when it would, or when the channel sends no mail */
export async function verifyMail(
	{ readSecret, now }: SendTools,
	settings: ChannelSettings,
	sample: AlertMessage,
	timeoutMs = sendTimeoutMs,
): Promise<MailRefusal | null> {
	if (settings.type !== 'email') return null;
	try {
		const secret = (name: string) => readSecret(name) ?? '';
		const wire = channelOf(settings).wire(sample, settings, { id: 'verify', sequence: 1, endpoint: '', at: new Date(now()), secret });
		if (wire.kind !== 'mail') return null;
		const transport = transportOf(wire.smtp, timeoutMs);
		try {
			await transport.verify();
		} finally {
			transport.close();
		}
		return null;
	} catch (error) {
		const { responseCode, code } = error as SmtpError;
		return { reason: describeSmtp(error), answered: responseCode !== undefined || code === 'EAUTH' || code === 'ETLS' };
	}
}
