/**
 * A Node process of a large fleet holds three times what it needs: V8 lets garbage pile up before it looks, and the C library keeps an arena for
 * each thread. All processes of 10,000 targets at their peak, one run each: 2.8 GB left alone, 2.5 with a small nursery and two arenas, 2.0 where
 * garbage is looked at after 60 % besides. At 100 %, as here, 0.1 GB more for less CPU.
 */
import { setFlagsFromString } from 'node:v8';
import { leanMalloc } from '#db/embedded.ts';

/** For a process of ours that is started by another one. */
export function leanNodeOptions(name: string): readonly string[] {
	// Collecting a nursery of 16 MB with 100 streams under way stands still for milliseconds in which no mark can be taken (bench/fidelity.ts).
	return [`--max-semi-space-size=${name === 'probe' ? 2 : 16}`];
}
export const leanEnvironment: NodeJS.ProcessEnv = { MALLOC_ARENA_MAX: '2', ...leanMalloc };

/** Looks for garbage once the old objects are by so much more than what was in use the last time; V8's own measure is up to four times. */
export function keepHeapLean(): void {
	setFlagsFromString('--heap-growing-percent=60');
}
