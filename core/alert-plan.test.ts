import { describe, expect, it } from 'vitest';
import { eventOfModel, sampleEvent, sampleThread } from '#test/sample-alert.ts';
import { sampleNow } from '#test/sample-results.ts';
import { type AlertRoute, defaultPolicy, type RoutePolicy } from './alert.ts';
import { newsOf, planAlerts } from './alert-plan.ts';
import type { Group, PlanInput, Thread } from './alert-thread.ts';
import { weekdays } from './wall-clock.ts';

const second = 1_000;
const minute = 60 * second;
const now = sampleNow;
const group: Group = {
	id: 'inc-a',
	channel: 'pager',
	key: '["provider","groq"]',
	open: true,
	lastMessageAt: now - 2 * minute,
	worstImpact: 'major',
	pendingCount: 0,
};
const route = (policy: Partial<RoutePolicy> = {}): AlertRoute => ({ match: {}, channels: ['pager'], policy: { ...defaultPolicy, ...policy } });
const model = (name: string, changes: Partial<Thread> = {}, transition: 'opened' | 'resolved' = 'opened') =>
	sampleThread({ event: eventOfModel(name, {}, transition), ...changes });
const told = (changes: Partial<Thread> = {}): Partial<Thread> => ({ told: 'open', toldTransition: 1, toldAt: now - 2 * minute, groupId: 'inc-a', ...changes });
const over = (changes: Partial<Thread> = {}): Partial<Thread> => ({ state: 'resolved', transition: 2, changedAt: now, ...changes });

function plan(threads: readonly Thread[], changes: Partial<PlanInput> = {}) {
	const input: PlanInput = {
		now,
		threads,
		groups: [],
		routes: [route()],
		silences: [],
		maintenances: [],
		acknowledged: new Map(),
		resendEveryMs: new Map(),
		...changes,
	};
	const { messages, holds, untold, escalations } = planAlerts(input);
	return {
		messages: messages.map(
			({ reason, message, open, groupId }) =>
				`${reason} ${message.kind}: ${message.members.map(({ news, event }) => `${news} ${event.incident.id}`).join(', ')} in ${groupId}${open ? '' : ', over'}`,
		),
		holds: holds.map(({ subjectId, reason }) => `${subjectId} ${reason.kind}`),
		untold: untold.map(({ subjectId, transition }) => `${subjectId} ${transition}`),
		escalations: escalations.map(({ subjectId, channel }) => `${subjectId} ${channel}`),
	};
}

describe('what a channel does not know yet', () => {
	it.each<[string, Partial<Thread>, ReturnType<typeof newsOf>]>([
		['nothing was told of what is open', {}, 'new'],
		['it was told', told(), null],
		['it was told, and got worse', told({ transition: 2 }), 'changed'],
		['it was told, and is over', { ...told(), ...over() }, 'resolved'],
		['the end was told', { ...told({ told: 'resolved', toldTransition: 2 }), ...over() }, null],
		['the end was told, and it is back', told({ told: 'resolved', toldTransition: 2, transition: 3, openTransition: 3 }), 'again'],
		['it was over and came back without a word', told({ transition: 3, openTransition: 3 }), 'again'],
		['it was over before anything was told', over(), 'over'],
		['that it was over is known', over({ toldTransition: 2 }), null],
		['it came back after it was over without a word', { toldTransition: 2, transition: 3, openTransition: 3 }, 'new'],
	])('%s', (_, changes, expected) => {
		expect(newsOf(sampleThread(changes))).toBe(expected);
	});
});

