/** Every dialect × every fault, over real sockets: the code and the phase that each must become. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Outcome } from '#core/outcome.ts';
import { ruleOf } from '#core/outcome.ts';
import type { Phase, ProbeResult } from '#core/probe-result.ts';
import type { Canary, Timeouts } from '#core/target.ts';
import { dialects } from '#providers/index.ts';
import { simDialects } from '#simulator/dialects/index.ts';
import { type ErrorKind, errorKinds, type Fault, type FaultMode, faultSamples } from '#simulator/faults.ts';
import { type Simulator, startSimulator } from '#simulator/start-simulator.ts';
import { patient, probeOnce, simProvider, targetOf, testKey } from './probe-setup.ts';

type Verdict = readonly [Outcome, Phase | null];
/** By dialect, or by framing: `json` is one document (embeddings), where nothing is an answer before the last brace. */
type Expected = Verdict | { readonly default: Verdict; readonly [dialectOrFraming: string]: Verdict };

const ok: Verdict = ['ok', null];
const notADocument: Verdict = ['invalid_response', 'first_event'];
const cutDocument: Verdict = ['stream_truncated', 'first_event'];
const noVector: Verdict = ['empty_response', 'end'];

const expected = {
	slow_ttft: ok,
	slow: ok,
	jitter: ok,
	no_headers: ['first_token_timeout', 'headers'],
	silent_stream: ['first_token_timeout', 'first_event'],
	heartbeat_then_nothing: ['first_token_timeout', 'first_event'],
	stall_after: { default: ['stream_stalled', 'stream'], json: ['first_token_timeout', 'first_event'] },
	// What drips is no frame, and a frame's length is checked at once.
	slow_drip: { default: ['first_token_timeout', 'first_event'], bedrock: notADocument },
	cut_clean: { default: ['stream_truncated', 'end'], json: notADocument },
	cut_fin: { default: ['stream_truncated', 'stream'], json: cutDocument },
	cut_rst: { default: ['stream_truncated', 'stream'], json: cutDocument },
	close_delimited_cut: { default: ['stream_truncated', 'end'], json: notADocument },
	reset_before_headers: ['server_error', 'headers'],
	fin_before_headers: ['server_error', 'headers'],
	http_error: ['server_error', 'headers'],
	http_status: ['server_error', 'headers'],
	// Where JSON is what was asked for, the error is in its place.
	http200_error_json: { default: ['server_error', 'headers'], json: ['server_error', 'first_event'], ollama: ['server_error', 'first_event'] },
	html_page: ['server_error', 'headers'],
	in_band_error: { default: ['server_error', 'first_event'], cohere: ['server_error', 'end'], json: notADocument },
	redirect: ['invalid_response', 'headers'],
	queued_202: ['not_ready', 'headers'],
	not_streamed: { default: ['invalid_response', 'headers'], json: ok, ollama: ok },
	model_removed: ['model_not_found', 'headers'],
	done_without_finish: { default: ['stream_truncated', 'end'], json: notADocument },
	error_then_done: { default: ['stream_error', 'stream'], cohere: ['stream_error', 'end'], json: notADocument },
	// Where the terminator is the finish reason itself, nothing is missing.
	no_done_after_finish: { default: ok, anthropic: ['stream_truncated', 'end'] },
	empty_completion: ['empty_response', 'end'],
	empty_body: ['stream_truncated', 'first_event'],
	length_with_reasoning_only: { default: ['canary_mismatch', 'assert'], json: noVector },
	// Ollama has no word for either: there it is silence.
	refusal: { default: ['content_blocked', 'end'], json: noVector, ollama: ['empty_response', 'end'] },
	content_filter: { default: ['content_blocked', 'end'], json: noVector, ollama: ['empty_response', 'end'] },
	wrong_answer: { default: ['canary_mismatch', 'assert'], json: ok },
	// Only where the catalogue knows the provider does another model's name count: see run-probe.test.ts.
	wrong_model_echo: ok,
	reasoning_first: ok,
	heartbeats_between: ok,
	split_utf8: ok,
	crlf: ok,
	cr: ok,
	multi_data_lines: ok,
	no_space_after_colon: ok,
	// A byte order mark belongs to text; before a binary frame it is damage.
	bom: { default: ok, bedrock: notADocument },
	gzip_body: ok,
	bad_json_event: { default: ['invalid_response', 'stream'], json: notADocument },
	gzip_truncated: ['stream_truncated', 'first_event'],
	gzip_bomb: ['invalid_response', 'first_event'],
	not_gzip: ['invalid_response', 'first_event'],
	endless_stream: { default: ['invalid_response', 'stream'], json: notADocument },
	huge_line: ['invalid_response', 'first_event'],
	header_flood: ['invalid_response', 'headers'],
	event_flood: { default: ['invalid_response', 'stream'], json: notADocument },
	// As server-sent events noise holds no event at all.
	binary_body: { default: ['stream_truncated', 'first_event'], json: notADocument, ollama: notADocument, bedrock: notADocument },
	not_http: ['invalid_response', 'headers'],
	bad_chunk: ['invalid_response', 'first_event'],
	upgrade: ['invalid_response', 'headers'],
	flapping: ['server_error', 'headers'],
} as const satisfies Record<FaultMode, Expected>;

