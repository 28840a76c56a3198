import { expect, it } from 'vitest';
import { type QuietHours, quietAt } from './quiet-hours.ts';
import { weekdays } from './wall-clock.ts';

const night: QuietHours = { fromMinute: 22 * 60, toMinute: 7 * 60, days: weekdays, timeZone: 'Europe/Berlin', except: ['critical'] };
const friday: QuietHours = { ...night, days: ['fri'], timeZone: 'UTC' };
const lunch: QuietHours = { ...night, fromMinute: 12 * 60, toMinute: 13 * 60, timeZone: 'UTC', except: [] };

it.each([
	['before the night', night, '2026-11-23T20:59:00Z', 'major', false],
	['at its start, in local time', night, '2026-11-23T21:00:00Z', 'major', true],
	['after midnight', night, '2026-11-24T05:59:00Z', 'major', true],
	['at its end', night, '2026-11-24T06:00:00Z', 'major', false],
	['an impact that is excepted', night, '2026-11-24T02:00:00Z', 'critical', false],
	['the night that began on a chosen day', friday, '2026-11-28T03:00:00Z', 'major', true],
	['the night that began on another day', friday, '2026-11-27T03:00:00Z', 'major', false],
	['within a day', lunch, '2026-11-23T12:30:00Z', 'critical', true],
	['its end is not part of it', lunch, '2026-11-23T13:00:00Z', 'critical', false],
] as const)('%s', (_, hours, at, impact, quiet) => {
	expect(quietAt([hours], impact, Date.parse(at)) !== null).toBe(quiet);
});
