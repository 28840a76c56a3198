import { Command } from 'commander';
import { alertsCommand } from './alerts.ts';
import { apiCommand } from './api.ts';
import { checkCommand } from './check.ts';
import { costCommand } from './cost.ts';
import { detectCommand } from './detect.ts';
import { discoverCommand } from './discover.ts';
import { drillCommand } from './drill.ts';
import { ExpectedError } from './expected-error.ts';
import { exportCommand } from './export.ts';
import { importHistoryCommand } from './import-history.ts';
import { incidentCommand } from './incident.ts';
import { initCommand } from './init.ts';
import { maintenanceCommand } from './maintenance.ts';
import { migrateCommand } from './migrate.ts';
import { probeCommand } from './probe.ts';
import { rebuildCommand } from './rebuild.ts';
import { silenceCommand } from './silence.ts';
import { upCommand } from './up.ts';
import { verifyCommand } from './verify.ts';
import { version } from './version.ts';
import { workerCommand } from './worker.ts';

const program = new Command('linnet')
	.description('Measures how reliable LLM providers really are: canary probes, a record, a verdict, a feed for routers, a status page.')
	.version(version)
	.showHelpAfterError('(add --help for the commands and options)')
	.configureHelp({ sortSubcommands: false })
	.addHelpText(
		'after',
		`
Environment:
  DATABASE_URL          a Postgres 15 or later (default: the embedded one, in .linnet/)
  REDIS_URL             the queue on Redis instead of Postgres: many workers, many regions
  LINNET_CONFIG         the configuration (default: linnet.yaml; without the file \`up\` runs the demo)
  LINNET_DATA           directory of the embedded Postgres, the spool and the site (default: .linnet)
  LINNET_VANTAGE        where this worker probes from (default: local)
  LINNET_ADMIN_TOKEN    opens the admin routes (default: none, they are closed)
  HOST, PORT            where the API and the page listen (default: 127.0.0.1, 8080)
  LOG_LEVEL             debug, info, warn or error (default: info)
  OTEL_EXPORTER_OTLP_ENDPOINT  a collector for traces of each probe's road (default: none, nothing is loaded)

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`,
	);
for (const command of [
	upCommand,
	workerCommand,
	apiCommand,
	migrateCommand,
	initCommand,
	checkCommand,
	costCommand,
	probeCommand,
	discoverCommand,
	detectCommand,
	drillCommand,
	exportCommand,
	alertsCommand,
	silenceCommand,
	maintenanceCommand,
	incidentCommand,
	verifyCommand,
	rebuildCommand,
	importHistoryCommand,
])
	program.addCommand(command());

program.exitOverride((error) => {
	// commander has printed already; its own exit code for a usage error is 1.
	process.exit(error.exitCode === 0 ? 0 : 2);
});
for (const command of program.commands)
	command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2)).showHelpAfterError(`(try: linnet ${command.name()} --help)`);

try {
	await program.parseAsync();
} catch (error) {
	if (error instanceof ExpectedError) {
		console.error(`linnet: ${error.message}`);
		process.exit(error.exitCode);
	}
	console.error('linnet: failed', error);
	process.exit(1);
}
