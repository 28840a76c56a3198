import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { BadSaying, type OnCallDesk } from '#api/on-call-desk.ts';
import { timesOfMaintenance } from '#config/resolve-alerts.ts';
import { maintenanceSchema, matchSchema } from '#config/schema-alerts.ts';
import { parseDuration } from '#core/duration.ts';
import { causes, impacts, type OperatorEntryKind } from '#core/incident.ts';
import { hideInJson } from '#core/redact.ts';
import { acknowledge, listAcknowledgements } from '#db/acknowledgements.ts';
import { listThreads } from '#db/alert-plans.ts';
import { listDisabledEndpoints } from '#db/channel-states.ts';
import { addMaintenance, cancelMaintenance, listStandingMaintenances } from '#db/maintenances.ts';
import { addOperatorEntry } from '#db/operator-entries.ts';
import { countDeliveries, discardDeadLetters, listDeadLetters, replayDeadLetters } from '#db/outbox.ts';
import { addSilence, endSilence, listSilences } from '#db/silences.ts';
import { type Db, transaction } from '#db/sql.ts';
import { listOpenStandingAlerts } from '#db/standing-alerts.ts';

const by = z.string().trim().min(1).max(80);
const words = z.string().trim().min(1).max(2_000);
const noteBody = z.strictObject({ by, text: words });
const overrideBody = z.strictObject({
	by,
	why: words,
	impact: z.enum(impacts).optional(),
	cause: z.enum(causes).optional(),
	falseAlarm: z.literal(true).optional(),
	withdraw: z.literal(true).optional(),
});
const acknowledgeBody = z.strictObject({ by, comment: z.string().trim().max(2_000).default('') });
const choiceBody = z.strictObject({ deliveries: z.array(z.int().positive()).min(1).max(1_000).optional(), channel: z.string().optional() });
const instant = z.iso.datetime({ offset: true, error: 'expected a time with its zone, like "2026-12-24T02:00:00Z"' }).transform((text) => Date.parse(text));
const silenceBody = z.strictObject({
	match: matchSchema.refine((match) => Object.keys(match).length > 0, 'expected at least one of its fields: a silence of everything hides everything'),
	from: instant.optional(),
	until: instant.optional(),
	for: z.string().optional(),
	by,
	comment: words,
});

