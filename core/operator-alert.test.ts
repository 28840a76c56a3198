import { describe, expect, it } from 'vitest';
import { findOperatorAlerts, type OperatorFacts, operatorAlerts } from './operator-alert.ts';

const minute = 60_000;
const now = Date.parse('2026-11-23T12:00:00Z');
const giB = 1024 ** 3;
const well: OperatorFacts = {
	now,
	day: '2026-11-23',
	budget: { capMicroUsd: 2e6, reservedMicroUsd: 0, spentMicroUsd: 0.5e6, forecastMicroUsd: 1e6 },
	vantages: [{ name: 'fra', settledThroughAt: now - 2 * minute, usualLagMs: minute }],
	oldestPendingAt: now - minute,
	oldestOwedAt: null,
	troubledChannels: [],
	refusedChannels: [],
	disabledChannels: [],
	deadLetters: [],
	disk: { host: 'h', freeBytes: 50 * giB, totalBytes: 100 * giB },
	pressedSpools: [],
	configProblem: null,
	retiredTargets: [],
	switchProblem: null,
};
const found = (changes: Partial<OperatorFacts>, open: string[] = []) =>
	findOperatorAlerts({ ...well, ...changes }, new Set(open)).map(({ kind, key }) => `${kind} ${key}`);
const budget = (changes: Partial<OperatorFacts['budget']>) => ({ budget: { ...well.budget, ...changes } });

describe('the operator’s own alerts', () => {
	it('while all is well there are none', () => expect(found({})).toEqual([]));

	it.each<[string, Partial<OperatorFacts>, string[]]>([
		['a budget that is spent or reserved', budget({ spentMicroUsd: 1.5e6, reservedMicroUsd: 0.5e6 }), ['budget_used_up 2026-11-23']],
		['a budget that spending will pass before midnight', budget({ spentMicroUsd: 1.1e6 }), ['budget_forecast 2026-11-23']],
		['a budget that the schedule will pass', budget({ forecastMicroUsd: 3e6 }), ['budget_forecast 2026-11-23']],
		['no budget at all is no used-up one', budget({ capMicroUsd: 0, spentMicroUsd: 0, forecastMicroUsd: 0 }), []],
		['a vantage that is late', { vantages: [{ name: 'fra', settledThroughAt: now - 5 * minute, usualLagMs: minute }] }, ['vantage_late fra']],
		['an outbox with old rows', { oldestPendingAt: now - 11 * minute }, ['outbox_ageing outbox']],
		['what is owed and not planned', { oldestOwedAt: now - 11 * minute }, ['outbox_ageing outbox']],
		[
			'a channel that fails repeatedly',
			{ troubledChannels: [{ channel: 'chat', count: 2, oldestAt: now, lastError: 'answered 500' }] },
			['channel_failing chat'],
		],
		['a mail server that refuses', { refusedChannels: [{ channel: 'mail', reason: 'SMTP: ECONNREFUSED' }] }, ['channel_failing mail']],
		['a receiver that wants no more', { disabledChannels: [{ channel: 'hook', disabledAt: now }] }, ['channel_disabled hook']],
		['dead letters', { deadLetters: [{ channel: 'hook', count: 1, oldestAt: now }] }, ['dead_letters hook']],
		['a disk that fills', { disk: { host: 'h', freeBytes: giB, totalBytes: 100 * giB } }, ['disk_filling h']],
		['a small disk by its share', { disk: { host: 'h', freeBytes: 0.4 * giB, totalBytes: 5 * giB } }, ['disk_filling h']],
		[
			'a vantage that probes less, since results wait on its disk',
			{ pressedSpools: [{ vantage: 'fra', leftOutRatio: 0.5, waitingBytes: 130 * 2 ** 20 }] },
			['spool_filling fra'],
		],
		['a rejected configuration', { configProblem: 'linnet.yaml has 1 fault' }, ['config_rejected file']],
		['a retired model', { retiredTargets: [{ id: 'a:b:chat', provider: 'a', model: 'b', lifecycle: 'retired' }] }, ['model_retired a:b:chat']],
		['a switch that does not take our sign of life', { switchProblem: 'it answered 500' }, ['switch_unreachable switch']],
	])('%s', (_, changes, expected) => expect(found(changes)).toEqual(expected));

	it('a threshold that was passed is kinder to what is open, so that it does not flap', () => {
		const near = { disk: { host: 'h', freeBytes: 2.2 * giB, totalBytes: 100 * giB } };
		expect(found(near)).toEqual([]);
		expect(found(near, ['disk_filling h'])).toEqual(['disk_filling h']);
	});

	it('every kind says what is wrong, why it matters and what to do', () => {
		for (const { title, why, advice } of Object.values(operatorAlerts)) for (const text of [title, why, advice]) expect(text.length).toBeGreaterThan(10);
	});
});
