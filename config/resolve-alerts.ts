/** Meaning of what concerns on-call: references between channels and routes, secrets that are what they should be, zones, objectives. */

import { SettingsError } from '#alerts/channel.ts';
import { type ChannelSettings, channelOf } from '#alerts/index.ts';
import { sampleMessage } from '#alerts/sample-message.ts';
import { type AlertRoute, defaultPolicy, type RoutePolicy, scopeKinds } from '#core/alert.ts';
import { formatDuration } from '#core/duration.ts';
import { hash32 } from '#core/hash.ts';
import type { Maintenance } from '#core/maintenance.ts';
import type { Objective } from '#core/objective.ts';
import { formatPercent } from '#core/sli.ts';
import { sloPeriodMs } from '#core/slo.ts';
import type { Target } from '#core/target.ts';
import { instantOf, weekdays } from '#core/wall-clock.ts';
import type { Environment } from './environment.ts';
import type { Fault, Path } from './problem.ts';
import type { Names } from './resolve.ts';
import type { ConfigFile } from './schema.ts';
import type { AlertsFile, MaintenanceEntry } from './schema-alerts.ts';

export interface AlertsConfig {
	readonly channels: Readonly<Record<string, ChannelSettings>>;
	readonly routes: readonly AlertRoute[];
}

export type FileMaintenance = Omit<Maintenance, 'cancelledAt'>;

export interface DeadManSwitch {
	readonly urlEnv: string;
	readonly everyMs: number;
}

type Route = NonNullable<AlertsFile['routes']>[number];

export function resolveAlerts(file: ConfigFile, env: Environment, names: Names, targets: readonly Target[], problems: Fault[]): AlertsConfig {
	const channels: Record<string, ChannelSettings> = file.alerts?.channels ?? {};
	const known = [...names.channels].join(', ') || 'none is defined';
	const checkChannel = (name: string, path: Path) => {
		if (!names.channels.has(name)) problems.push({ path, message: `expected one of the channels (${known}), got "${name}"` });
	};
	for (const [name, settings] of Object.entries(channels)) {
		const at: Path = ['alerts', 'channels', name];
		checkSettings(name, settings, env, at, problems);
		if (settings.fallback === undefined) continue;
		checkChannel(settings.fallback, [...at, 'fallback']);
		if (settings.fallback === name) problems.push({ path: [...at, 'fallback'], message: 'expected another channel: it would fail in the same way' });
	}
	// What a provider lists is not in the file, and a faulty entry is no target.
	const listed = file.providers.some(({ models }) => models === 'discover');
	const models = new Set(targets.map(({ model }) => model));
	const whole = !listed && [...names.models].every((name) => models.has(String(name)));
	const routes = (file.alerts?.routes ?? []).map((route, i): AlertRoute => {
		const at: Path = ['alerts', 'routes', i];
		route.channels.forEach((name, k) => checkChannel(name, [...at, 'channels', k]));
		route.escalate?.channels.forEach((name, k) => {
			checkChannel(name, [...at, 'escalate', 'channels', k]);
			if (route.channels.includes(name))
				problems.push({ path: [...at, 'escalate', 'channels', k], message: `expected another channel: "${name}" hears of it from the start` });
		});
		route.match?.provider?.forEach((name) => {
			if (!names.providers.has(name))
				problems.push({ path: [...at, 'match', 'provider'], message: `a route that can't match: no provider "${name}" in this file` });
		});
		route.match?.model?.forEach((name) => {
			if (!names.models.has(name) && !listed)
				problems.push({ path: [...at, 'match', 'model'], message: `a route that can't match: no model "${name}" in this file` });
		});
		checkClasses(route, at, problems);
		checkScopes(route, at, problems);
		if (whole) checkTargets(route, targets, names, at, problems);
		return { match: route.match ?? {}, channels: route.channels, policy: policyOf(file.alerts ?? { channels: {} }, route) };
	});
	const reached = new Set(routes.flatMap((route) => [...route.channels, ...(route.policy?.escalate?.channels ?? [])]));
	for (const { fallback } of Object.values(channels)) if (fallback !== undefined) reached.add(fallback);
	for (const name of Object.keys(channels)) {
		if (!reached.has(name))
			problems.push({ path: ['alerts', 'channels', name], message: `a channel nobody routes to: name it in \`alerts.routes\`, or remove it` });
	}
	return { channels, routes };
}

