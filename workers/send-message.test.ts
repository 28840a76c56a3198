/** One attempt on real sockets: a mail server, and services that report success and refusal in their own way. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createSocketServer } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleMessage } from '#alerts/sample-message.ts';
import { sendMessage, verifyMail } from './send-message.ts';

const now = Date.UTC(2026, 10, 23, 12);
const message = sampleMessage(now);
const first = { id: 'd-1', sequence: 1, endpoint: '' };
const password = ['not', 'a', 'secret'].join('-');
const tools = {
	now: () => now,
	readSecret: (name: string) =>
		({ MAIL_USER: 'linnet', MAIL_PASSWORD: password, URL: hookUrl, KEY: 'K'.repeat(32), SIGNING: Buffer.from('n'.repeat(24)).toString('base64') })[name],
};
let hookUrl = '';

describe('mail', () => {
	let server: SMTPServer;
	let port: number;
	let mails: { from: string; to: string[]; raw: string; user: string | undefined }[];

	async function listen(options: SMTPServerOptions = {}): Promise<void> {
		mails = [];
		server = new SMTPServer({
			authOptional: true,
			disabledCommands: ['STARTTLS'],
			allowInsecureAuth: true,
			onData(stream, session, callback) {
				let raw = '';
				stream.on('data', (chunk: Buffer) => (raw += chunk.toString('utf8')));
				stream.on('end', () => {
					const { mailFrom, rcptTo } = session.envelope;
					mails.push({ from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address), raw, user: session.user });
					callback();
				});
			},
			...options,
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		port = ((server as unknown as { server: Server }).server.address() as AddressInfo).port;
	}
	afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

	const email = (changes: object = {}) =>
		({
			...{ type: 'email', host: '127.0.0.1', port, security: 'none', from: 'Linnet <linnet@example.org>', to: ['on-call@example.org', 'b@example.org'] },
			...changes,
		}) as Parameters<typeof sendMessage>[1];
	const login = { userEnv: 'MAIL_USER', passwordEnv: 'MAIL_PASSWORD' };
	const header = (raw: string, name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(raw.replace(/\r\n[ \t]+/g, ' '))?.[1]?.trim();

	it('reaches each of its readers in text and HTML, and what follows answers the first', async () => {
		await listen();
		expect(await sendMessage(tools, email(), message, first)).toEqual({ kind: 'delivered' });
		expect(await sendMessage(tools, email(), message, { ...first, id: 'd-2', sequence: 2 })).toEqual({ kind: 'delivered' });
		const [one, two] = mails;
		expect(one).toMatchObject({ from: 'linnet@example.org', to: ['on-call@example.org', 'b@example.org'] });
		expect(one?.raw).toMatch(/content-type: text\/plain/i);
		expect(one?.raw).toMatch(/content-type: text\/html/i);
		expect(header(one?.raw ?? '', 'Auto-Submitted')).toBe('auto-generated');
		expect(header(one?.raw ?? '', 'In-Reply-To')).toBeUndefined();
		expect(header(two?.raw ?? '', 'In-Reply-To')).toBe(header(one?.raw ?? '', 'Message-ID'));
		expect(header(two?.raw ?? '', 'Message-ID')).not.toBe(header(one?.raw ?? '', 'Message-ID'));
	});

	it('sent again it is the same mail', async () => {
		await listen();
		await sendMessage(tools, email(), message, first);
		await sendMessage(tools, email(), message, first);
		expect(header(mails[1]?.raw ?? '', 'Message-ID')).toBe(header(mails[0]?.raw ?? '', 'Message-ID'));
	});

	it('logs in where it has a login; a refused one may be mended, and its words stay out of the reason', async () => {
		let takes = true;
		await listen({
			authOptional: false,
			onAuth({ username, password: given }, _session, callback) {
				if (takes && username === 'linnet' && given === password) return callback(null, { user: username });
				callback(Object.assign(new Error(`no ${given}`), { responseCode: 535 }));
			},
		});
		expect(await sendMessage(tools, email(login), message, first)).toEqual({ kind: 'delivered' });
		expect(mails[0]?.user).toBe('linnet');
		expect(await verifyMail(tools, email(login), message)).toBeNull();
		takes = false;
		const refused = await sendMessage(tools, email(login), message, first);
		expect(refused).toMatchObject({ kind: 'failed', final: false, message: expect.stringContaining('535') });
		expect(JSON.stringify(refused)).not.toContain(password);
		expect(await verifyMail(tools, email(login), message)).toEqual({ reason: 'SMTP: answered 535 at AUTH', answered: true });
	});

	it('a reader that does not exist is final, a full server is not', async () => {
		let responseCode = 550;
		await listen({ onRcptTo: (_address, _session, callback) => callback(Object.assign(new Error('no'), { responseCode })) });
		expect(await sendMessage(tools, email(), message, first)).toMatchObject({ kind: 'failed', final: true, message: expect.stringContaining('550') });
		responseCode = 452;
		expect(await sendMessage(tools, email(), message, first)).toMatchObject({ kind: 'failed', final: false, message: expect.stringContaining('452') });
	});

	it('nothing goes in clear where encryption is asked for, nor where nobody listens', async () => {
		await listen();
		expect(await sendMessage(tools, email({ security: 'starttls' }), message, first)).toMatchObject({ kind: 'failed', final: false });
		expect(mails).toEqual([]);
		const closed = await sendMessage(tools, email({ port: 1 }), message, first);
		expect(closed).toMatchObject({ kind: 'failed', final: false, message: expect.stringContaining('SMTP') });
		expect(await verifyMail(tools, email({ security: 'starttls' }), message)).toMatchObject({ answered: true });
		expect(await verifyMail(tools, email({ port: 1 }), message)).toMatchObject({ answered: false });
	});

	it('a server that never says a word was not asked, and is not waited for', async () => {
		const mute = createSocketServer(() => {});
		await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
		await listen();
		const { port: mutePort } = mute.address() as AddressInfo;
		expect(await verifyMail(tools, email({ port: mutePort }), message, 50)).toEqual({ reason: 'SMTP: ETIMEDOUT', answered: false });
		await new Promise<void>((resolve) => mute.close(() => resolve()));
	});
});

describe('services over HTTP', () => {
	let server: Server;
	let answer: { status: number; headers?: Record<string, string>; body: string };
	let asked: { path: string; headers: IncomingHttpHeaders; body: string }[];

	beforeEach(async () => {
		asked = [];
		server = createServer((req, res) => {
			let body = '';
			req.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
			req.on('end', () => {
				asked.push({ path: req.url ?? '', headers: req.headers, body });
				res.writeHead(answer.status, answer.headers).end(answer.body);
			});
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		hookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
	});
	afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

	type Settings = Parameters<typeof sendMessage>[1];
	const base = () => hookUrl.replace('/hook', '');
	const settingsOf: Record<string, () => object> = {
		webhook: () => ({ url: hookUrl, secretEnv: 'SIGNING' }),
		slack: () => ({ urlEnv: 'URL' }),
		discord: () => ({ urlEnv: 'URL' }),
		teams: () => ({ urlEnv: 'URL' }),
		telegram: () => ({ tokenEnv: 'KEY', chatId: -1, apiUrl: base() }),
		pagerduty: () => ({ routingKeyEnv: 'KEY', url: hookUrl }),
		ntfy: () => ({ topicEnv: 'KEY', url: base() }),
		alertmanager: () => ({ urls: [base()] }),
	};
	const send = (type: string) =>
		sendMessage(tools, { type, ...settingsOf[type]?.() } as Settings, message, { ...first, endpoint: type === 'alertmanager' ? base() : '' });

	it.each<[string, typeof answer, typeof answer]>([
		['webhook', { status: 204, body: '' }, { status: 500, body: '' }],
		['slack', { status: 200, body: 'ok' }, { status: 200, body: 'invalid_blocks' }],
		['discord', { status: 204, body: '' }, { status: 400, body: '{"code":50006}' }],
		['teams', { status: 202, body: '' }, { status: 200, body: 'Webhook message delivery failed with error: 429' }],
		['telegram', { status: 200, body: '{"ok":true,"result":{}}' }, { status: 200, body: '{"ok":false,"error_code":400}' }],
		['pagerduty', { status: 202, body: '{"status":"success","dedup_key":"x"}' }, { status: 400, body: '{"status":"invalid event"}' }],
		['ntfy', { status: 200, body: '{"id":"x","event":"message"}' }, { status: 200, body: 'hello' }],
		['alertmanager', { status: 200, body: '' }, { status: 503, body: '' }],
	])('%s: took it, or did not, as the service says it', async (type, taken, refused) => {
		answer = taken;
		expect(await send(type)).toEqual({ kind: 'delivered' });
		answer = refused;
		expect(await send(type)).toMatchObject({ kind: 'failed' });
		expect(asked.map(({ body }) => body.length > 20)).toEqual([true, true]);
	});

	it.each(Object.keys(settingsOf))('%s: 429 waits as long as it is told to', async (type) => {
		answer = { status: 429, headers: { 'retry-after': '17' }, body: '{"retry_after":3,"parameters":{"retry_after":3}}' };
		expect(await send(type)).toMatchObject({ kind: 'failed', status: 429, retryAfterMs: 17_000 });
	});

	it('a reason holds neither the address nor a secret', async () => {
		answer = { status: 500, body: `at ${hookUrl}` };
		for (const type of Object.keys(settingsOf)) {
			const text = JSON.stringify(await send(type));
			expect(text).not.toContain('/hook');
			expect(text).not.toContain('K'.repeat(32));
		}
	});
});
