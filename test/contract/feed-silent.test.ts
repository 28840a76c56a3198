/** A thousand connections that say nothing keep nobody from being answered. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { sampleSnapshot } from '#test/sample-snapshot.ts';
import { serveSample } from '#test/serve-sample.ts';

test('verdicts are served beside a thousand silent connections, and the server still closes', async () => {
	const server = await serveSample();
	await server.publish(sampleSnapshot({ providers: 2 }));
	const { hostname, port } = new URL(server.url);
	const silent: Socket[] = [];
	for (let index = 0; index < 1_000; index++) {
		const socket = connect(Number(port), hostname);
		socket.on('error', () => {});
		// Half of them begin a request that they never end.
		if (index % 2 === 0) socket.write('GET /v1/verdicts HTTP/1.1\r\nHost:');
		silent.push(socket);
	}
	await Promise.all(silent.map((socket) => (socket.connecting ? once(socket, 'connect') : null)));
	expect((await fetch(`${server.url}/v1/verdicts`)).status).toBe(200);
	const closed = Promise.all(silent.map((socket) => (socket.closed ? null : once(socket, 'close'))));
	for (const socket of silent) socket.resume();
	await server.close();
	await closed;
}, 30_000);
