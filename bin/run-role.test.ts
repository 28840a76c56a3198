import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

/** A role that would run for ever, loaded once `before` has come to pass. */
const role = (before: string) => `
	import { once } from 'node:events';
	${before}
	const { runRole } = await import(${JSON.stringify(new URL('./run-role.ts', import.meta.url).href)});
	const { silentLog } = await import(${JSON.stringify(new URL('../core/log.ts', import.meta.url).href)});
	await runRole(silentLog, async () => void setInterval(() => {}, 1_000));
`;

it.each([
	['while it runs', '', true],
	['while it was loaded, before it could hear of it', "await once(process, 'disconnect');", false],
])('a child whose parent is gone leaves by itself: %s', async (_, before, untilReady) => {
	const child = spawn(process.execPath, ['--input-type=module', '--eval', role(before)], {
		stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
		env: { ...process.env, LINNET_SUPERVISED: '1' },
	});
	try {
		const exited = once(child, 'exit');
		await (untilReady ? once(child, 'message') : once(child, 'spawn'));
		child.disconnect();
		expect((await exited)[0]).toBe(0);
	} finally {
		child.kill('SIGKILL');
	}
});
