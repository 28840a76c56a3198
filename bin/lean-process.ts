/**
 * A Node process of a large fleet holds three times what it needs: V8 lets garbage pile up before it looks, its nursery grows to 16 MB twice, and the
 * C library keeps what was freed. All processes of 10,000 targets (bench/fleet.ts): 2.8 GB left alone, 2.2 with 16 MB, two arenas and 100 %; like this,
 * since less is held and nothing is compiled by each for itself, 0.9 on average.
 */
import { getPriority, setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { leanMalloc } from '#db/embedded.ts';

/** For a process of ours that is started by another one. */
export function leanNodeOptions(name: string): readonly string[] {
	// Collecting a nursery of 16 MB with 100 streams under way stands still for milliseconds in which no mark can be taken (bench/fidelity.ts). Others may:
	// with 8 the judge of 10,000 targets took 13 % of its CPU for collecting, with 16 it is 9, and the memory is the same.
	return [`--max-semi-space-size=${name === 'probe' ? 4 : 16}`];
}
// A second arena, of the threads that collect and compress, kept 10 to 40 MB for each process.
export const leanEnvironment: NodeJS.ProcessEnv = { MALLOC_ARENA_MAX: '1', ...leanMalloc };

/**
 * Looks for garbage once the old objects are by so much more than what was in use the last time; V8's own measure is up to four times.
 * @param percent less is less memory and more CPU
 */
export function keepHeapLean(percent = 60): void {
	setFlagsFromString(`--heap-growing-percent=${percent}`);
}

/**
 * The nursery is collected by the thread that fills it: of 10,000 targets the judge takes 0.74 ms a probe, with helpers 0.82. Not where twice the
 * standstill (2 ms) falsifies a mark: in a process that probes.
 */
export function collectAlone(): void {
	setFlagsFromString('--no-parallel-scavenge');
}

/**
 * Everything is made young. V8 learns from a burst of objects that live on, such as the first reading of a fleet, to make all of their kind old from then
 * on: of 10,000 targets the judge then throws away 570 MB of old objects a minute, like this 420, and each full collection marks all that is alive.
 */
export function makeAllYoung(): void {
	setFlagsFromString('--no-allocation-site-pretenuring');
}

/**
 * Each full collection then gives back all that it can: half empty pages are emptied, code that has not run of late goes. The API and the page hold two thirds
 * of what they held, for 0.1 ms of CPU a probe each; the parent of all, which has nothing to do, a third for nothing.
 */
export function packHeap(): void {
	setFlagsFromString('--optimize-for-size');
}

/**
 * Where processors are short, a probe that is due comes first: what is late there is told of a provider. Then a verdict on its way to routers, then the page. Of
 * 10,000 targets on two slow cores, of which the judge's publication every 15 s takes one for two seconds, 99 slots in 100 began within 87 ms where all were
 * equal, 44 to 47 where the others gave way, and 17 where the prober comes first besides.
 */
export function giveWay(to: 'probes' | 'probes and verdicts'): void {
	// In nice(1): a half and a third of an equal share. Who was started more politely may not be less so: EACCES.
	setPriority(Math.max(getPriority(), to === 'probes' ? 3 : 5));
}

/** Of a process that probes: three equal shares, where it may have them (root, CAP_SYS_NICE, Nice= of its unit). Who was started politely stays so. */
export function comeFirst(): void {
	const own = getPriority();
	if (own > 0) return;
	try {
		setPriority(Math.min(own, -5));
	} catch {
		// Nobody else may: the others give way to it all the same.
	}
}