/** The message of a test is worded as it would be sent: what a secret must look like shows here, not at night. */
function checkSettings(name: string, settings: ChannelSettings, env: Environment, at: Path, problems: Fault[]): void {
	const channel = channelOf(settings);
	const missing = channel.secretEnvs(settings).filter((envName) => !env[envName]);
	for (const envName of missing)
		problems.push({ path: at, message: `expected the environment variable ${envName} to be set: channel "${name}" (${settings.type}) needs it` });
	if (missing.length > 0) return;
	try {
		for (const endpoint of channel.endpoints(settings))
			channel.wire(sampleMessage(0), settings, { id: 'check', sequence: 1, endpoint, at: new Date(0), secret: (envName) => env[envName] ?? '' });
	} catch (error) {
		problems.push({ path: at, message: error instanceof SettingsError ? error.message : `channel "${name}" can't word a message: ${(error as Error).name}` });
	}
}

const providerCauses = new Set(['provider', 'maintenance']);

/** A class and a cause that never meet. */
function checkClasses({ match }: Route, at: Path, problems: Fault[]): void {
	if (match?.class === undefined || match.cause === undefined) return;
	const meets = match.cause.some((cause) => match.class?.includes(providerCauses.has(cause) ? 'provider' : 'operator') || match.class?.includes('slo'));
	if (!meets)
		problems.push({ path: [...at, 'match', 'cause'], message: `a route that can't match: no alert of class ${match.class.join(', ')} has this cause` });
}

/** What an incident of each scope names. */
const namedIn: Readonly<Record<(typeof scopeKinds)[number], readonly ('provider' | 'model' | 'operation')[]>> = {
	target: ['provider', 'model', 'operation'],
	model: ['provider', 'model', 'operation'],
	provider: ['provider', 'operation'],
	vantage: ['operation'],
	everything: ['operation'],
};

/** A scope whose incidents leave open what the route asks for. */
function checkScopes({ match }: Route, at: Path, problems: Fault[]): void {
	if (match?.scope === undefined) return;
	const asked = (['provider', 'model', 'operation'] as const).filter((key) => match[key] !== undefined);
	if (!match.scope.some((kind) => asked.every((key) => namedIn[kind].includes(key))))
		problems.push({
			path: [...at, 'match', 'scope'],
			message: `a route that can't match: an incident of scope ${match.scope.join(', ')} names no ${asked.join(' and ')}`,
		});
}

/** Each is in the file, but no target is all of it. */
function checkTargets({ match = {} }: Route, targets: readonly Target[], names: Names, at: Path, problems: Fault[]): void {
	const { provider, model, operation } = match;
	if (provider?.some((name) => !names.providers.has(name)) || model?.some((name) => !names.models.has(name))) return;
	const fits = (target: Target) =>
		(provider?.includes(target.provider) ?? true) && (model?.includes(target.model) ?? true) && (operation?.includes(target.operation) ?? true);
	if (targets.length > 0 && !targets.some(fits))
		problems.push({ path: [...at, 'match'], message: `a route that can't match: no target of this file has all of its provider, model and operation` });
}

function policyOf(alerts: AlertsFile, route: Route): RoutePolicy {
	return {
		groupBy: route.groupBy ?? alerts.groupBy ?? defaultPolicy.groupBy,
		groupWaitMs: route.groupWait ?? alerts.groupWait ?? defaultPolicy.groupWaitMs,
		groupIntervalMs: route.groupInterval ?? alerts.groupInterval ?? defaultPolicy.groupIntervalMs,
		repeatEveryMs: route.repeatEvery ?? alerts.repeatEvery ?? defaultPolicy.repeatEveryMs,
		escalate: route.escalate === undefined ? null : { afterMs: route.escalate.after, channels: route.escalate.channels },
		quiet: (route.quiet ?? []).map(({ from, to, days, timeZone, except }) => ({
			fromMinute: from,
			toMinute: to,
			days: days ?? weekdays,
			timeZone: timeZone ?? alerts.timeZone ?? 'UTC',
			except: except ?? [],
		})),
	};
}

