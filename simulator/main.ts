/**
 * The demo fleet as its own process: `node simulator/main.ts [port] [storyStartedAt]`, or LINNET_SIM_PORT and LINNET_SIM_STARTED_AT.
 * Silent but for errors. With an IPC channel it sends `{url, port}` once it listens, and ends when the channel closes.
 */
import { demoFaultAt, demoFleet } from './scenarios/demo.ts';
import { demoStatusPage } from './scenarios/demo-status-page.ts';
import { startSimulator } from './start-simulator.ts';

function numberFrom(name: string, text: string | undefined, fallback: number): number {
	if (text === undefined || text === '') return fallback;
	const value = Number(text);
	if (!Number.isFinite(value) || value < 0) throw new Error(`Expected ${name} to be a number of 0 or more, got \`${text}\``);
	return value;
}

const port = numberFrom('the port', process.argv[2] ?? process.env.LINNET_SIM_PORT, 0);
/** ms since epoch: kept over restarts by whoever starts this, so that the story goes on where it was. */
const startedAt = numberFrom('the start of the story', process.argv[3] ?? process.env.LINNET_SIM_STARTED_AT, Date.now());

const simulator = await startSimulator({
	port,
	fleet: demoFleet,
	seed: startedAt,
	statusPage: (provider) => demoStatusPage(provider, startedAt, Date.now()),
	faultAt: (provider, model) => demoFaultAt(Date.now() - startedAt, provider, model),
});

let closing = false;
function close(): void {
	if (closing) return;
	closing = true;
	simulator.close().then(() => process.exit(0));
}
process.once('SIGTERM', close);
// Supervised, it outlives the probes: their parent stops it after them, and Ctrl-C, which reaches the whole group, must not come first.
process.on('SIGINT', () => process.env.LINNET_SUPERVISED === '1' || close());
process.once('disconnect', close);
process.send?.({ url: simulator.url, port: simulator.port });