describe('one message for one trouble', () => {
	it('waits for its siblings first, and then tells all of them at once', () => {
		const threads = [model('a', { changedAt: now - 9 * second }), model('b', { changedAt: now })];
		expect(plan(threads).messages).toEqual([]);
		expect(plan(threads, { now: now + second }).messages).toEqual(['first opened: new inc-a, new inc-b in inc-a']);
	});

	it('forty models of a provider are one message', () => {
		const threads = Array.from({ length: 40 }, (_, i) => model(`m${i}`));
		expect(plan(threads).messages).toHaveLength(1);
	});

	it('two providers are two messages, and so are two classes', () => {
		const other = sampleThread({ event: sampleEvent({ incident: { id: 'x', scope: { provider: 'other', model: 'm', operation: 'chat', vantage: null } } }) });
		const ours = sampleThread({ event: sampleEvent({ class: 'operator', incident: { id: 'key' } }) });
		expect(plan([model('a'), other, ours]).messages).toHaveLength(3);
	});

	it.each([
		['model', 2],
		['incident', 3],
		['provider', 1],
	] as const)('grouped by %s, three incidents of two models are %d messages', (groupBy, count) => {
		const embeddings = sampleThread({
			event: sampleEvent({ incident: { id: 'e', scope: { provider: 'groq', model: 'a', operation: 'embeddings', vantage: null } } }),
		});
		expect(plan([model('a'), embeddings, model('b')], { routes: [route({ groupBy })] }).messages).toHaveLength(count);
	});

	it('more of the same waits for the interval', () => {
		const threads = [model('a', told()), model('b')];
		expect(plan(threads, { groups: [group] }).messages).toEqual([]);
		expect(plan(threads, { groups: [group], now: now + 3 * minute }).messages).toEqual(['more opened: new inc-b, same inc-a in inc-a']);
	});

	it('what is worse than told does not wait for the interval', () => {
		const worse = sampleThread({ event: eventOfModel('b', { incident: { impact: 'critical' } }) });
		expect(plan([model('a', told()), worse], { groups: [group] }).messages).toEqual(['worse opened: new inc-b, same inc-a in inc-a']);
	});

	it('the end of all of it is told at once; the end of a part waits for the interval', () => {
		const ended = model('a', { ...told(), ...over() }, 'resolved');
		expect(plan([ended], { groups: [group] }).messages).toEqual(['all_over resolved: resolved inc-a in inc-a, over']);
		expect(plan([ended, model('b', told())], { groups: [group] }).messages).toEqual([]);
		expect(plan([ended, model('b', told())], { groups: [group], now: now + 3 * minute }).messages).toEqual([
			'more updated: resolved inc-a, same inc-b in inc-a',
		]);
	});

	it('a relapse is told at most once an interval, under the id that it had', () => {
		const again = model('a', told({ told: 'resolved', toldTransition: 2, transition: 3, openTransition: 3, changedAt: now - minute }));
		expect(plan([again]).messages).toEqual([]);
		expect(plan([again], { now: now + 3 * minute }).messages).toEqual(['first reopened: again inc-a in inc-a']);
	});

	it('a relapse that joins the message of others waits until its own end has got through', () => {
		const again = { told: 'resolved', toldTransition: 2, transition: 3, openTransition: 3, changedAt: now - 5 * minute, groupId: 'inc-b' } as const;
		const threads = (pendingCount: number) => [model('a', told()), model('b', told({ ...again, toldAt: now - 9 * minute, pendingCount }))];
		expect(plan(threads(1), { groups: [{ ...group, lastMessageAt: now - 9 * minute }] }).messages).toEqual([]);
		expect(plan(threads(0), { groups: [{ ...group, lastMessageAt: now - 9 * minute }] }).messages).toEqual(['more reopened: again inc-b, same inc-a in inc-a']);
	});

	it('a resolve finds its group also when the grouping was changed meanwhile', () => {
		const ended = model('a', { ...told(), ...over() }, 'resolved');
		expect(plan([ended], { groups: [{ ...group, key: 'another' }], routes: [route({ groupBy: 'model' })] }).messages).toEqual([
			'all_over resolved: resolved inc-a in inc-a, over',
		]);
	});

	it('what was over before a word is owed nothing', () => {
		expect(plan([model('a', over(), 'resolved')])).toMatchObject({ messages: [], untold: ['inc-a 2'] });
	});
});

