import fc from 'fast-check';
import { expect, test } from 'vitest';
import { outcomes } from '#core/outcome.ts';
import { type ReportedTraffic, weighReports } from './weigh-reports.ts';

const report = (counts: ReportedTraffic['outcomes'], source = 'router', targetId = 'groq:small:chat'): ReportedTraffic => ({
	source,
	targetId,
	outcomes: counts,
});

test.each<[string, ReportedTraffic[], number | undefined]>([
	['half of the requests fail', [report({ ok: 10, server_error: 10 })], 2],
	['a fifth fails', [report({ ok: 8, server_error: 2, stream_truncated: 1 })], 1],
	['fewer fail', [report({ ok: 90, server_error: 10 })], undefined],
	['two failures are too few to be heard', [report({ server_error: 2 })], undefined],
	['two routers agree', [report({ server_error: 9 }), report({ server_error: 9 }, 'other')], 4],
	['a third adds nothing', ['a', 'b', 'c'].map((source) => report({ server_error: 9 }, source)), 4],
	['their own keys, limits and requests are theirs', [report({ auth_failed: 50, rate_limited: 50, bad_request: 50 })], undefined],
	['what they could not connect to may be their network', [report({ connect_failed: 50, dns_failed: 50 })], undefined],
	['a code that nobody knows', [report({ nonsense: 50 })], undefined],
	['nothing happened', [report({})], undefined],
])('%s', (_, reports, nats) => {
	expect(weighReports(reports)['groq:small:chat']).toBe(nats);
});

test('whatever is reported, by however many names, weighs 4 nats at most: less than one failure of our own', () => {
	const counts = fc.dictionary(fc.constantFrom(...outcomes, '__proto__', 'x'), fc.nat());
	fc.assert(
		fc.property(fc.array(counts, { maxLength: 60 }), (all) => {
			const weighed = weighReports(all.map((one, index) => report(one, `router-${index}`)));
			for (const nats of Object.values(weighed)) expect(nats).toBeLessThanOrEqual(4);
		}),
	);
});
