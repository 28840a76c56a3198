import { type ChildProcess, spawn } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort, until } from '#test/e2e/service.ts';

/** As GET /api/v2/alerts gives it. */
export interface HeldAlert {
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly startsAt: string;
	readonly endsAt: string;
	readonly updatedAt: string;
	readonly status: { readonly state: 'active' | 'suppressed' | 'unprocessed'; readonly silencedBy: readonly string[] };
}

export interface TestAlertmanager {
	readonly url: string;
	/** Those that fire, silenced ones too. */
	alerts(): Promise<HeldAlert[]>;
	/** @returns its id */
	silence(matchers: Readonly<Record<string, string>>, untilAt: number): Promise<string>;
	endSilence(id: string): Promise<void>;
	/** Killed and started anew on the same port, with nothing kept: it keeps no alert over a restart anyway. */
	restart(): Promise<void>;
	stop(): Promise<void>;
}

/** The program's path. Without it: null on a laptop, after saying what is left out; with CI set it throws. */
export async function findAlertmanager(): Promise<string | null> {
	for (const directory of (process.env.PATH ?? '').split(delimiter)) {
		for (const name of ['prometheus-alertmanager', 'alertmanager']) {
			const path = join(directory, name);
			const isThere = await access(path).then(
				() => true,
				() => false,
			);
			if (isThere) return path;
		}
	}
	const message = 'what a real Alertmanager does with what it is told (apt-get install prometheus-alertmanager)';
	if (process.env.CI !== undefined) throw new Error(`Nothing may be left out: ${message}`);
	console.error(`\n  LEFT OUT: ${message}.\n`);
	return null;
}

/** One instance on a free port of loopback that belongs to no cluster. @param webhookUrl hears what it would send to people */
export async function startAlertmanager(program: string, webhookUrl: string): Promise<TestAlertmanager> {
	const directory = await mkdtemp(join(tmpdir(), 'linnet-alertmanager-'));
	const port = await freePort();
	const url = `http://127.0.0.1:${port}`;
	const config = join(directory, 'alertmanager.yml');
	const route = { receiver: 'test', group_by: ['incident'], group_wait: '0s', group_interval: '1s' };
	await writeFile(config, JSON.stringify({ route, receivers: [{ name: 'test', webhook_configs: [{ url: webhookUrl, send_resolved: true }] }] }));
	let child: ChildProcess;

	async function start(): Promise<void> {
		const data = await mkdtemp(join(directory, 'data-'));
		const args = [`--config.file=${config}`, `--storage.path=${data}`, `--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='];
		child = spawn(program, args, { stdio: 'ignore' });
		await until('Alertmanager ready', async () => (await fetch(`${url}/-/ready`).catch(() => null))?.ok);
	}
	async function kill(): Promise<void> {
		const exited = new Promise((resolve) => child.once('exit', resolve));
		child.kill('SIGKILL');
		await exited;
	}
	async function ask<Body>(path: string, init?: RequestInit): Promise<Body> {
		const answer = await fetch(`${url}/api/v2/${path}`, init);
		if (!answer.ok) throw new Error(`Expected ${path} to be answered, got ${answer.status}: ${await answer.text()}`);
		return (answer.headers.get('content-length') === '0' ? null : await answer.json()) as Body;
	}

	await start();
	return {
		url,
		alerts: () => ask<HeldAlert[]>('alerts'),
		async silence(matchers, untilAt) {
			const body = JSON.stringify({
				matchers: Object.entries(matchers).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
				startsAt: new Date().toISOString(),
				endsAt: new Date(untilAt).toISOString(),
				createdBy: 'test',
				comment: 'test',
			});
			return (await ask<{ silenceID: string }>('silences', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).silenceID;
		},
		endSilence: async (id) => void (await ask(`silence/${id}`, { method: 'DELETE' })),
		async restart() {
			await kill();
			await start();
		},
		async stop() {
			await kill();
			await rm(directory, { recursive: true, force: true });
		},
	};
}
