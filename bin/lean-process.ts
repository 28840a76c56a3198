/**
 * A Node process of a large fleet holds three times what it needs: V8 lets garbage pile up before it looks, its nursery grows to 16 MB twice, and the
 * C library keeps what was freed. All processes of 10,000 targets (bench/fleet.ts): 2.8 GB left alone, 2.2 with 16 MB, two arenas and 100 %. Since less
 * is held too it is 1.3 like this, and 1.2 with 60 % and small nurseries everywhere, for 8 % more CPU.
 */
import { setFlagsFromString } from 'node:v8';
import { leanMalloc } from '#db/embedded.ts';

/** For a process of ours that is started by another one. */
export function leanNodeOptions(name: string): readonly string[] {
	// Collecting a nursery of 16 MB with 100 streams under way stands still for milliseconds in which no mark can be taken (bench/fidelity.ts).
	return [`--max-semi-space-size=${name === 'probe' ? 4 : 16}`];
}
export const leanEnvironment: NodeJS.ProcessEnv = { MALLOC_ARENA_MAX: '2', ...leanMalloc };

/**
 * Looks for garbage once the old objects are by so much more than what was in use the last time; V8's own measure is up to four times.
 * @param percent less is less memory and more CPU
 */
export function keepHeapLean(percent = 60): void {
	setFlagsFromString(`--heap-growing-percent=${percent}`);
}