describe('a mute', () => {
	const silence = { id: 's', match: { provider: ['groq'] }, fromAt: now - minute, untilAt: now + minute };
	const window = { id: 'm', title: 't', scope: { provider: 'groq', model: null, vantage: null }, fromAt: now - minute, toAt: now + minute };
	const quiet = [{ fromMinute: 0, toMinute: 23 * 60 + 59, days: weekdays, timeZone: 'UTC', except: ['critical' as const] }];

	it.each<[string, Partial<PlanInput>, string]>([
		['a silence', { silences: [silence] }, 'silence'],
		['maintenance', { maintenances: [window] }, 'maintenance'],
		['quiet hours', { routes: [route({ quiet })] }, 'quiet_hours'],
	])('%s holds back a trigger and a resolve alike', (_, changes, kind) => {
		const ended = model('b', { ...told(), ...over() }, 'resolved');
		expect(plan([model('a'), ended], { groups: [group], ...changes })).toMatchObject({ messages: [], holds: [`inc-a ${kind}`, `inc-b ${kind}`] });
	});

	it('at its end there is one message of what is still true and of what ended, and none of what came and went', () => {
		const threads = [
			model('a', { changedAt: now - 9 * minute }),
			model('b', { ...told(), ...over({ changedAt: now - 5 * minute }) }, 'resolved'),
			model('c', over({ changedAt: now - 5 * minute }), 'resolved'),
			model('d', told({ transition: 3, openTransition: 3, changedAt: now - 5 * minute })),
		];
		const groups = [{ ...group, lastMessageAt: now - 20 * minute }];
		expect(plan(threads, { groups, silences: [silence] })).toMatchObject({ messages: [], untold: ['inc-c 2'] });
		expect(plan(threads, { groups, silences: [silence], now: now + minute })).toMatchObject({
			messages: ['more opened: new inc-a, again inc-d, resolved inc-b in inc-a'],
			holds: [],
		});
	});

	it('maintenance of a provider does not hide our own trouble, a silence may', () => {
		const key = sampleThread({ event: sampleEvent({ class: 'operator' }) });
		expect(plan([key], { maintenances: [window] }).messages).toHaveLength(1);
		expect(plan([key], { silences: [silence] }).messages).toHaveLength(0);
	});

	it('quiet hours let an excepted impact through', () => {
		const critical = sampleThread({ event: sampleEvent({ incident: { impact: 'critical' } }) });
		expect(plan([critical], { routes: [route({ quiet })] }).messages).toHaveLength(1);
	});
});

describe('a provider that is down', () => {
	const provider = (changes: Partial<Thread> = {}) =>
		sampleThread({
			event: sampleEvent({ incident: { id: 'inc-p', impact: 'critical', scope: { provider: 'groq', model: null, operation: null, vantage: null } } }),
			...changes,
		});

	it('stands for its models', () => {
		expect(plan([provider(), model('a')])).toMatchObject({ messages: ['first opened: new inc-p in inc-p'], holds: ['inc-a inhibited'] });
	});

	it('does not where the channel does not hear of it', () => {
		expect(plan([provider({ channel: 'chat' }), model('a')]).holds).toEqual([]);
	});

	it('does not for what is worse than itself, and not for another provider', () => {
		const worse = sampleThread({ event: eventOfModel('a', { incident: { impact: 'critical' } }) });
		const minor = sampleThread({
			event: sampleEvent({ incident: { id: 'inc-p', impact: 'minor', scope: { provider: 'groq', model: null, operation: null, vantage: null } } }),
		});
		expect(plan([minor, worse]).holds).toEqual([]);
		const other = sampleThread({ event: sampleEvent({ incident: { id: 'o', scope: { provider: 'other', model: 'a', operation: 'chat', vantage: null } } }) });
		expect(plan([provider(), other]).holds).toEqual([]);
	});

	it('never hides the end of what was told', () => {
		const ended = model('a', { ...told(), ...over({ changedAt: now - minute }) }, 'resolved');
		expect(plan([provider(told({ groupId: 'inc-a' })), ended], { groups: [{ ...group, lastMessageAt: now - 9 * minute }] }).messages).toEqual([
			'more updated: resolved inc-a, same inc-p in inc-a',
		]);
	});

	it('once it is over, a model that is still down is told', () => {
		expect(plan([provider({ state: 'resolved', transition: 2, told: 'resolved', toldTransition: 2 }), model('a')]).messages).toEqual([
			'first opened: new inc-a in inc-a',
		]);
	});
});

