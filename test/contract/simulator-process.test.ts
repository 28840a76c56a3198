/** The demo fleet as the process that `up` starts: it says where it listens, tells its story, and ends with its parent. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { demoFleet, fleetTargets } from '#simulator/scenarios/demo.ts';
import { probeOnce } from './probe-setup.ts';

const main = fileURLToPath(import.meta.resolve('#simulator/main.ts'));

async function start(storyStartedAt: number): Promise<{ child: ChildProcess; url: string }> {
	const child = fork(main, ['0', String(storyStartedAt)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
	const [{ url }] = (await once(child, 'message')) as [{ url: string }];
	return { child, url };
}

test('tells the story from the given start, and ends when its parent lets go', async () => {
	// A minute into the story Meridian is down and Tern is well.
	const { child, url } = await start(Date.now() - 60_000);
	const targets = fleetTargets(demoFleet, url, { intervalMs: 5_000 });
	const probe = (provider: string) => {
		const target = targets.find((each) => each.provider === provider);
		if (target === undefined) throw new Error(`no ${provider}`);
		return probeOnce(target);
	};
	const [down, well] = await Promise.all([probe('meridian'), probe('tern')]);
	expect(down).toMatchObject({ outcome: 'server_error', httpStatus: 503, sli: 'bad' });
	expect(well).toMatchObject({ outcome: 'ok', sli: 'good' });
	child.disconnect();
	const [code] = await once(child, 'exit');
	expect(code).toBe(0);
});

test('ends on SIGTERM, with a stream open', async () => {
	const { child, url } = await start(Date.now() + 60_000);
	const target = fleetTargets(demoFleet, url, { intervalMs: 5_000 }).find(({ dialect }) => dialect === 'openai-chat');
	if (target === undefined) throw new Error('no target');
	const running = probeOnce(target, { observe: ({ what }) => what === 'headers' && child.kill('SIGTERM') });
	const [code] = await once(child, 'exit');
	expect(code).toBe(0);
	expect((await running).outcome).not.toBe('ok');
});
