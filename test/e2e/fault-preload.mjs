// Put into a process by NODE_OPTIONS=--import: moves its wall clock and blocks its event loop as the file named in LINNET_TEST_FAULTS says, and notes
// what it connects to in the file named in LINNET_TEST_CONNECTIONS. Plain JavaScript: it also runs in what starts no TypeScript.

import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync } from 'node:fs';

const role = process.argv.slice(2).join(' ');
const { LINNET_TEST_FAULTS: faultsPath, LINNET_TEST_CONNECTIONS: connectionsPath } = process.env;

if (faultsPath !== undefined) {
	const WallClock = Date;
	const realNow = Date.now.bind(Date);
	let shiftMs = 0;
	let blockedId = 0;
	WallClock.now = () => realNow() + shiftMs;
	globalThis.Date = new Proxy(WallClock, {
		construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [WallClock.now()] : args, newTarget),
		apply: (target) => new target(WallClock.now()).toString(),
	});
	const look = () => {
		let wanted;
		try {
			wanted = JSON.parse(readFileSync(faultsPath, 'utf8'));
		} catch {
			return; // Half written: the next look reads it.
		}
		shiftMs = wanted.shiftMs ?? 0;
		const { block } = wanted;
		if (block === undefined || block.id === blockedId || !role.includes(block.role)) return;
		blockedId = block.id;
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block.ms);
	};
	look();
	setInterval(look, 50).unref();
}

if (connectionsPath !== undefined) {
	const note = (what) => appendFileSync(connectionsPath, `${JSON.stringify({ role, ...what })}\n`);
	subscribe('net.client.socket', ({ socket }) => {
		socket.once('connect', () => note({ to: socket.remoteAddress === undefined ? 'a local socket' : `${socket.remoteAddress}:${socket.remotePort}` }));
		socket.once('error', ({ address, port }) => address !== undefined && note({ to: port === undefined ? 'a local socket' : `${address}:${port}` }));
	});
}