describe('a reminder', () => {
	const routes = [route({ repeatEveryMs: 60 * minute })];
	const open = [model('a', told()), model('b', told())];
	const due = { groups: [{ ...group, lastMessageAt: now - 60 * minute }], routes };

	it('comes when it is due, one for all of it', () => {
		expect(plan(open, due).messages).toEqual(['reminder reminder: same inc-a, same inc-b in inc-a']);
		expect(plan(open, { ...due, now: now - second }).messages).toEqual([]);
	});

	it.each<[string, Partial<PlanInput>]>([
		['nobody asked for any', { routes: [route()] }],
		[
			'all of it is acknowledged',
			{
				acknowledged: new Map([
					['inc-a', 1],
					['inc-b', 1],
				]),
			},
		],
		['it is silenced', { silences: [{ id: 's', match: {}, fromAt: now - 1, untilAt: now + 1 }] }],
		['the last message did not get through yet', { groups: [{ ...group, lastMessageAt: now - 60 * minute, pendingCount: 1 }] }],
	])('does not come when %s', (_, changes) => {
		expect(plan(open, { ...due, ...changes }).messages).toEqual([]);
	});

	it('an acknowledgement ends with a relapse', () => {
		const relapsed = [model('a', told({ transition: 3, openTransition: 3, toldTransition: 3 }))];
		expect(plan(relapsed, { ...due, acknowledged: new Map([['inc-a', 1]]) }).messages).toHaveLength(1);
	});

	it('a service that forgets is told again while it is open, acknowledged, silenced or not', () => {
		const changes = {
			resendEveryMs: new Map([['pager', minute]]),
			acknowledged: new Map([['inc-a', 1]]),
			silences: [{ id: 's', match: {}, fromAt: 0, untilAt: now * 2 }],
		};
		expect(plan([model('a', told())], { ...changes, groups: [group] }).messages).toEqual(['resend reminder: same inc-a in inc-a']);
		expect(plan([model('a', told())], { ...changes, groups: [{ ...group, lastMessageAt: now - 59 * second }] }).messages).toEqual([]);
	});
});

describe('an escalation', () => {
	const routes = [route({ escalate: { afterMs: 15 * minute, channels: ['boss'] } })];
	const open = model('a', told({ openedAt: now - 15 * minute }));

	it('comes when nobody acknowledged in time, whether the first channel was reached or not', () => {
		expect(plan([open], { routes }).escalations).toEqual(['inc-a boss']);
		expect(plan([model('a', { openedAt: now - 15 * minute })], { routes }).escalations).toEqual(['inc-a boss']);
	});

	it.each<[string, readonly Thread[], Partial<PlanInput>]>([
		['it is too early', [model('a', told({ openedAt: now - 14 * minute }))], {}],
		['somebody has it', [open], { acknowledged: new Map([['inc-a', 1]]) }],
		['it is over', [model('a', { ...told({ openedAt: now - 15 * minute }), ...over() }, 'resolved')], {}],
		['that channel knows', [open, model('a', { channel: 'boss', via: 'escalation' })], {}],
		['it is silenced', [open], { silences: [{ id: 's', match: {}, fromAt: now - 1, untilAt: now + 1 }] }],
		['no route escalates', [open], { routes: [route()] }],
	])('does not come when %s', (_, threads, changes) => {
		expect(plan(threads, { routes, ...changes }).escalations).toEqual([]);
	});

	it('is told at once, and says so', () => {
		const thread = model('a', { channel: 'boss', via: 'escalation', changedAt: now });
		expect(plan([thread], { routes }).messages).toEqual(['first escalated: new inc-a in inc-a']);
	});
});
