/** The 5-minute rollups of a day in one value: column by column as variable-length numbers, so that what hardly changes deflates to almost nothing. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Histogram } from '#core/histogram.ts';
import type { Outcome } from '#core/outcome.ts';
import type { Rollup } from '#core/rollup.ts';
import { outcomeCodes, outcomeOfCode } from './result-codes.ts';

/** A rollup and which 5 minutes of the day it is of, 0..287. */
export interface PlacedRollup {
	readonly place: number;
	readonly rollup: Rollup;
}

const version = 1;
const fields = ['count', 'missed', 'good', 'bad', 'excluded', 'served', 'refused', 'right', 'answered', 'inputTokens', 'outputTokens'] as const;
const histograms = ['ttft', 'total', 'speed'] as const;
/** A day of a series is a few kilobytes; what is larger is no day. */
const unpackedAtMost = 16 * 2 ** 20;

/** @param rollups in order of place, each place once */
export function packRollups(rollups: readonly PlacedRollup[]): Buffer {
	const numbers = [rollups.length];
	rollups.forEach(({ place }, i) => numbers.push(place - (rollups[i - 1]?.place ?? 0)));
	for (const field of fields) for (const { rollup } of rollups) numbers.push(rollup[field]);
	for (const { rollup } of rollups) numbers.push(Math.round(rollup.costMicroUsd * 1_000));
	for (const { rollup } of rollups) {
		const pairs = (Object.entries(rollup.outcomes) as [Outcome, number][]).map(([outcome, count]) => [outcomeCodes[outcome], count] as const);
		numbers.push(pairs.length, ...pairs.sort(([a], [b]) => a - b).flat());
	}
	for (const name of histograms) for (const { rollup } of rollups) pushHistogram(numbers, rollup[name]);
	return Buffer.concat([Buffer.of(version), deflateRawSync(toBytes(numbers), { level: 9 })]);
}

/** @throws when it was packed by a newer version, or is damaged */
export function unpackRollups(packed: Buffer): PlacedRollup[] {
	if (packed[0] !== version) throw new Error(`Expected packed rollups of version ${version}, got ${packed[0]}`);
	const next = fromBytes(inflateRawSync(packed.subarray(1), { maxOutputLength: unpackedAtMost }));
	const length = next();
	const drafts = Array.from({ length }, () => ({}) as Record<string, unknown>);
	let place = 0;
	const places = drafts.map(() => (place += next()));
	for (const field of fields) for (const draft of drafts) draft[field] = next();
	for (const draft of drafts) draft.costMicroUsd = next() / 1_000;
	for (const draft of drafts) {
		draft.outcomes = Object.fromEntries(
			Array.from({ length: next() }, () => {
				const outcome = outcomeOfCode(next());
				return [outcome, next()];
			}),
		);
	}
	for (const name of histograms) for (const draft of drafts) draft[name] = readHistogram(next);
	return drafts.map((draft, i) => ({ place: places[i] ?? 0, rollup: draft as unknown as Rollup }));
}

function pushHistogram(numbers: number[], { buckets, counts }: Histogram): void {
	numbers.push(buckets.length);
	let before = 0;
	for (const [i, bucket] of buckets.entries()) {
		// The first may be below zero; from then on they ascend.
		numbers.push(i === 0 ? (bucket < 0 ? -bucket * 2 - 1 : bucket * 2) : bucket - before, counts[i] ?? 0);
		before = bucket;
	}
}

function readHistogram(next: () => number): Histogram {
	const [buckets, counts]: [number[], number[]] = [[], []];
	const length = next();
	for (let i = 0; i < length; i++) {
		const number = next();
		buckets.push(i === 0 ? (number % 2 === 1 ? -(number + 1) / 2 : number / 2) : (buckets[i - 1] ?? 0) + number);
		counts.push(next());
	}
	return { buckets, counts };
}

/** Seven bits a byte, lowest first; numbers up to 2^53. */
function toBytes(numbers: readonly number[]): Buffer {
	const bytes: number[] = [];
	for (let number of numbers) {
		for (; number >= 128; number = Math.floor(number / 128)) bytes.push((number % 128) + 128);
		bytes.push(number);
	}
	return Buffer.from(bytes);
}

function fromBytes(bytes: Buffer): () => number {
	let at = 0;
	return () => {
		let number = 0;
		for (let scale = 1; ; scale *= 128) {
			const byte = bytes[at++];
			if (byte === undefined) throw new Error('Expected more packed rollups: the value is cut off');
			number += (byte % 128) * scale;
			if (byte < 128) return number;
		}
	};
}
