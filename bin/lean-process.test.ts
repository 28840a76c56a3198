import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';

/** nice(1) of a process that was started with `from`, once it has done that. */
function niceAfter(act: string, from: number): number {
	const code = `
		import { getPriority, setPriority } from 'node:os';
		import { comeFirst, giveWay } from ${JSON.stringify(new URL('lean-process.ts', import.meta.url).href)};
		setPriority(${from});
		${act};
		console.log(getPriority());`;
	return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
}

// Who runs the tests politely may not start a process less so.
const here = process.platform === 'linux' && getPriority() === 0;
const mayComeFirst = here && niceAfter('try { setPriority(-5); } catch {}', 0) === -5;

test.runIf(here)('a process that probes comes first where it may, and fails nowhere', () => {
	expect(niceAfter('comeFirst()', 0)).toBe(mayComeFirst ? -5 : 0);
});

test.runIf(here)('who was started politely stays so', () => {
	expect(niceAfter('comeFirst()', 7)).toBe(7);
	expect(niceAfter("giveWay('probes')", 7)).toBe(7);
});

test.runIf(here)('the judge gives way to probes, the page to verdicts too', () => {
	expect(niceAfter("giveWay('probes')", 0)).toBe(3);
	expect(niceAfter("giveWay('probes and verdicts')", 0)).toBe(5);
});
