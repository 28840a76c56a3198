/** What on-call says: notes and overrides, acknowledgements, silences, maintenance, dead letters. */
import type { Express, Request, Response } from 'express';
import { type ApiTools, readRecord } from '#api/api-tools.ts';
import { guardAdmin } from '#api/guard-admin.ts';
import { BadSaying, type OnCallDesk } from '#api/on-call-desk.ts';
import { parseQuery } from '#api/parse-query.ts';
import { Problem, quote } from '#api/problem.ts';
import { readBody } from '#api/read-body.ts';

const maxBytes = 16_384;

type Answer = (desk: OnCallDesk, id: string, body: unknown) => Promise<object | null>;

export const adminRoutes: readonly { readonly method: 'get' | 'post' | 'delete'; readonly path: string; readonly summary: string; readonly answer: Answer }[] =
	[
		{ method: 'get', path: '/v1/admin/alerts', summary: 'Open alerts, what waits and why, dead letters', answer: (desk) => desk.alerts() },
		{
			method: 'post',
			path: '/v1/admin/alerts/replay',
			summary: 'Send dead letters again: {deliveries?, channel?}',
			answer: (desk, _, body) => desk.replay(body),
		},
		{
			method: 'post',
			path: '/v1/admin/alerts/discard',
			summary: 'Put dead letters aside: {deliveries?, channel?}',
			answer: (desk, _, body) => desk.discard(body),
		},
		{
			method: 'post',
			path: '/v1/admin/alerts/:id/acknowledge',
			summary: 'Somebody has it: no reminder, no escalation: {by, comment?}',
			answer: (desk, id, body) => desk.acknowledge(id, body),
		},
		{
			method: 'post',
			path: '/v1/admin/incidents/:id/notes',
			summary: 'A note of the operator in the public timeline: {by, text}',
			answer: (desk, id, body) => desk.note(id, body),
		},
		{
			method: 'post',
			path: '/v1/admin/incidents/:id/override',
			summary: 'Override what was judged, visibly: {by, why} with impact, cause, falseAlarm: true or withdraw: true',
			answer: (desk, id, body) => desk.override(id, body),
		},
		{ method: 'get', path: '/v1/admin/silences', summary: 'Silences that last or come', answer: (desk) => desk.silences() },
		{
			method: 'post',
			path: '/v1/admin/silences',
			summary: 'Delay alerts: {match, from?, until or for, by, comment}',
			answer: (desk, _, body) => desk.silence(body),
		},
		{ method: 'delete', path: '/v1/admin/silences/:id', summary: 'End a silence now', answer: (desk, id) => desk.endSilence(id) },
		{ method: 'get', path: '/v1/admin/maintenances', summary: 'Announced maintenance, running or ahead', answer: (desk) => desk.maintenances() },
		{
			method: 'post',
			path: '/v1/admin/maintenances',
			summary: 'Announce maintenance, once or recurring: an entry of `maintenance:`, with `by`',
			answer: (desk, _, body) => desk.announce(body),
		},
		{ method: 'delete', path: '/v1/admin/maintenances/:id', summary: 'Call maintenance off, or end it now', answer: (desk, id) => desk.cancelMaintenance(id) },
	];

export function addAdminRoutes(app: Express, tools: ApiTools): void {
	const guard = guardAdmin(tools);
	for (const { method, path, answer } of adminRoutes) {
		app[method](path, guard, async (req: Request, res: Response) => {
			parseQuery(req, []);
			const { desk } = tools;
			if (desk === undefined) throw new Problem(404, 'unknown-route', 'This server has no desk for on-call');
			const body = method === 'post' ? await readJson(req) : undefined;
			const id = typeof req.params.id === 'string' ? req.params.id : '';
			const said = await readRecord(tools, 'on-call', async () => {
				try {
					return await answer(desk, id, body);
				} catch (error) {
					if (error instanceof BadSaying) return error;
					throw error;
				}
			});
			if (said instanceof BadSaying) throw new Problem(400, 'bad-body', said.message);
			if (said === null) throw new Problem(404, 'unknown-subject', `Expected the id of something that is there, got ${quote(id)}`);
			res.setHeader('Cache-Control', 'no-store');
			res.json(said);
		});
	}
}

async function readJson(req: Request): Promise<unknown> {
	const { text } = await readBody(req, ['application/json'], maxBytes);
	try {
		return JSON.parse(text);
	} catch {
		throw new Problem(400, 'bad-body', 'Expected JSON, got text that is none');
	}
}
