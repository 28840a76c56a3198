import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';

/** nice(1) of a process that was started like this one, or more politely, once it has done that. */
function niceAfter(act: string): number {
	const code = `
		import { setPriority, getPriority } from 'node:os';
		import { comeFirst, giveWay } from ${JSON.stringify(new URL('lean-process.ts', import.meta.url).href)};
		${act};
		console.log(getPriority());`;
	return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
}

const own = getPriority();
// nice(1) is of POSIX: Windows knows six classes.
const posix = process.platform !== 'win32';

test.runIf(posix)('a process that probes comes first where it may, and fails nowhere', () => {
	const most = niceAfter('try { setPriority(Math.min(getPriority(), -5)); } catch {}');
	expect(niceAfter('comeFirst()')).toBe(own > 0 ? own : most);
});

test.runIf(posix)('who was started politely stays so', () => {
	const polite = Math.max(own, 7);
	expect(niceAfter(`setPriority(${polite}); comeFirst()`)).toBe(polite);
	expect(niceAfter(`setPriority(${polite}); giveWay('probes')`)).toBe(polite);
});

test.runIf(posix)('the judge gives way to probes, the page to verdicts too', () => {
	expect(niceAfter("giveWay('probes')")).toBe(Math.max(own, 3));
	expect(niceAfter("giveWay('probes and verdicts')")).toBe(Math.max(own, 5));
});
