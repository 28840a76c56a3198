/** What an orchestrator and Prometheus ask of the process itself. */
import type { Express } from 'express';
import type { ApiTools } from '#api/api-tools.ts';
import { createDocument, jsonDocument, sendDocument } from '#api/document.ts';
import { exposeAge, exposeSnapshot, mergeExpositions } from '#api/exposition.ts';
import { Problem } from '#api/problem.ts';
import type { SnapshotView } from '#api/snapshot-source.ts';

export function addProcessRoutes(app: Express, tools: ApiTools): void {
	const exposed = new WeakMap<SnapshotView, Promise<string>>();

	app.get('/v1/key', (req, res) => {
		if (tools.signer === undefined || tools.signer === null) throw new Problem(404, 'unsigned', 'This server signs nothing');
		sendDocument(req, res, jsonDocument({ schema: 'linnet.key/1', algorithm: 'Ed25519', publicKey: tools.signer.publicKey }), 'public, max-age=300');
	});

	app.get('/v1/drill', (req, res) => {
		const drill = tools.snapshots.at(tools.now())?.snapshot.drill ?? null;
		if (drill === null) throw new Problem(404, 'no-drill', 'No drill is known to this server');
		sendDocument(req, res, jsonDocument(drill), 'public, max-age=300');
	});

	app.get('/livez', (req, res) => sendDocument(req, res, jsonDocument({ alive: true, version: tools.version }), 'no-store'));

	app.get('/readyz', async (req, res) => {
		const { ready, checks } = await tools.readiness();
		res.status(ready ? 200 : 503);
		sendDocument(req, res, jsonDocument({ ready, checks }), 'no-store');
	});

	app.get('/metrics', async (req, res) => {
		const view = tools.snapshots.at(tools.now());
		const own: string[] = [];
		if (view !== null) {
			let text = exposed.get(view);
			if (text === undefined) {
				text = exposeSnapshot(view.snapshot);
				exposed.set(view, text);
			}
			own.push(await text);
		}
		own.push(exposeAge(view?.snapshot.generatedAt ?? null, tools.now()));
		const readiness = await tools.readiness();
		own.push(`# HELP linnet_ready 1 when the process is ready\n# TYPE linnet_ready gauge\nlinnet_ready ${readiness.ready ? 1 : 0}\n`);
		if (tools.metrics !== undefined) {
			try {
				own.push(await tools.metrics());
			} catch (error) {
				// Another process's trouble must not blind the scrape of this one; the series below says so.
				tools.log.warn({ err: error }, 'metrics of other processes not readable');
				own.push(
					'# HELP linnet_metrics_incomplete 1: the metrics of other processes could not be read\n# TYPE linnet_metrics_incomplete gauge\nlinnet_metrics_incomplete 1\n',
				);
			}
		}
		sendDocument(req, res, createDocument('text/plain; version=0.0.4; charset=utf-8', mergeExpositions(own)), 'no-store');
	});
}