/** The code of each kind of error, before the stream; inside it a provider's trouble is named by where it came. */
const kindCodes = {
	server_error: 'server_error',
	unavailable: 'server_error',
	overloaded: 'overloaded',
	not_ready: 'not_ready',
	timeout: 'server_timeout',
	rate_limited: 'rate_limited',
	throttled: 'throttled',
	quota_exhausted: 'quota_exhausted',
	auth_failed: 'auth_failed',
	forbidden: 'forbidden',
	model_not_found: 'model_not_found',
	bad_request: 'bad_request',
	content_blocked: 'content_blocked',
} as const satisfies Record<ErrorKind, Outcome>;

/**
 * Waiting for silence is what these cells are about. Their deadlines are shorter than a patient probe's, and still long enough for a machine
 * that stands still for seconds: what comes before the silence is immediate, and must be seen before the deadline.
 */
const shortWaits: Partial<Record<FaultMode, Partial<Timeouts>>> = {
	no_headers: { firstTokenMs: 600 },
	silent_stream: { firstTokenMs: 6_000 },
	heartbeat_then_nothing: { firstTokenMs: 6_000 },
	slow_drip: { firstTokenMs: 6_000 },
	stall_after: { firstTokenMs: 6_000, stallMs: 3_000 },
};

interface Cell {
	readonly id: string;
	readonly dialect: string;
	readonly fault: Fault;
	readonly verdict: Verdict;
	/** Undefined: the operation's own. */
	readonly canary?: Canary;
}

function verdictFor(mode: FaultMode, dialect: string): Verdict {
	const row: Expected = expected[mode];
	return 'default' in row ? (row[dialect] ?? row[dialects[dialect]?.framing ?? ''] ?? row.default) : row;
}

const modeCells: Cell[] = Object.keys(simDialects).flatMap((dialect) =>
	Object.entries(faultSamples).map(([mode, fault]) => ({ id: `${dialect}.${mode}`, dialect, fault, verdict: verdictFor(fault.mode, dialect) })),
);

const errorCells: Cell[] = Object.entries(simDialects).flatMap(([dialect, speaker]) =>
	errorKinds
		.filter((kind) => speaker.error(kind, null) !== null)
		.flatMap((error): Cell[] => {
			const code = kindCodes[error];
			const id = (where: string) => `${dialect}.${error}.${where}`;
			const inside = speaker.error(error, null)?.body ?? {};
			// Without a status only a body with words tells, and only where the protocol has a place for it.
			const worded = Object.keys(inside).length > 0 && speaker.inBandKinds.includes(error);
			const afterContent = ruleOf(code).group === 'provider' ? 'stream_error' : code;
			// Cohere's errors inside are a finish reason; Bedrock's name is in a header that a 200 does not have.
			const inside200 = dialect === 'bedrock' ? [] : (['json200'] as const);
			return [
				{ id: id('http'), dialect, fault: { mode: 'http_error', error }, verdict: [code, 'headers'] },
				...(worded
					? ([
							...inside200.map((where) => ({
								id: id(where),
								dialect,
								fault: { mode: 'http200_error_json', error } as const,
								verdict: inBandVerdict(dialect, error, code, dialect === 'ollama' ? 'first_event' : 'headers'),
							})),
							{
								id: id('before'),
								dialect,
								fault: { mode: 'in_band_error', error, tokens: 0 },
								verdict: inBandVerdict(dialect, error, code, dialect === 'cohere' ? 'end' : 'first_event'),
							},
							{
								id: id('after'),
								dialect,
								fault: { mode: 'in_band_error', error, tokens: 3 },
								verdict: inBandVerdict(dialect, error, afterContent, dialect === 'cohere' ? 'end' : 'stream'),
							},
						] as const)
					: []),
			];
		}),
);

/** Without a status some errors say less: OpenAI's bare 429 has no word at all, and its timeout has only a type. */
function inBandVerdict(dialect: string, error: ErrorKind, code: Outcome, phase: Phase): Verdict {
	if (dialect.startsWith('openai') && error === 'throttled') return [phase === 'stream' ? 'stream_error' : 'server_error', phase];
	return [code, phase];
}

const mismatch: Verdict = ['canary_mismatch', 'assert'];
const json: Canary = { name: 'json', type: 'json' };
const tool: Canary = { name: 'tool', type: 'tool' };

/** Faults that meet another canary otherwise than the echo; null: well. */
const formFaults: readonly { readonly fault: Fault | null; readonly json: Verdict; readonly tool: Verdict }[] = [
	{ fault: null, json: ok, tool: ok },
	{ fault: { mode: 'wrong_answer' }, json: mismatch, tool: mismatch },
	{ fault: { mode: 'reasoning_first' }, json: ok, tool: ok },
	{ fault: { mode: 'heartbeats_between' }, json: ok, tool: ok },
	{ fault: { mode: 'empty_completion' }, json: ['empty_response', 'end'], tool: ['empty_response', 'end'] },
	{ fault: { mode: 'cut_clean', tokens: 3 }, json: ['stream_truncated', 'end'], tool: ['stream_truncated', 'end'] },
	{ fault: { mode: 'length_with_reasoning_only' }, json: mismatch, tool: mismatch },
	{ fault: { mode: 'http_error', error: 'overloaded' }, json: ['overloaded', 'headers'], tool: ['overloaded', 'headers'] },
];

