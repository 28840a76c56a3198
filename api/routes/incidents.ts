/** Incidents and objectives: those of the last 90 days from memory, older ones by id from the record. */
import type { Express } from 'express';
import { type ApiTools, feedCache, readRecord, readSnapshot } from '#api/api-tools.ts';
import { jsonDocument, sendDocument } from '#api/document.ts';
import { oneOf, parseLimit, parsePathId, parseQuery, single } from '#api/parse-query.ts';
import { Problem, quote } from '#api/problem.ts';
import { officialView, slosView } from '#api/public-views.ts';
import type { Incident } from '#core/incident.ts';
import { incidentView } from '#core/incident-view.ts';
import type { Snapshot } from '#core/snapshot.ts';

/** Only what the public document may show: the operator's own troubles (keys, wallet) stay in. */
const publicCauses: readonly Incident['cause'][] = ['provider', 'monitor'];

export function addIncidentRoutes(app: Express, tools: ApiTools): void {
	app.get('/v1/incidents', (req, res) => {
		const query = parseQuery(req, ['status', 'limit']);
		const status = single('status', query.status);
		const wanted = status === null ? null : oneOf('status', status, ['open', 'resolved']);
		const limit = parseLimit(query.limit, 200, 200);
		sendDocument(req, res, readSnapshot(tools, res).documents.incidents(wanted, limit), feedCache);
	});

	app.get('/v1/official', (req, res) => {
		const query = parseQuery(req, ['provider', 'limit']);
		const providers = query.provider ?? [];
		const limit = parseLimit(query.limit, 100, 100);
		const { documents } = readSnapshot(tools, res);
		const make = (snapshot: Snapshot) => JSON.stringify(officialView(snapshot, providers, limit));
		sendDocument(req, res, documents.made(`official ${JSON.stringify(providers)} ${limit}`, 'application/json; charset=utf-8', make), feedCache);
	});

	app.get('/v1/slos', (req, res) => {
		parseQuery(req, []);
		const { documents } = readSnapshot(tools, res);
		const make = (snapshot: Snapshot) => JSON.stringify(slosView(snapshot));
		sendDocument(req, res, documents.made('slos', 'application/json; charset=utf-8', make), feedCache);
	});

	app.get('/v1/incidents/:id', async (req, res) => {
		parseQuery(req, []);
		const id = parsePathId(req.path.slice('/v1/incidents/'.length));
		let incident = readSnapshot(tools, res).snapshot.incidents.find((known) => known.id === id);
		if (incident === undefined) {
			const recorded = await readRecord(tools, 'incident', () => tools.evidence.incident(id));
			if (recorded !== null && publicCauses.includes(recorded.override?.judged.cause ?? recorded.cause)) incident = incidentView(recorded);
		}
		if (incident === undefined) throw new Problem(404, 'unknown-incident', `Expected the id of an incident, listed at /v1/incidents, got ${quote(id)}`);
		sendDocument(req, res, jsonDocument({ schema: 'linnet.incident/1', incident }), feedCache);
	});
}