export function resolveObjectives(file: ConfigFile, targets: readonly Target[], problems: Fault[]): Objective[] {
	const seen = new Set<string>();
	return (file.slos ?? []).map(({ name, provider = null, model = null, target = null, objective, window = sloPeriodMs }, i): Objective => {
		const at: Path = ['slos', i];
		if (provider === null && model === null && target === null) problems.push({ path: at, message: 'missing: expected `provider`, `model` or `target`' });
		if (target !== null && (provider !== null || model !== null))
			problems.push({ path: [...at, 'target'], message: 'expected `target` alone: it names its provider and model' });
		const matching = targets.filter(
			(each) => (target === null || each.id === target) && (provider === null || each.provider === provider) && (model === null || each.model === model),
		);
		if (matching.length === 0 && targets.length > 0) problems.push({ path: at, message: 'an objective of nothing: no target of this file matches' });
		const one = target === null ? undefined : matching[0];
		const scope = { provider: one?.provider ?? provider, model: one?.model ?? model, operation: one?.operation ?? null };
		const id = `slo-${digest(JSON.stringify([scope, objective, window]))}`;
		if (seen.has(id)) problems.push({ path: at, message: 'duplicate objective' });
		seen.add(id);
		const what = name ?? target ?? [model, provider].filter((part) => part !== null).join(' on ');
		const title = `${what}: ${formatPercent(objective, 3).replace(/\.?0+ %$/, ' %')} over ${formatDuration(window)}`;
		return { id, title, scope, objectiveRatio: objective, periodMs: window, targetIds: matching.map((each) => each.id) };
	});
}

export function resolveMaintenances(file: ConfigFile, names: Names, problems: Fault[]): FileMaintenance[] {
	return (file.maintenance ?? []).map((entry, i): FileMaintenance => {
		const { title, provider = null, model = null, vantage = null, for: durationMs } = entry;
		const at: Path = ['maintenance', i];
		if (provider !== null && !names.providers.has(provider))
			problems.push({ path: [...at, 'provider'], message: `maintenance of nothing: no provider "${provider}" in this file` });
		if (model !== null && !names.models.has(model))
			problems.push({ path: [...at, 'model'], message: `maintenance of nothing: no model "${model}" in this file` });
		const id = `file-${digest(JSON.stringify(entry))}`;
		return {
			id,
			title,
			scope: { provider, model, vantage },
			durationMs,
			...timesOfMaintenance(entry, (field, message) => problems.push({ path: [...at, field], message })),
		};
	});
}

/** A recurring one begins before any that matters, on a day that never moves: so its id and windows don't depend on when the file was read. */
export function timesOfMaintenance(
	entry: MaintenanceEntry,
	fault: (field: string, message: string) => void,
): Pick<FileMaintenance, 'fromAt' | 'recurrence' | 'untilAt'> {
	if ('from' in entry) return { fromAt: entry.from, recurrence: null, untilAt: null };
	const { every, on, at: minute, timeZone = 'UTC', until = null } = entry;
	const fromAt = instantOf(2025, 1, 1, minute, timeZone);
	if (every === 'day') {
		if (on !== undefined) fault('on', 'only with `every: week` or `every: month`');
		return { fromAt, recurrence: { every, timeZone }, untilAt: until };
	}
	if (every === 'month') {
		if (typeof on !== 'number') fault('on', 'expected the day of the month, 1 to 31');
		return { fromAt, recurrence: { every, day: typeof on === 'number' ? on : 1, timeZone }, untilAt: until };
	}
	if (!Array.isArray(on)) fault('on', `expected weekdays: ${weekdays.join(', ')}`);
	return { fromAt, recurrence: { every, days: Array.isArray(on) ? on : [], timeZone }, untilAt: until };
}

export function resolveDeadManSwitch({ deadManSwitch }: ConfigFile, env: Environment, problems: Fault[]): DeadManSwitch | null {
	if (deadManSwitch === undefined) return null;
	const { urlEnv, every = 60_000 } = deadManSwitch;
	const text = env[urlEnv];
	if (!text) problems.push({ path: ['deadManSwitch', 'urlEnv'], message: `expected the environment variable ${urlEnv} to be set` });
	else if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
		problems.push({ path: ['deadManSwitch', 'urlEnv'], message: `expected the variable ${urlEnv} to hold an http or https URL` });
	return { urlEnv, everyMs: every };
}

function digest(text: string): string {
	return [text, `${text}.`].map((each) => hash32(each).toString(16).padStart(8, '0')).join('');
}
