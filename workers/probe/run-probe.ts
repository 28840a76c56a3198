import { randomBytes } from 'node:crypto';
import { type Answer, emptyAnswer } from '#core/answer.ts';
import { type Ask, askOf, findMismatch, mostInputTokens } from '#core/canary.ts';
import { type Classification, classify, type ProbeEvidence } from '#core/classify.ts';
import { costMicroUsd, mostOutputTokens } from '#core/cost.ts';
import { readAnnouncement } from '#core/lifecycle.ts';
import { type Outcome, ruleOf, sliOf } from '#core/outcome.ts';
import type { Evidence, ProbeKind, ProbeResult, RateLimitHeaders } from '#core/probe-result.ts';
import { readRateLimit } from '#core/rate-limit.ts';
import { hideSecrets, redact, secretsOf } from '#core/redact.ts';
import { parseRetryAfter } from '#core/retry-after.ts';
import type { Canary, Target } from '#core/target.ts';
import { type CatalogEntry, findProvider } from '#providers/catalog.ts';
import { dialects } from '#providers/index.ts';
import { buildWire, findRequestId, isOtherModel } from '#providers/wire.ts';
import { authorize } from './authorize.ts';
import { type Control, confirmNetwork, type NetworkOpinion } from './confirm-network.ts';
import { isBent, type LoopLag } from './loop-lag.ts';
import { type NetworkSettings, newMarks } from './open-connection.ts';
import { type Exchange, type ExchangeNote, timedRequest } from './timed-request.ts';

export interface ProbeTools {
	/** ms since epoch. */
	now(): number;
	/** The value of a variable that a target names; undefined when it is not set. */
	readSecret(envName: string): string | undefined;
	readonly lag: LoopLag;
	/** Endpoints of other providers, asked (TCP only) whether our own network works. */
	controls(): readonly Control[];
	/** A word that no cache holds; default random. */
	randomNonce?(): string;
	/** Sees the exchange as it happens; it never sees headers that we sent. */
	observe?(note: ExchangeNote): void;
	/** For private networks and tests; default: the system's trust and name servers. */
	readonly network?: NetworkSettings;
}

export interface Probe {
	readonly target: Target;
	readonly canary: Canary;
	readonly vantage: string;
	readonly kind: ProbeKind;
	/** ms since epoch; names the slot. */
	readonly slotAt: number;
	readonly signal?: AbortSignal;
}

const nothingSent: Exchange = {
	marks: newMarks(),
	phase: 'credential',
	ttfbMs: null,
	ttftMs: null,
	maxGapMs: null,
	generationMs: null,
	totalMs: 0,
	transport: null,
	deadline: null,
	bound: null,
	aborted: false,
	status: null,
	headers: {},
	body: null,
	heartbeats: 0,
	eventSeen: false,
	contentSeen: false,
};

/** Of a note: cut once the secrets are hidden, or the cut would leave half of one. */
const shownDetail = 220;

/** Below this a rate says how the answer was cut into chunks, not how fast it was made. */
const fewestTokensForSpeed = 20;

/**
 * Sends one canary once and records what came. A failed probe is a value.
 * @throws only when the target names a dialect that does not exist: configuration has to refuse that
 */
