import { describe, expect, it } from 'vitest';
import { sampleIncident } from '#test/sample-incident.ts';
import { sampleNow } from '#test/sample-results.ts';
import type { OperatorEntry } from './incident.ts';
import { judgedIncident, overrideIncident } from './override-incident.ts';

const entry = (changes: Partial<OperatorEntry>): OperatorEntry => ({
	...{ incidentId: 'i-1', at: sampleNow + 1_000, by: 'ana', kind: 'note', value: null, body: 'they moved a rack', relapseCount: 0 },
	...changes,
});
const open = sampleIncident();

describe('what the operator says of an incident', () => {
	it('without a word nothing changes', () => expect(overrideIncident(open, [])).toBe(open));

	it('a note stands in the timeline under their name, and overrides nothing', () => {
		const said = overrideIncident(open, [entry({})]);
		expect(said.updates.at(-1)).toEqual({ at: sampleNow + 1_000, status: 'identified', body: 'Operator ana: they moved a rack', operator: 'ana' });
		expect({ ...said, updates: open.updates }).toEqual(open);
	});

	const cases: [string, Partial<typeof open>, Partial<OperatorEntry>[], object][] = [
		['the impact', {}, [{ kind: 'impact', value: 'minor' }], { impact: 'minor', cause: 'provider', status: 'identified', resolvedAt: null }],
		['the cause', {}, [{ kind: 'cause', value: 'monitor' }], { impact: 'major', cause: 'monitor', status: 'identified', resolvedAt: null }],
		['a false alarm closes', {}, [{ kind: 'false_alarm' }], { impact: 'none', status: 'resolved', resolvedAt: sampleNow + 1_000 }],
		[
			'the last word holds',
			{},
			[
				{ kind: 'impact', value: 'minor' },
				{ kind: 'impact', value: 'critical' },
			],
			{ impact: 'critical' },
		],
		[
			'words on impact and cause hold together',
			{},
			[
				{ kind: 'impact', value: 'minor' },
				{ kind: 'cause', value: 'monitor' },
			],
			{ impact: 'minor', cause: 'monitor' },
		],
		[
			'a false alarm of an earlier episode is over',
			{ relapseCount: 1 },
			[{ kind: 'false_alarm' }],
			{ impact: 'major', status: 'identified', resolvedAt: null },
		],
		[
			'a false alarm of what is over leaves its end',
			{ resolvedAt: sampleNow + 500, status: 'resolved' },
			[{ kind: 'false_alarm' }],
			{ resolvedAt: sampleNow + 500 },
		],
		['withdrawn, it is as judged', {}, [{ kind: 'false_alarm' }, { kind: 'withdrawn' }], { impact: 'major', status: 'identified', resolvedAt: null }],
		['a value that is no impact is no word', {}, [{ kind: 'impact', value: 'huge' }], { impact: 'major' }],
	];
	it.each(cases)('%s', (_, incident, entries, expected) => {
		const judged = sampleIncident(incident);
		const said = overrideIncident(
			judged,
			entries.map((one, i) => entry({ ...one, at: sampleNow + 1_000 + i })),
		);
		expect(said).toMatchObject(expected);
		expect(said.evidence).toEqual(judged.evidence);
		expect({ ...judgedIncident(said), updates: judged.updates, override: undefined }).toEqual({ ...judged, override: undefined });
		expect(said.updates).toHaveLength(judged.updates.length + entries.length);
	});
});
