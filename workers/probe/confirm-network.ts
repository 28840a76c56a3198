import { endpointOf, type NetworkSettings, newMarks, openConnection } from './open-connection.ts';

/** Another provider's endpoint: if it answers, our network works. */
export interface Control {
	readonly host: string;
	readonly port: number;
}

export interface NetworkOpinion {
	/** A second connection to the same endpoint failed too. */
	readonly secondFailed: boolean;
	/** Something out there answered us: the endpoint itself by a refusal or in TLS, or a control. */
	readonly networkWorks: boolean;
}

const mostControls = 3;
const controlTimeoutMs = 3_000;

type Reach = 'ready' | 'answered' | 'silent';

/** A refusal, a reset and a TLS complaint are words of the far end; silence, no route and no name are not. */
const farEndSpoke = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|CERT_|ERR_TLS|ERR_SSL|EPROTO|HOSTNAME_MISMATCH|INVALID_CA)/;

async function reach(url: URL, timeoutMs: number, settings: NetworkSettings): Promise<Reach> {
	const cancel = new AbortController();
	const marks = newMarks();
	const timer = setTimeout(() => cancel.abort(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })), timeoutMs);
	try {
		const socket = await openConnection(endpointOf(url, settings), marks, cancel.signal);
		socket.on('error', () => {}).destroy();
		return 'ready';
	} catch (error) {
		// Before TCP it was our name server that spoke, if anybody; any step beyond is an answer too.
		if (marks.phase === 'dns') return 'silent';
		return marks.phase === 'tls' || farEndSpoke.test((error as NodeJS.ErrnoException).code ?? '') ? 'answered' : 'silent';
	} finally {
		clearTimeout(timer);
	}
}

/**
 * Asks whose fault a dead connection is: a second connection to the same endpoint (TCP and TLS only, nothing is billed), and up to three
 * controls, all at the same moment and for as long: a control that answered later would speak for a network that has come back since. Nothing here throws.
 */
export async function confirmNetwork(url: URL, timeoutMs: number, controls: readonly Control[], settings: NetworkSettings): Promise<NetworkOpinion> {
	const withinMs = Math.min(timeoutMs, controlTimeoutMs);
	const others = controls.filter(({ host, port }) => host !== url.hostname || String(port) !== url.port).slice(0, mostControls);
	const [second, ...answers] = await Promise.all([
		reach(url, withinMs, settings),
		...others.map(({ host, port }) => reach(new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`), withinMs, settings)),
	]);
	if (second !== 'silent') return { secondFailed: second === 'answered', networkWorks: true };
	return { secondFailed: true, networkWorks: answers.some((answer) => answer !== 'silent') };
}
