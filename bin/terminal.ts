/** What a person sees while the service runs. Without a TTY everything is JSON lines, for machines. */
import { styleText } from 'node:util';
import type { Log } from '#core/log.ts';

export interface Terminal {
	readonly interactive: boolean;
	readonly log: Log;
	title(text: string): void;
	/** Runs a step of the start, and shows how it went. */
	step<T>(name: string, run: () => Promise<T>, describe?: (result: T) => string): Promise<T>;
	ready(address: string, demo: boolean): void;
	/** Something changed that a person cares for. */
	change(mark: string, text: string): void;
	/** A line that a child process printed. */
	childLine(name: string, line: string): void;
	onStop(tell: () => void): void;
}

type Style = Parameters<typeof styleText>[0];

export function openTerminal(interactive: boolean): Terminal {
	const write = (text: string) => process.stdout.write(`${text}\n`);
	const clock = () => styleText('dim', new Date().toTimeString().slice(0, 8));
	const say = (style: Style, mark: string, text: string) => write(`${clock()}  ${styleText(style, mark)} ${text}`);
	const facts = (fields: object) =>
		Object.entries(fields)
			.filter(([key, value]) => !['level', 'time', 'role', 'msg'].includes(key) && value !== null && typeof value !== 'object')
			.map(([key, value]) => `${key} ${String(value)}`)
			.join(', ');
	const tell = (level: string, message: string, fields: object) => {
		const detail = facts(fields);
		const text = detail === '' ? message : `${message} ${styleText('dim', `(${detail})`)}`;
		if (level === 'error') say('red', '✗', text);
		else if (level === 'warn') say('yellow', '!', text);
	};
	const quiet: Log = {
		debug() {},
		info() {},
		warn: (fields, message) => tell('warn', message, fields),
		error: (fields, message) => tell('error', message, fields),
	};
	return {
		interactive,
		log: quiet,
		title(text) {
			if (interactive) write(`\n  ${styleText('bold', text)}\n`);
		},
		async step(name, run, describe) {
			const startedMs = performance.now();
			const result = await run();
			if (interactive)
				write(
					`  ${styleText('green', '✓')} ${name.padEnd(20)} ${styleText('dim', `${Math.round(performance.now() - startedMs)} ms  ${describe?.(result) ?? ''}`)}`,
				);
			return result;
		},
		ready(address, demo) {
			if (!interactive) return;
			write(`\n  Status page   ${styleText('cyan', `${address}/`)}`);
			write(`  Router feed   ${styleText('cyan', `${address}/v1/verdicts`)}`);
			write(`  All routes    ${styleText('cyan', `${address}/openapi.json`)}`);
			write(
				styleText(
					'dim',
					demo
						? '\n  First verdicts in about 20 s, the first outage within a minute. Ctrl-C stops; a second start goes on where it was.\n'
						: '\n  Ctrl-C stops.\n',
				),
			);
		},
		change: (mark, text) => {
			if (interactive) say(mark === '●' ? 'green' : mark === '○' ? 'dim' : 'yellow', mark, text);
		},
		childLine(name, line) {
			if (!interactive) {
				// A line that is no JSON (a crash of Node itself) must not be lost, nor break the reader's parser.
				write(line.startsWith('{') ? line : JSON.stringify({ level: 'error', time: new Date().toISOString(), role: name, msg: line }));
				return;
			}
			try {
				const { level, msg, ...fields } = JSON.parse(line) as { level: string; msg: string };
				tell(level, `${name}: ${msg}`, fields);
			} catch {
				say('red', '✗', `${name}: ${line}`);
			}
		},
		onStop(tellStop) {
			let told = false;
			for (const signal of ['SIGINT', 'SIGTERM'] as const) {
				process.on(signal, () => {
					if (told) return;
					told = true;
					if (interactive) write(styleText('dim', '\n  stopping…'));
					tellStop();
				});
			}
		},
	};
}
