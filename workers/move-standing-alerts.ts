/** What is found now, compared with the standing alerts that are open -> opened, refreshed and resolved, each with what its channels are owed, in one transaction. */
import { type AlertEvent, eventType, type Transition } from '#core/alert.ts';
import type { Cause, Impact, Scope } from '#core/incident.ts';
import type { Log } from '#core/log.ts';
import { type Db, type Tx, transaction } from '#db/sql.ts';
import { listOpenStandingAlerts, openStandingAlert, refreshStandingAlert, resolveStandingAlert, type StandingAlert } from '#db/standing-alerts.ts';
import { type AnnounceTools, owe } from './announce.ts';

export interface StandingFinding {
	readonly kind: string;
	readonly key: string;
	readonly title: string;
	readonly reason: string;
	readonly advice: string | null;
	readonly impact: Impact;
	readonly cause: Cause;
	readonly scope: Scope;
	readonly targetIds: readonly string[];
	readonly link: string | null;
}

export interface StandingTools extends Pick<AnnounceTools, 'routes' | 'simulated'> {
	readonly db: Db;
	readonly log: Log;
	now(): number;
}

/** @returns ids of the alerts that were opened and resolved. One of another kind of process at the same time rolls back and is made up for by the next run. */
export async function moveStandingAlerts(
	tools: StandingTools,
	alertClass: StandingAlert['class'],
	findings: readonly StandingFinding[],
): Promise<{ opened: string[]; resolved: string[] }> {
	const { db, log, now } = tools;
	const at = now();
	const moved = await transaction(db, async (tx) => {
		const opened: StandingAlert[] = [];
		const resolved: StandingAlert[] = [];
		const open = new Map((await listOpenStandingAlerts(tx, alertClass)).map((alert) => [`${alert.kind} ${alert.key}`, alert]));
		for (const finding of findings) {
			const standing = open.get(`${finding.kind} ${finding.key}`);
			open.delete(`${finding.kind} ${finding.key}`);
			if (standing === undefined) opened.push(await begin(tx, tools, alertClass, finding, at));
			else if (standing.reason !== finding.reason) await refreshStandingAlert(tx, standing.id, finding.reason);
		}
		for (const gone of open.values()) {
			const ended = await resolveStandingAlert(tx, gone.id, { reason: gone.reason, at });
			if (ended === null) continue;
			await tell(tx, tools, ended, 'resolved', at);
			resolved.push(ended);
		}
		return { opened, resolved };
	});
	for (const { kind, key, title, reason } of moved.opened) log.warn({ kind, key, reason }, `alert opened: ${title}`);
	for (const { kind, key, title } of moved.resolved) log.info({ kind, key }, `alert resolved: ${title}`);
	return { opened: moved.opened.map(({ id }) => id), resolved: moved.resolved.map(({ id }) => id) };
}

async function begin(tx: Tx, tools: StandingTools, alertClass: StandingAlert['class'], finding: StandingFinding, at: number): Promise<StandingAlert> {
	const { kind, key, title, reason, impact, scope } = finding;
	const id = `${alertClass}-${kind}-${key.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60)}-${at.toString(36)}`;
	const alert = { id, class: alertClass, kind, key, title, reason, impact, scope, openedAt: at };
	await openStandingAlert(tx, alert);
	const opened: StandingAlert = { ...alert, resolvedAt: null, transitionCount: 1 };
	await tell(tx, tools, opened, 'opened', at, finding);
	return opened;
}

async function tell(tx: Tx, tools: StandingTools, alert: StandingAlert, transition: Transition, at: number, finding?: StandingFinding): Promise<void> {
	const { id, class: alertClass, title, reason, impact, scope, openedAt, resolvedAt } = alert;
	const iso = (time: number) => new Date(time).toISOString();
	const event: AlertEvent = {
		type: eventType(alertClass, transition),
		class: alertClass,
		at: iso(at),
		simulated: tools.simulated,
		incident: {
			...{ id, title, scope, impact, reason },
			cause: finding?.cause ?? (alertClass === 'slo' ? 'provider' : 'monitor'),
			status: resolvedAt === null ? 'identified' : 'resolved',
			startedAt: iso(openedAt),
			detectedAt: iso(openedAt),
			resolvedAt: resolvedAt === null ? null : iso(resolvedAt),
			targetIds: finding?.targetIds ?? [],
			evidence: null,
		},
		useInstead: [],
		advice: finding?.advice ?? null,
		link: finding?.link ?? null,
	};
	await owe(tx, { subjectId: id, transition, number: alert.transitionCount, at, event }, tools);
}