export async function runProbe(tools: ProbeTools, probe: Probe): Promise<ProbeResult> {
	const { target, canary } = probe;
	const dialect = dialects[target.dialect];
	if (dialect === undefined) throw new Error(`Expected a dialect of ${Object.keys(dialects).join(', ')}, got \`${target.dialect}\` in ${target.id}`);
	const entry = findProvider(target.provider);
	const startedAt = tools.now();
	const startedMs = performance.now();
	const secret = target.apiKeyEnv === null ? null : (tools.readSecret(target.apiKeyEnv) ?? '').trim();
	const secrets = secretsOf(secret, target.headers);
	const nonce = tools.randomNonce?.() ?? randomBytes(6).toString('hex');
	const ask = askOf(canary, nonce);
	const reader = dialect.createReader();
	const credentialFault = secret === '' ? 'key_not_set' : secret !== null && /[^\x21-\x7e]/.test(secret) ? 'key_not_printable' : null;
	let exchange = nothingSent;
	let url: URL | null = null;
	if (credentialFault === null) {
		const wire = buildWire(dialect, entry, target, ask);
		url = wire.url;
		exchange = await timedRequest({
			...wire,
			headers: { ...wire.headers, ...(secret === null ? {} : authorize(entry?.auth ?? dialect.auth, secret, wire, startedAt)) },
			method: 'POST',
			timeouts: target.timeouts,
			framing: dialect.framing,
			contentTypes: dialect.contentTypes,
			reader,
			network: tools.network ?? {},
			http2: target.http2,
			signal: probe.signal,
			observe:
				tools.observe === undefined ? undefined : (note) => tools.observe?.({ ...note, detail: hideSecrets(note.detail, secrets).slice(0, shownDetail) }),
		});
	}
	const lagMs = tools.lag.worstSince(startedMs);
	const answer = exchange.body === null && exchange.status !== null ? reader.answer() : null;
	const rateLimit = readRateLimit(exchange.headers, startedAt, entry?.resetInSeconds ?? false);
	const evidence: ProbeEvidence = {
		monitorFault: exchange.aborted ? 'aborted' : isBent(tools.lag, lagMs, exchange.totalMs) ? 'event_loop_lag' : null,
		credentialFault,
		phase: exchange.phase,
		transport: exchange.transport,
		deadline: exchange.deadline,
		bound: exchange.bound,
		status: exchange.status,
		headers: exchange.headers,
		body: exchange.body,
		answer,
		contentSeen: exchange.contentSeen,
		eventSeen: exchange.eventSeen,
		assertion: answer?.complete ? judge(canary, nonce, answer, otherModel(entry, target, answer.servedModel)) : null,
		rules: [...(entry?.errorRules ?? []), ...dialect.errorRules],
		ownLimitReached: rateLimit?.requestsRemaining === 0 || rateLimit?.tokensRemaining === 0,
	};
	const first = classify(evidence);
	const opinion = url === null ? null : await askNetwork(tools, url, target, exchange, first);
	// Silence on a connection that stood is a provider's fault only while our own network is known to work.
	const lost = opinion !== null && !isNetwork(first.outcome) && opinion.secondFailed && !opinion.networkWorks;
	const found = lost ? classify({ ...evidence, monitorFault: 'network_lost' }) : first;
	const networkConfirmed = opinion !== null && isNetwork(found.outcome) ? opinion.secondFailed && opinion.networkWorks : null;
	const { inputTokens, outputTokens, costMicroUsd } = bill(target, ask, exchange, answer ?? emptyAnswer);
	return {
		slotAt: probe.slotAt,
		startedAt,
		vantage: probe.vantage,
		provider: target.provider,
		model: target.model,
		operation: target.operation,
		canary: canary.name,
		kind: probe.kind,
		outcome: found.outcome,
		sli: sliOf(found.outcome, networkConfirmed),
		phase: found.phase,
		httpStatus: exchange.status,
		dnsMs: exchange.marks.dnsMs,
		connectMs: exchange.marks.connectMs,
		tlsMs: exchange.marks.tlsMs,
		ttfbMs: exchange.ttfbMs,
		// One document has no first token: its latency is the total.
		ttftMs: dialect.framing === 'json' ? null : exchange.ttftMs,
		maxGapMs: dialect.framing === 'json' ? null : exchange.maxGapMs,
		totalMs: exchange.totalMs,
		lagMs,
		inputTokens,
		outputTokens,
		outputTokensPerSecond: speedOf(exchange, answer?.outputTokens ?? null, answer?.reasoningTokens ?? 0),
		servedModel: clean(answer?.servedModel ?? null, secrets),
		requestId: clean(findRequestId(exchange.headers) ?? answer?.requestId ?? null, secrets),
		retryAfterMs: found.outcome === 'ok' ? null : parseRetryAfter(exchange.headers, found.error?.retryAfterMs ?? null, tools.now()),
		costMicroUsd,
		evidence: describe(found, exchange, answer?.finishReason ?? null, networkConfirmed, rateLimit, secrets),
	};
}

function isNetwork(outcome: Outcome): boolean {
	return ruleOf(outcome).group === 'network';
}

function otherModel(entry: CatalogEntry | undefined, target: Target, served: string | null): boolean {
	// An endpoint of the operator's own may call its models anything.
	return entry !== undefined && !entry.servedModelVaries && served !== null && isOtherModel(target.upstreamModel, served);
}

