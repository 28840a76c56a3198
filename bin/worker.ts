import { Command, Option } from 'commander';
import { readSettings } from './environment.ts';
import { openLog } from './log.ts';
import { runRole } from './run-role.ts';
import type { JobKind } from './start-worker.ts';

export function workerCommand(): Command {
	return new Command('worker')
		.description('take probes from the queue, or judge results, or both')
		.addOption(
			new Option('--jobs <kind>', 'probe: send canaries; judge: roll up, detect, alert, publish')
				.choices(['all', 'probe', 'judge'] satisfies JobKind[])
				.default('all'),
		)
		.action(async ({ jobs }: { jobs: JobKind }) => {
			const settings = readSettings();
			const log = openLog(settings, jobs === 'all' ? 'worker' : jobs);
			const { startWorker } = await import('./start-worker.ts');
			await runRole(log, (closing) => startWorker(settings, jobs, log, closing));
		});
}
