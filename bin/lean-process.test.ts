import { execFileSync } from 'node:child_process';
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

const mayComeFirst = niceAfter('try { setPriority(-5); } catch {}', 0) === -5;

test.runIf(process.platform === 'linux')('a process that probes comes first where it may, and fails nowhere', () => {
	expect(niceAfter('comeFirst()', 0)).toBe(mayComeFirst ? -5 : 0);
});

test.runIf(process.platform === 'linux')('who was started politely stays so', () => {
	expect(niceAfter('comeFirst()', 7)).toBe(7);
	expect(niceAfter("giveWay('probes')", 7)).toBe(7);
});

test.runIf(process.platform === 'linux')('the judge gives way to probes, the page to verdicts too', () => {
	expect(niceAfter("giveWay('probes')", 0)).toBe(3);
	expect(niceAfter("giveWay('probes and verdicts')", 0)).toBe(5);
});
