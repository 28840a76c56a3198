import { Command } from 'commander';
import { atDesk, byOption, given } from './at-desk.ts';

const fields = ['class', 'provider', 'model', 'operation', 'vantage', 'scope', 'impact', 'cause'] as const;

type AddOptions = Partial<Record<(typeof fields)[number], string[]>> & { from?: string; until?: string; for?: string; by: string; comment: string };

export function silenceCommand(): Command {
	const command = new Command('silence').description('delay alerts for a while: what is still open at its end is told then, what is over is closed');
	const add = command
		.command('add')
		.description('what matches every field given is not told meanwhile')
		.requiredOption('--comment <text>', 'why')
		.option('--for <duration>', 'from its start, like 2h')
		.option('--from <time>', 'ISO 8601 (default: now)')
		.option('--until <time>', 'ISO 8601')
		.addOption(byOption())
		.action((options: AddOptions) => {
			const { from, until, for: lasting, by, comment } = options;
			const match = given(Object.fromEntries(fields.map((field) => [field, options[field]])));
			return atDesk((desk) => desk.silence({ match, by, comment, ...given({ from, until, for: lasting }) }));
		});
	for (const field of fields) add.option(`--${field} <value...>`, 'one or several');
	command
		.command('list')
		.description('those that last or come')
		.action(() => atDesk((desk) => desk.silences()));
	command
		.command('end')
		.argument('<id>')
		.description('now, and tell what it held')
		.action((id: string) => atDesk((desk) => desk.endSilence(id)));
	return command;
}
