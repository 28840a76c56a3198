/** Everything that can go wrong with a provider, as data. `null` instead of a fault is a provider that is well. */

/** Errors that a dialect words in its own way. */
export const errorKinds = [
	'server_error',
	'unavailable',
	'overloaded',
	'not_ready',
	'timeout',
	'rate_limited',
	'throttled',
	'quota_exhausted',
	'auth_failed',
	'forbidden',
	'model_not_found',
	'bad_request',
	'content_blocked',
] as const;
export type ErrorKind = (typeof errorKinds)[number];

export type Fault =
	// Slow, but right.
	| { readonly mode: 'slow_ttft'; readonly ms: number }
	| { readonly mode: 'slow'; readonly factor: number }
	| { readonly mode: 'jitter'; readonly ms: number }
	// Silence.
	| { readonly mode: 'no_headers' }
	| { readonly mode: 'silent_stream' }
	| { readonly mode: 'heartbeat_then_nothing'; readonly everyMs: number }
	| { readonly mode: 'stall_after'; readonly tokens: number }
	| { readonly mode: 'slow_drip'; readonly everyMs: number }
	// Cuts. `tokens` were sent before.
	| { readonly mode: 'cut_clean' | 'cut_fin' | 'cut_rst' | 'close_delimited_cut'; readonly tokens: number }
	| { readonly mode: 'reset_before_headers' | 'fin_before_headers' }
	// Errors.
	| { readonly mode: 'http_error'; readonly error: ErrorKind; readonly retryAfter?: string }
	| { readonly mode: 'http_status'; readonly status: number; readonly contentType: string; readonly body: string }
	| { readonly mode: 'http200_error_json'; readonly error: ErrorKind }
	| { readonly mode: 'html_page'; readonly status: number; readonly challenge: boolean }
	| { readonly mode: 'in_band_error'; readonly error: ErrorKind; readonly tokens: number }
	| { readonly mode: 'redirect' | 'queued_202' | 'not_streamed' }
	| { readonly mode: 'model_removed' }
	// Wrong ends.
	| { readonly mode: 'done_without_finish' | 'error_then_done' | 'no_done_after_finish' | 'empty_completion' | 'empty_body' }
	| { readonly mode: 'length_with_reasoning_only' | 'refusal' | 'content_filter' | 'wrong_answer' | 'wrong_model_echo' }
	// Right, in an unusual dress.
	| {
			readonly mode:
				| 'reasoning_first'
				| 'heartbeats_between'
				| 'split_utf8'
				| 'crlf'
				| 'cr'
				| 'multi_data_lines'
				| 'no_space_after_colon'
				| 'bom'
				| 'gzip_body';
	  }
	// Hostile, or not the protocol.
	| { readonly mode: 'bad_json_event' | 'gzip_truncated' | 'gzip_bomb' | 'not_gzip' | 'endless_stream' | 'huge_line' | 'header_flood' | 'event_flood' }
	| { readonly mode: 'binary_body' | 'not_http' | 'bad_chunk' | 'upgrade' }
	// One of several at random.
	| { readonly mode: 'flapping'; readonly ratio: number; readonly fault: Fault };

export type FaultMode = Fault['mode'];

/** An example of every mode, for tests that must meet them all: a mode without one does not compile. */
export const faultSamples = {
	slow_ttft: { mode: 'slow_ttft', ms: 40 },
	slow: { mode: 'slow', factor: 3 },
	jitter: { mode: 'jitter', ms: 3 },
	no_headers: { mode: 'no_headers' },
	silent_stream: { mode: 'silent_stream' },
	heartbeat_then_nothing: { mode: 'heartbeat_then_nothing', everyMs: 20 },
	stall_after: { mode: 'stall_after', tokens: 3 },
	slow_drip: { mode: 'slow_drip', everyMs: 20 },
	cut_clean: { mode: 'cut_clean', tokens: 3 },
	cut_fin: { mode: 'cut_fin', tokens: 3 },
	cut_rst: { mode: 'cut_rst', tokens: 3 },
	close_delimited_cut: { mode: 'close_delimited_cut', tokens: 3 },
	reset_before_headers: { mode: 'reset_before_headers' },
	fin_before_headers: { mode: 'fin_before_headers' },
	http_error: { mode: 'http_error', error: 'server_error' },
	http_status: { mode: 'http_status', status: 500, contentType: 'text/plain', body: 'Internal Server Error' },
	http200_error_json: { mode: 'http200_error_json', error: 'server_error' },
	html_page: { mode: 'html_page', status: 502, challenge: false },
	in_band_error: { mode: 'in_band_error', error: 'server_error', tokens: 0 },
	redirect: { mode: 'redirect' },
	queued_202: { mode: 'queued_202' },
	not_streamed: { mode: 'not_streamed' },
	model_removed: { mode: 'model_removed' },
	done_without_finish: { mode: 'done_without_finish' },
	error_then_done: { mode: 'error_then_done' },
	no_done_after_finish: { mode: 'no_done_after_finish' },
	empty_completion: { mode: 'empty_completion' },
	empty_body: { mode: 'empty_body' },
	length_with_reasoning_only: { mode: 'length_with_reasoning_only' },
	refusal: { mode: 'refusal' },
	content_filter: { mode: 'content_filter' },
	wrong_answer: { mode: 'wrong_answer' },
	wrong_model_echo: { mode: 'wrong_model_echo' },
	reasoning_first: { mode: 'reasoning_first' },
	heartbeats_between: { mode: 'heartbeats_between' },
	split_utf8: { mode: 'split_utf8' },
	crlf: { mode: 'crlf' },
	cr: { mode: 'cr' },
	multi_data_lines: { mode: 'multi_data_lines' },
	no_space_after_colon: { mode: 'no_space_after_colon' },
	bom: { mode: 'bom' },
	gzip_body: { mode: 'gzip_body' },
	bad_json_event: { mode: 'bad_json_event' },
	gzip_truncated: { mode: 'gzip_truncated' },
	gzip_bomb: { mode: 'gzip_bomb' },
	not_gzip: { mode: 'not_gzip' },
	endless_stream: { mode: 'endless_stream' },
	huge_line: { mode: 'huge_line' },
	header_flood: { mode: 'header_flood' },
	event_flood: { mode: 'event_flood' },
	binary_body: { mode: 'binary_body' },
	not_http: { mode: 'not_http' },
	bad_chunk: { mode: 'bad_chunk' },
	upgrade: { mode: 'upgrade' },
	flapping: { mode: 'flapping', ratio: 1, fault: { mode: 'http_error', error: 'server_error' } },
} as const satisfies { readonly [M in FaultMode]: Extract<Fault, { mode: M }> | Fault };
