import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleResult, sampleTarget } from '#test/sample-results.ts';
import type { ProbeResult } from './probe-result.ts';
import { judgedSpan, probeRoad, type RoadSpan, slotName } from './probe-road.ts';

const at = Date.UTC(2026, 10, 26, 12);
const steps = { tickAt: at - 3_000, takenAt: at - 2_900, reservingAt: at - 2_890, reservedAt: at - 2_880, recordingAt: at + 900, recordedAt: at + 950 };
const target = sampleTarget('acme:small:chat', { baseUrl: 'https://someone:word@api.acme.test/v1' });
const measured: Partial<ProbeResult> = {
	...{ slotAt: at, startedAt: at + 2, outcome: 'ok', phase: null, dnsMs: 10, connectMs: 20, tlsMs: 30, ttfbMs: 100, ttftMs: 150, totalMs: 800 },
};
const named = (road: RoadSpan, name: string) => road.children.find((child) => child.name === name);
const offsets = (spans: readonly RoadSpan[]) => spans.map(({ name, fromAt, toAt }) => [name, fromAt - at, toAt - at]);

describe('a probe’s road', () => {
	it('goes from the job to the record, and its exchange from the name to the last token, as the probe stamped it', () => {
		const road = probeRoad(steps, target, sampleResult(measured));
		expect(offsets(road.children)).toEqual([
			['job', -2_900, -2_890],
			['reserve', -2_890, -2_880],
			['wait', -2_880, 2],
			[expect.stringMatching(/^chat /), 2, 802],
			['record', 900, 950],
		]);
		expect(offsets(road.children[3]?.children ?? [])).toEqual([
			['dns', 2, 12],
			['connect', 12, 32],
			['tls', 32, 62],
			['request to headers', 62, 162],
			['headers to first token', 162, 212],
			['to the end', 212, 802],
		]);
		expect(named(road, 'wait')?.attributes['linnet.late_ms']).toBe(2);
	});

	it('of a probe that failed ends in the phase where it stood, with its code', () => {
		const broken: Partial<ProbeResult> = {
			...measured,
			outcome: 'connect_failed',
			phase: 'connect',
			connectMs: null,
			tlsMs: null,
			ttfbMs: null,
			ttftMs: null,
			totalMs: 1_000,
		};
		const exchange = probeRoad(steps, target, sampleResult(broken)).children[3];
		expect(exchange?.error).toBe('connect_failed');
		expect(offsets(exchange?.children ?? [])).toEqual([
			['dns', 2, 12],
			['failed: connect', 12, 1_002],
		]);
	});

	it('tells of the endpoint its host, and of what was said nothing', () => {
		const text = JSON.stringify(probeRoad(steps, target, sampleResult({ ...measured, evidence: { message: 'said by them' }, requestId: 'req-1' })));
		expect(text).toContain('"server.address":"api.acme.test"');
		expect(text).not.toMatch(/someone|word|said by them|req-1/);
	});

	it('has every span inside its parent and none that ends before it begins, whatever the clock did meanwhile', () => {
		const ms = fc.option(fc.double({ min: 0, max: 5_000, noNaN: true }), { nil: null });
		const when = fc.integer({ min: at - 10_000, max: at + 10_000 });
		const times = fc.record({
			tickAt: fc.option(when, { nil: null }),
			takenAt: when,
			reservingAt: when,
			reservedAt: when,
			recordingAt: when,
			recordedAt: when,
		});
		const figures = fc.record({ startedAt: when, dnsMs: ms, connectMs: ms, tlsMs: ms, ttfbMs: ms, ttftMs: ms, totalMs: ms });
		const check = (span: RoadSpan) => {
			expect(span.fromAt).toBeLessThanOrEqual(span.toAt);
			for (const child of span.children) {
				expect(child.fromAt).toBeGreaterThanOrEqual(span.fromAt);
				expect(child.toAt).toBeLessThanOrEqual(span.toAt);
				check(child);
			}
			const places = span.children.map(({ place }) => place);
			expect(new Set(places).size).toBe(places.length);
		};
		fc.assert(fc.property(times, figures, (drawn, result) => check(probeRoad(drawn, target, sampleResult({ ...measured, ...result })))));
	});

	it('is named by its slot alone, so that the judge finds it; and the judge tells only decisions about its target', () => {
		const result = sampleResult(measured);
		expect(slotName(result)).toBe(slotName(sampleResult({ ...measured, outcome: 'server_timeout', totalMs: 1 })));
		expect(slotName({ ...result, vantage: 'elsewhere' })).not.toBe(slotName(result));
		const decision = { type: 'open', incidentId: 'i1', cause: 'provider', targetIds: ['another:one:chat'] } as unknown as Parameters<
			typeof judgedSpan
		>[3][number];
		expect(judgedSpan(result, at, at + 1, [decision]).attributes['linnet.decision']).toBe('none');
		const own = { ...decision, targetIds: [`${result.provider}:${result.model}:${result.operation}`] };
		expect(judgedSpan(result, at, at + 1, [own]).attributes).toMatchObject({ 'linnet.decision': 'open', 'linnet.incident': 'i1' });
	});
});
