import type { Sample } from './lattice-state.ts';

/** Keeps samples in the order of their starts: a slow old result that arrives late finds its place. Equal starts stand by endpoint. */
export function insertSample(samples: Sample[], sample: Sample): void {
	let place = samples.length;
	for (; place > 0; place -= 1) {
		const before = samples[place - 1] as Sample;
		if (before.startedAt < sample.startedAt || (before.startedAt === sample.startedAt && before.endpoint <= sample.endpoint)) break;
	}
	if (place === samples.length) samples.push(sample);
	else samples.splice(place, 0, sample);
}
