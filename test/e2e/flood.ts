/**
 * A crowd at an API: `node test/e2e/flood.ts URL MS`. Most connections are never done with their request, and trickle a byte a second (slowloris); the others
 * ask for the feed as fast as they are answered. Prints how many answers came.
 */
import { connect, type Socket } from 'node:net';

const [, , url = '', ms = '0'] = process.argv;
const { hostname, port } = new URL(url);
const sockets = new Set<Socket>();
let answers = 0;

function open(use: (socket: Socket) => void): void {
	const socket = connect(Number(port), hostname);
	sockets.add(socket);
	socket.on('error', () => {});
	socket.on('close', () => {
		sockets.delete(socket);
		if (!ending) setTimeout(open, 50, use);
	});
	socket.once('connect', () => use(socket));
}

let ending = false;
const ask = 'GET /v1/health HTTP/1.1\r\nhost: crowd\r\n\r\n';
for (let i = 0; i < 1_500; i += 1) {
	open((socket) => {
		socket.write('GET /v1/health HTTP/1.1\r\nhost: crowd\r\nx-slow: ');
		const timer = setInterval(() => socket.write('a'), 1_000);
		socket.once('close', () => clearInterval(timer));
	});
}
for (let i = 0; i < 100; i += 1) {
	open((socket) => {
		socket.on('data', (chunk) => {
			// Counted by their first line; the next is asked for as soon as anything came.
			if (chunk.includes('HTTP/1.1 ')) answers += 1;
			socket.write(ask);
		});
		socket.write(ask);
	});
}
setTimeout(() => {
	ending = true;
	for (const socket of sockets) socket.destroy();
	console.log(answers);
	process.exit(0);
}, Number(ms));