function judge(canary: Canary, nonce: string, answer: Answer, wrongModel: boolean): { right: boolean; subcode: string | null } {
	const subcode = wrongModel ? 'wrong_model' : findMismatch(canary, nonce, answer);
	return { right: subcode === null, subcode };
}

/** Null when what failed can't have been the network: an answer came, or nothing was wrong. */
async function askNetwork(tools: ProbeTools, url: URL, target: Target, exchange: Exchange, found: Classification): Promise<NetworkOpinion | null> {
	if (found.outcome === 'ok' || ruleOf(found.outcome).group === 'monitor') return null;
	const silent =
		(exchange.transport !== null || exchange.deadline !== null) &&
		['dns', 'connect', 'tls', 'request', 'headers', 'first_event', 'stream'].includes(exchange.phase);
	if (!isNetwork(found.outcome) && !(silent && ruleOf(found.outcome).group === 'provider')) return null;
	return confirmNetwork(url, target.timeouts.connectMs, tools.controls(), tools.network ?? {});
}

/** Tokens as reported. Where an answer began but its bill never came, the dearest case is charged, so that a budget can't be overrun unseen. */
function bill(target: Target, ask: Ask, exchange: Exchange, answer: { inputTokens: number | null; outputTokens: number | null }) {
	const { inputTokens, outputTokens } = answer;
	if (target.price === null) return { inputTokens, outputTokens, costMicroUsd: null };
	const accepted = exchange.status !== null && exchange.status >= 200 && exchange.status < 300;
	const unseen = exchange.status === null && exchange.phase === 'headers';
	if (!accepted && !unseen) return { inputTokens, outputTokens, costMicroUsd: 0 };
	const cost = costMicroUsd(target.price, inputTokens ?? mostInputTokens(ask), outputTokens ?? mostOutputTokens(target));
	return { inputTokens, outputTokens, costMicroUsd: cost };
}

function speedOf(exchange: Exchange, outputTokens: number | null, reasoningTokens: number): number | null {
	if (outputTokens === null || exchange.generationMs === null || exchange.generationMs <= 0) return null;
	const visible = outputTokens - reasoningTokens;
	return visible < fewestTokensForSpeed ? null : ((visible - 1) / exchange.generationMs) * 1_000;
}

function clean(text: string | null, secrets: readonly string[]): string | null {
	if (text === null) return null;
	// biome-ignore lint/suspicious/noControlCharactersInRegex: ids are stored, so control characters go.
	return (
		hideSecrets(text, secrets)
			.replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
			.toWellFormed()
			.slice(0, 120) || null
	);
}

function describe(
	found: Classification,
	exchange: Exchange,
	finishReason: string | null,
	networkConfirmed: boolean | null,
	rateLimit: RateLimitHeaders | null,
	secrets: readonly string[],
): Evidence | null {
	const end = readAnnouncement(exchange.headers);
	const error = found.error;
	// Where no error of a known shape was found, the first words of the body are the evidence.
	const text = found.outcome === 'ok' ? null : (error?.message ?? exchange.transport?.message ?? exchange.body);
	const evidence: Evidence = {
		...(found.subcode === null ? {} : { subcode: found.subcode }),
		...(found.inBand ? { inBand: true } : {}),
		...(error?.type ? { providerType: redact(error.type, secrets, 120) } : {}),
		...(error?.code ? { providerCode: redact(error.code, secrets, 120) } : {}),
		...(text === null || text === '' ? {} : { message: redact(text, secrets) }),
		...(error?.param ? { param: redact(error.param, secrets, 120) } : {}),
		...(end === null ? {} : { deprecated: true as const, ...(end.shutdownAt === null ? {} : { sunsetAt: end.shutdownAt }) }),
		...(exchange.marks.protocol === 'h2' ? { protocol: 'h2' as const } : {}),
		...(exchange.heartbeats > 0 ? { heartbeats: exchange.heartbeats } : {}),
		...(finishReason === null || found.outcome === 'ok' ? {} : { finishReason: redact(finishReason, secrets, 60) }),
		...(networkConfirmed === null ? {} : { networkConfirmed }),
		...(rateLimit === null ? {} : { rateLimit }),
	};
	return Object.keys(evidence).length === 0 ? null : evidence;
}
