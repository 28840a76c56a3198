import { Command } from 'commander';
import { atDesk, byOption, given } from './at-desk.ts';

interface AddOptions {
	readonly title: string;
	readonly provider?: string;
	readonly model?: string;
	readonly vantage?: string;
	readonly for: string;
	readonly from?: string;
	readonly every?: string;
	readonly at?: string;
	readonly on?: string[];
	readonly timeZone?: string;
	readonly until?: string;
	readonly by: string;
}

export function maintenanceCommand(): Command {
	const command = new Command('maintenance').description('announce work: what fails meanwhile is no incident, and alerts wait until its end');
	command
		.command('add')
		.description('a window, once (--from) or recurring (--every, --at)')
		.requiredOption('--title <text>', 'for people; shown on the page')
		.requiredOption('--for <duration>', 'like 30m')
		.option('--provider <id>')
		.option('--model <id>')
		.option('--vantage <name>')
		.option('--from <time>', 'ISO 8601, once')
		.option('--every <period>', 'day, week or month')
		.option('--at <time>', 'local time of day of a recurring one, like 02:30')
		.option('--on <day...>', 'weekdays (sun … sat), or the day of the month')
		.option('--time-zone <name>', 'of a recurring one (default: UTC)')
		.option('--until <time>', 'ISO 8601: none begins after it')
		.addOption(byOption())
		.action(({ on, ...options }: AddOptions) => {
			const day = on?.length === 1 && /^\d+$/.test(on[0] ?? '') ? Number(on[0]) : on;
			return atDesk((desk) => desk.announce({ ...given(options), ...given({ on: day }) }));
		});
	command
		.command('list')
		.description('running or ahead')
		.action(() => atDesk((desk) => desk.maintenances()));
	command
		.command('cancel')
		.argument('<id>')
		.description('call it off, or end it now')
		.action((id: string) => atDesk((desk) => desk.cancelMaintenance(id)));
	return command;
}
