import { Command } from 'commander';
import { ExpectedError } from './expected-error.ts';
import { version } from './version.ts';

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
/** Only the one that is named is loaded: all of them together take 80 MB and half a second more than a role does. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
	up: async () => (await import('./up.ts')).upCommand(),
	worker: async () => (await import('./worker.ts')).workerCommand(),
	api: async () => (await import('./api.ts')).apiCommand(),
	migrate: async () => (await import('./migrate.ts')).migrateCommand(),
	init: async () => (await import('./init.ts')).initCommand(),
	check: async () => (await import('./check.ts')).checkCommand(),
	cost: async () => (await import('./cost.ts')).costCommand(),
	probe: async () => (await import('./probe.ts')).probeCommand(),
	discover: async () => (await import('./discover.ts')).discoverCommand(),
	detect: async () => (await import('./detect.ts')).detectCommand(),
	drill: async () => (await import('./drill.ts')).drillCommand(),
	export: async () => (await import('./export.ts')).exportCommand(),
	alerts: async () => (await import('./alerts.ts')).alertsCommand(),
	silence: async () => (await import('./silence.ts')).silenceCommand(),
	maintenance: async () => (await import('./maintenance.ts')).maintenanceCommand(),
	incident: async () => (await import('./incident.ts')).incidentCommand(),
	verify: async () => (await import('./verify.ts')).verifyCommand(),
	rebuild: async () => (await import('./rebuild.ts')).rebuildCommand(),
	'import-history': async () => (await import('./import-history.ts')).importHistoryCommand(),
};
const named = process.argv[2] ?? '';
const isNamed = Object.hasOwn(commands, named);
for (const [name, load] of Object.entries(commands)) if (!isNamed || name === named) program.addCommand(await load());

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
