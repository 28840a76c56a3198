import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { processes, startService, stopServices } from './service.ts';

const good = 'providers: [{ id: a, dialect: openai-chat, baseUrl: "http://127.0.0.1:9/v1", apiKeyEnv: null, models: [{ model: m }] }]\n';

afterAll(stopServices);

/** Starts, waits for the end; gives exit code and words, and what is left running of it. */
async function start(config: string, options: { env?: Record<string, string>; port?: number } = {}) {
	const service = await startService({ config, ...options, waitUntilReady: false });
	const code = await service.exited;
	return { code, output: service.output(), left: processes().filter(({ args }) => args.includes(join(service.dir, 'data'))) };
}

describe('a start that can’t work', () => {
	it('a bad file: every fault with its line, exit code 2, nothing started', async () => {
		const { code, output, left } = await start('intervall: 1s\nproviders: [{ use: openia, models: [{ model: a }] }]\n');
		expect(code).toBe(2);
		expect(output).toContain('linnet.yaml:1:1  intervall: unknown key "intervall": did you mean "interval"?');
		expect(output).toContain('linnet.yaml:2:15  providers[0].use: expected a provider that Linnet knows, got "openia"');
		expect(left).toEqual([]);
	});

	it('a missing environment variable: its name and where it is needed', async () => {
		const { code, output, left } = await start('providers: [{ use: openai, models: [{ model: a }] }]\n');
		expect(code).toBe(2);
		expect(output).toContain('expected the environment variable OPENAI_API_KEY to hold the API key of "openai"');
		expect(left).toEqual([]);
	});

	it('a port in use: which one, and what to do', async () => {
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const { port } = server.address() as AddressInfo;
		const { code, output, left } = await start(good, { port });
		server.close();
		expect(code).toBe(1);
		expect(output).toContain(`port ${port} on 127.0.0.1 is in use`);
		expect(left).toEqual([]);
	});

	it('a database that can’t be reached: where, without the password', async () => {
		const { code, output } = await start(good, { env: { DATABASE_URL: 'postgres://me:hush@127.0.0.1:9/linnet' } });
		expect(code).toBe(1);
		expect(output).toContain('could not use the database at 127.0.0.1:9/linnet');
		expect(output).not.toContain('hush');
	});

	it('a second one on the same data: it is told, and the first goes on', async () => {
		const first = await startService({ config: good });
		const second = await startService({ config: good, dir: first.dir, waitUntilReady: false });
		expect(await second.exited).toBe(1);
		expect(second.output()).toContain('another `linnet up` runs on this database');
		expect(await first.ready()).toBe(true);
	});

	it('a data directory that can’t be written', async () => {
		const { code, output } = await start(good, { env: { LINNET_DATA: '/dev/null/linnet' } });
		expect(code).toBe(1);
		expect(output).toContain('Could not write to the data directory /dev/null/linnet');
	});

	it('an environment that makes no sense: every fault of it at once', async () => {
		const { code, output } = await start(good, { env: { PORT: 'eighty', LINNET_VANTAGE: 'Frankfurt am Main', REDIS_URL: 'nowhere' } });
		expect(code).toBe(2);
		for (const name of ['PORT: expected', 'LINNET_VANTAGE: expected', 'REDIS_URL: expected']) expect(output).toContain(name);
	});
});
