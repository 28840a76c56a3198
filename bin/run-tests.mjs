// `npm test`: every test. What a laptop lacks (Redis, Chromium) is named and left out; with CI=true it fails instead.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

const needs = [
	{ project: 'redis', what: 'redis-server', binaries: ['redis-server'], install: 'apt-get install redis-server' },
	{ project: 'browser', what: 'Chromium', binaries: ['chromium', 'chromium-browser', 'google-chrome'], install: 'apt-get install chromium' },
];
// Those of one file only, which leaves itself out.
const extras = [
	{ what: 'Prometheus', binaries: ['promtool'], tests: 'Prometheus contract', install: 'apt-get install prometheus' },
	{
		what: 'Alertmanager',
		binaries: ['prometheus-alertmanager', 'alertmanager'],
		tests: 'Alertmanager contract',
		install: 'apt-get install prometheus-alertmanager',
	},
];
const onPath = (name) => (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, name)));
const missing = needs.filter(({ binaries }) => !binaries.some(onPath));
const missingExtras = extras.filter(({ binaries }) => !binaries.some(onPath));
const say = () => {
	for (const { project, what, install } of missing)
		console.error(`\n  LEFT OUT: the ${project} tests, because there is no ${what} on this machine (${install}).`);
	for (const { what, tests, install } of missingExtras)
		console.error(`\n  LEFT OUT: the ${tests} tests, because there is no ${what} on this machine (${install}).`);
};
if (missing.length + missingExtras.length > 0 && process.env.CI) {
	say();
	console.error('\n  With CI set nothing may be left out.\n');
	process.exit(1);
}
const projects = ['unit', 'contract', 'db', 'redis', 'browser', 'e2e'].filter((project) => !missing.some((one) => one.project === project));
const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '..', 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', ...projects.flatMap((project) => ['--project', project]), ...process.argv.slice(2)], {
	stdio: 'inherit',
});
say();
process.exit(status ?? 1);