const formCells: Cell[] = Object.entries(simDialects)
	.filter(([, { operation }]) => operation === 'chat')
	.flatMap(([dialect, speaker]) =>
		formFaults
			.filter(({ fault }) => fault?.mode !== 'http_error' || speaker.error('overloaded', null) !== null)
			.flatMap(({ fault, ...verdicts }) =>
				[json, tool].map((canary) => ({
					id: `${dialect}.${canary.name}.${fault?.mode ?? 'well'}`,
					dialect,
					fault: fault ?? { mode: 'slow', factor: 1 },
					verdict: verdicts[canary.type === 'json' ? 'json' : 'tool'],
					canary,
				})),
			),
	);

describe('dialect × fault', () => {
	const cells = [...modeCells, ...errorCells, ...formCells];
	const results = new Map<string, ProbeResult>();
	let simulator: Simulator;

	beforeAll(async () => {
		const byId = new Map(cells.map((cell) => [cell.id, cell]));
		simulator = await startSimulator({
			fleet: { providers: cells.map(({ id, dialect }) => simProvider(id, dialect)) },
			faultAt: (provider) => byId.get(provider)?.fault ?? null,
			// The samples' own waits are what must pass; the models answer at once.
			timeScale: 0,
		});
		// Those that only wait go first and wait beside the others' work.
		const queue = cells.toSorted((a, b) => Number(a.fault.mode in shortWaits) - Number(b.fault.mode in shortWaits));
		const lane = async () => {
			for (let cell = queue.pop(); cell !== undefined; cell = queue.pop()) {
				const timeouts = { ...patient, ...shortWaits[cell.fault.mode] };
				const target = targetOf(cell.dialect, simulator.baseUrl(cell.id), { provider: cell.id, timeouts });
				results.set(cell.id, await probeOnce(target, {}, { canary: cell.canary ?? target.canaries[0] ?? json }));
			}
		};
		await Promise.all(Array.from({ length: 64 }, lane));
	}, 60_000);

	afterAll(() => simulator.close());

	test.each(cells.map(({ id, verdict }) => [id, ...verdict] as const))('%s is %s in phase %s', (id, outcome, phase) => {
		const result = results.get(id);
		expect({ outcome: result?.outcome, phase: result?.phase, evidence: result?.evidence }).toMatchObject({ outcome, phase });
	});

	test("no fault of the caller's is billed to a provider", () => {
		const callers = errorCells.filter(({ fault }) => 'error' in fault && ['caller', 'content'].includes(ruleOf(kindCodes[fault.error]).group));
		expect(callers.length).toBeGreaterThan(20);
		for (const { id } of callers) expect(results.get(id)?.sli, id).toBe('excluded');
	});

	test('a right answer in an unusual dress is as good as any', () => {
		const good = modeCells.filter(({ verdict }) => verdict[0] === 'ok');
		for (const { id } of good) expect(results.get(id), id).toMatchObject({ sli: 'good', httpStatus: 200 });
	});

	test('a wrong object and a wrong call say what is wrong', () => {
		expect(results.get('gemini.json.wrong_answer')?.evidence?.subcode).toBe('not_json');
		for (const { dialect } of formCells) expect(results.get(`${dialect}.tool.wrong_answer`)?.evidence?.subcode, dialect).toBe('wrong_arguments');
	});

	test('a stall is seen by its own deadline, not by the total', () => {
		for (const { id, verdict } of modeCells.filter(({ fault }) => fault.mode === 'stall_after')) {
			if (verdict[0] === 'stream_stalled') expect(results.get(id)?.evidence?.subcode, id).toBeUndefined();
		}
	});

	test('a [DONE] that proves nothing is named', () => {
		expect(results.get('openai-chat.done_without_finish')?.evidence?.subcode).toBe('done_without_finish');
		expect(results.get('openai-chat.no_done_after_finish')?.evidence?.subcode).toBe('no_done');
	});

	test('usage that was never told is not made up', () => {
		for (const { id, verdict } of modeCells.filter(({ fault }) => fault.mode === 'cut_fin')) {
			// Gemini tells it with every chunk.
			if (verdict[0] === 'stream_truncated' && !/gemini|vertex/.test(id)) expect(results.get(id)?.outputTokens, id).toBeNull();
		}
	});

	test('no key is in any result, though providers echo it', () => {
		expect(JSON.stringify([...results.values()])).not.toContain(testKey);
	});

	test('each probe opened one connection and sent one request', () => {
		const perProvider = Map.groupBy(simulator.requestLog, ({ provider }) => provider);
		for (const [provider, notes] of perProvider) expect(notes.length, provider).toBe(1);
	});
});
