import { Command } from 'commander';
import { readSettings } from './environment.ts';
import { openLog } from './log.ts';
import { runRole } from './run-role.ts';

export function apiCommand(): Command {
	return new Command('api').description('serve the health API and the status page').action(async () => {
		const settings = readSettings();
		const log = openLog(settings, 'api');
		const { startApi } = await import('./start-api.ts');
		await runRole(log, (closing) => startApi(settings, log, closing));
	});
}
