import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

export interface Nginx {
	readonly url: string;
	/** Of its one worker, so far. */
	cpuUs(): Promise<number>;
	stop(): Promise<void>;
}

// Linux counts in ticks of 1/100 s (man 5 proc).
const tickUs = 10_000;

/** nginx with one worker on a free port of loopback, the files and their gzipped forms in a folder of its own; null when it is not installed. */
export async function startNginx(files: ReadonlyMap<string, string>): Promise<Nginx | null> {
	const dir = await mkdtemp(join(tmpdir(), 'linnet-nginx-'));
	await chmod(dir, 0o755);
	for (const [name, text] of files) {
		await writeFile(join(dir, `${name}.json`), text);
		await writeFile(join(dir, `${name}.json.gz`), gzipSync(text, { level: 6 }));
	}
	const port = await freePort();
	await writeFile(
		join(dir, 'nginx.conf'),
		`daemon off; worker_processes 1; pid ${dir}/pid; error_log stderr error;
events { worker_connections 512; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=100; default_type application/json;
	server { listen 127.0.0.1:${port}; root ${dir}; gzip_static on; add_header Cache-Control "public, max-age=2"; }
}
`,
	);
	const child = spawn('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf')], { stdio: 'inherit' });
	const failed = await Promise.race([once(child, 'error').then(() => true), once(child, 'spawn').then(() => false)]);
	if (failed) {
		await rm(dir, { recursive: true });
		return null;
	}
	const url = `http://127.0.0.1:${port}`;
	const workerPid = async () => (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '')).trim().split(' ')[0] ?? '';
	while ((await workerPid()) === '' || !(await fetch(url).catch(() => null))) await pause(50);
	const pid = await workerPid();
	return {
		url,
		async cpuUs() {
			const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
			const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
			return (Number(fields[11]) + Number(fields[12])) * tickUs;
		},
		async stop() {
			const exited = once(child, 'exit');
			child.kill('SIGTERM');
			await exited;
			await rm(dir, { recursive: true });
		},
	};
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, 'close');
	return port;
}
