/** What is written beside the code stays true to it. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { operatorAlerts } from '#core/operator-alert.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

test.each([
	'README.md',
	'ARCHITECTURE.md',
	'CONTRIBUTING.md',
	'docs/alerts.md',
	'docs/every-number.md',
	'docs/how-a-verdict-is-reached.md',
	'docs/operations.md',
	'docs/threat-model.md',
])('every link of %s leads to a file', (path) => {
	const links = [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, link]) => link ?? '');
	expect(links.filter((link) => !existsSync(join(root, dirname(path), link)))).toEqual([]);
});

test('every alert of the operator has an entry in the runbook, and no entry is of an alert that is gone', () => {
	const entries = [...read('docs/operations.md').matchAll(/^### ([a-z_]+)$/gm)].map(([, kind]) => kind);
	expect(entries.sort()).toEqual(Object.keys(operatorAlerts).sort());
});

test('what is deployed runs as nobody in particular, on a file system it cannot write', () => {
	const manifests = parseAllDocuments(read('deploy/kubernetes.yaml')).map((document) => document.toJS());
	const pods = manifests.filter(({ spec }) => spec.template !== undefined).map(({ spec }) => spec.template.spec);
	expect(pods).toHaveLength(4);
	for (const pod of pods) {
		expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
		for (const container of pod.containers) expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
	}
	const { services } = parse(read('docker-compose.yml'), { merge: true });
	for (const name of ['api', 'judge', 'probe-1', 'probe-2', 'probe-there']) expect(services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
	expect(read('Dockerfile')).toContain('\nUSER node\n');
});

test('settings that the deployments give are settings that there are', () => {
	const known = read('bin/environment.ts');
	const given = ['docker-compose.yml', 'deploy/kubernetes.yaml', 'deploy/systemd/linnet-api.service', 'deploy/systemd/linnet-worker@.service']
		.map(read)
		.join('\n');
	const names = [...new Set(given.match(/\bLINNET_[A-Z_]+\b/g))];
	expect(names.length).toBeGreaterThan(3);
	expect(names.filter((name) => !known.includes(name))).toEqual([]);
});
