/** What an orchestrator and Prometheus ask of the process itself. */
import { setImmediate } from 'node:timers/promises';
import type { Express } from 'express';
import type { ApiTools } from '#api/api-tools.ts';
import { jsonDocument, sendDocument, sendPieces } from '#api/document.ts';
import { exposeAge, exposeSnapshot, exposeTargets, mergeExpositions } from '#api/exposition.ts';
import { Problem } from '#api/problem.ts';
import type { TargetView } from '#core/snapshot.ts';

export function addProcessRoutes(app: Express, tools: ApiTools): void {
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
		const own = view === null ? [] : [exposeSnapshot(view.snapshot)];
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
		await sendPieces(req, res, 'text/plain; version=0.0.4; charset=utf-8', inTurns(view?.snapshot.targets ?? [], mergeExpositions(own)));
	});
}

/** Between two pieces others are answered. */
async function* inTurns(targets: readonly TargetView[], rest: string): AsyncGenerator<string> {
	for (const piece of exposeTargets(targets)) {
		yield piece;
		await setImmediate();
	}
	yield rest;
}
