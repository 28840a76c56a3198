import { Command } from 'commander';
import { atDesk, byOption, given } from './at-desk.ts';

interface OverrideOptions {
	readonly by: string;
	readonly why: string;
	readonly impact?: string;
	readonly cause?: string;
	readonly falseAlarm?: true;
	readonly withdraw?: true;
}

export function incidentCommand(): Command {
	const command = new Command('incident').description('say something of an incident: shown to every reader as the operator’s word, beside what was measured');
	command
		.command('note')
		.argument('<id>')
		.argument('<text>')
		.description('a note in its public timeline')
		.addOption(byOption())
		.action((id: string, text: string, { by }: { by: string }) => atDesk((desk) => desk.note(id, { by, text })));
	command
		.command('override')
		.argument('<id>')
		.description('evidence and published numbers stay as measured')
		.requiredOption('--why <text>', 'shown to every reader')
		.option('--impact <impact>', 'none, minor, major or critical')
		.option('--cause <cause>', 'whose trouble it is')
		.option('--false-alarm', 'close it; a relapse is judged anew')
		.option('--withdraw', 'take back what was overridden')
		.addOption(byOption())
		.action((id: string, options: OverrideOptions) => atDesk((desk) => desk.override(id, given(options))));
	return command;
}