const longestSilenceMs = 30 * 86_400_000;
const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** @param secrets what may be in no text that is kept, whoever pasted it */
export function createOnCallDesk(db: Db, now: () => number, secrets: () => Promise<readonly string[]> = async () => []): OnCallDesk {
	const clean = async (body: unknown) => hideInJson(body, await secrets());
	return {
		async note(incidentId, body) {
			const said = read(noteBody, await clean(body));
			const added = await addOperatorEntry(db, { incidentId, at: now(), by: said.by, kind: 'note', value: null, body: said.text });
			return added ? { schema: 'linnet.said/1', incident: incidentId } : null;
		},
		async override(incidentId, body) {
			const { by: who, why, impact, cause, falseAlarm, withdraw } = read(overrideBody, await clean(body));
			const entries: { kind: OperatorEntryKind; value: string | null }[] = [
				...(impact === undefined ? [] : [{ kind: 'impact' as const, value: impact }]),
				...(cause === undefined ? [] : [{ kind: 'cause' as const, value: cause }]),
				...(falseAlarm === undefined ? [] : [{ kind: 'false_alarm' as const, value: null }]),
				...(withdraw === undefined ? [] : [{ kind: 'withdrawn' as const, value: null }]),
			];
			const alone = falseAlarm === true || withdraw === true;
			if (entries.length === 0 || (alone && entries.length > 1))
				throw new BadSaying('expected `impact` and/or `cause`, or `falseAlarm: true` alone, or `withdraw: true` alone');
			const at = now();
			const added = await transaction(db, async (tx) => {
				for (const { kind, value } of entries) if (!(await addOperatorEntry(tx, { incidentId, at, by: who, kind, value, body: why }))) return false;
				return true;
			});
			return added ? { schema: 'linnet.said/1', incident: incidentId } : null;
		},
		async alerts() {
			const [threads, standing, dead, counts, disabled] = await Promise.all([
				listThreads(db),
				listOpenStandingAlerts(db),
				listDeadLetters(db),
				countDeliveries(db),
				listDisabledEndpoints(db),
			]);
			const acknowledged = await listAcknowledgements(db, [...new Set(threads.map(({ subjectId }) => subjectId))]);
			return {
				schema: 'linnet.alerts/1',
				alerts: threads.map(({ subjectId, channel, class: alertClass, state, told, toldAt, hold, via, event }) => ({
					...{ subject: subjectId, channel, class: alertClass, title: event.incident.title, impact: event.incident.impact, state, told, hold, via },
					toldAt: iso(toldAt),
				})),
				standing: standing.map(({ id, class: alertClass, kind, key, title, reason, impact, scope, openedAt }) => ({
					...{ id, class: alertClass, kind, key, title, reason, impact, scope },
					openedAt: iso(openedAt),
				})),
				acknowledged: acknowledged.map(({ subjectId, by: who, comment, at }) => ({ subject: subjectId, by: who, comment, at: iso(at) })),
				deliveries: counts.map(({ oldestAt, ...count }) => ({ ...count, oldestAt: iso(oldestAt) })),
				// An endpoint may be a URL that holds a secret: its place in the list is enough.
				disabled: disabled.map(({ channel, disabledAt, reason }) => ({ channel, disabledAt: iso(disabledAt), reason })),
				deadLetters: dead.map(({ deliveryId, messageId, channel, message, attemptCount, createdAt, lastError }) => ({
					...{ delivery: deliveryId, message: messageId, channel, kind: message.kind, attempts: attemptCount, lastError },
					title: message.members[0]?.event.incident.title ?? null,
					createdAt: iso(createdAt),
				})),
			};
		},
		async acknowledge(subjectId, body) {
			const said = read(acknowledgeBody, await clean(body));
			return (await acknowledge(db, { subjectId, by: said.by, comment: said.comment, at: now() })) ? { schema: 'linnet.said/1', subject: subjectId } : null;
		},
		async replay(body) {
			const { deliveries = null, channel = null } = read(choiceBody, body);
			return { schema: 'linnet.moved/1', count: await replayDeadLetters(db, { deliveryIds: deliveries, channel }, now()) };
		},
		async discard(body) {
			const { deliveries = null, channel = null } = read(choiceBody, body);
			return { schema: 'linnet.moved/1', count: await discardDeadLetters(db, { deliveryIds: deliveries, channel }, now()) };
		},
		async silences() {
			const silences = await listSilences(db, now());
			return {
				schema: 'linnet.silences/1',
				silences: silences.map(({ id, match, fromAt, untilAt, createdBy, comment }) => ({
					...{ id, match, by: createdBy, comment },
					from: iso(fromAt),
					until: iso(untilAt),
				})),
			};
		},
		async silence(body) {
			const { match, from, until, for: lasting, by: who, comment } = read(silenceBody, await clean(body));
			const at = now();
			const fromAt = from ?? at;
			const forMs = lasting === undefined ? null : parseDuration(lasting);
			if ((until === undefined) === (lasting === undefined)) throw new BadSaying('expected either `until` or `for`');
			if (lasting !== undefined && forMs === null) throw new BadSaying(`for: expected a duration with its unit, like "2h", got ${JSON.stringify(lasting)}`);
			const untilAt = until ?? fromAt + (forMs ?? 0);
			if (untilAt <= Math.max(fromAt, at)) throw new BadSaying('expected an end that is ahead, and after its start');
			if (untilAt - fromAt > longestSilenceMs) throw new BadSaying('expected at most 30 days: what is muted for longer is forgotten');
			const id = `silence-${randomBytes(6).toString('hex')}`;
			await addSilence(db, { id, match, fromAt, untilAt, createdBy: who, comment, createdAt: at });
			return { schema: 'linnet.silence/1', id, from: iso(fromAt), until: iso(untilAt) };
		},
		async endSilence(id) {
			return (await endSilence(db, id, now())) ? { schema: 'linnet.silence/1', id, until: iso(now()) } : null;
		},
		async maintenances() {
			const standing = await listStandingMaintenances(db, now());
			return {
				schema: 'linnet.maintenances/1',
				maintenances: standing.map(({ id, source, title, scope, recurrence, fromAt, untilAt, durationMs, createdBy }) => ({
					...{ id, source, title, scope, recurrence, by: createdBy, forMs: durationMs },
					...{ from: iso(fromAt), until: iso(untilAt) },
				})),
			};
		},
		async announce(body) {
			const { by: who, ...rest } = read(z.looseObject({ by }), await clean(body));
			const entry = read(maintenanceSchema, rest);
			const faults: string[] = [];
			const times = timesOfMaintenance(entry, (field, message) => faults.push(`${field}: ${message}`));
			if (faults.length > 0) throw new BadSaying(faults.join('; '));
			const id = `maintenance-${randomBytes(6).toString('hex')}`;
			const { title, provider = null, model = null, vantage = null, for: durationMs } = entry;
			const at = now();
			if (times.recurrence === null && times.fromAt + durationMs <= at) throw new BadSaying('expected a window that is not over yet');
			await addMaintenance(db, { id, source: 'api', title, scope: { provider, model, vantage }, durationMs, ...times, createdBy: who, createdAt: at });
			return { schema: 'linnet.maintenance/1', id };
		},
		async cancelMaintenance(id) {
			return (await cancelMaintenance(db, id, now())) ? { schema: 'linnet.maintenance/1', id, cancelled: iso(now()) } : null;
		},
	};
}

/** @throws BadSaying with every fault and its place */
function read<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
	const parsed = schema.safeParse(body);
	if (parsed.success) return parsed.data;
	const faults = parsed.error.issues.slice(0, 5).map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));
	throw new BadSaying(faults.join('; '));
}
