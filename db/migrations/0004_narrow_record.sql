set local search_path = linnet;
set local work_mem = '64MB';

-- Names, interned --------------------------------------------------------------------------------------------------------------

create table series (
	series_key integer generated always as identity primary key,
	target_key integer not null references targets,
	vantage_key smallint not null references vantages,
	canary_key smallint not null references canaries,
	kind smallint not null,
	unique (target_key, vantage_key, canary_key, kind)
);
comment on table series is 'Target x vantage x canary x kind, interned: what a result and a rollup are of';
comment on column series.series_key is 'Number that stands for the series in results and rollups';
comment on column series.target_key is 'targets.target_key';
comment on column series.vantage_key is 'vantages.vantage_key';
comment on column series.canary_key is 'canaries.canary_key';
comment on column series.kind is 'Code of the kind: 0 scheduled, 1 confirmation, 2 manual; only scheduled ones enter published numbers';

create table remarks (
	remark_key smallint generated always as identity primary key,
	http_status smallint,
	served_model text,
	evidence jsonb,
	unique nulls not distinct (http_status, served_model, evidence)
);
comment on table remarks is 'What many results say alike beside their figures, interned. Bounded: what would be one too many stands in result_details';
comment on column remarks.remark_key is 'Number that stands for it in the results';
comment on column remarks.http_status is 'HTTP status; null without a response';
comment on column remarks.served_model is 'Model as the response names it; null when it does not';
comment on column remarks.evidence is 'What was seen beside the code, redacted; null when nothing';

create table result_words (
	list text not null,
	code smallint not null,
	word text not null,
	primary key (list, code)
);
comment on table result_words is 'Words behind the codes of probe_results.code, for queries by hand; the code itself uses db/result-codes.ts';
comment on column result_words.list is 'outcome, sli, phase or kind';
comment on column result_words.code is 'Number';
comment on column result_words.word is 'Word';
insert into result_words
select 'outcome', ordinal - 1, word from unnest(array['ok', 'server_error', 'server_timeout', 'first_token_timeout', 'stream_stalled', 'stream_truncated',
	'stream_error', 'invalid_response', 'empty_response', 'overloaded', 'not_ready', 'throttled', 'rate_limited', 'quota_exhausted', 'auth_failed', 'forbidden',
	'model_not_found', 'bad_request', 'dns_failed', 'connect_failed', 'tls_failed', 'edge_blocked', 'monitor_fault', 'content_blocked', 'canary_mismatch'])
	with ordinality as o(word, ordinal)
union all select 'sli', ordinal - 1, word from unnest(array['good', 'bad', 'excluded']) with ordinality as o(word, ordinal)
union all select 'phase', ordinal - 1, word from unnest(array['schedule', 'credential', 'dns', 'connect', 'tls', 'request', 'headers', 'first_event', 'stream',
	'end', 'assert']) with ordinality as o(word, ordinal)
union all select 'kind', ordinal - 1, word from unnest(array['scheduled', 'confirmation', 'manual']) with ordinality as o(word, ordinal);

-- Raw results ------------------------------------------------------------------------------------------------------------------

-- Two bytes a figure: the logarithm in steps of 1/3200, so a value is kept within 0.032 % (below 0.01 within 4 ns of a ms): a thirtieth of
-- what the histograms keep, and far below what the event loop does to any measured time.
create function code_of(value double precision) returns smallint language sql immutable parallel safe as $$
	select case when value is null then -32768 else least(32767, round(3200 * ln(1 + greatest(value, 0) / 0.01)) - 32767)::smallint end
$$;
comment on function code_of is 'ms or tokens per second -> code; -32768: there is no value. db/log-code.ts';
create function value_of(code smallint) returns double precision language sql immutable parallel safe as $$
	select case when code > -32768 then 0.01 * (exp((code + 32767) / 3200.0) - 1) end
$$;
comment on function value_of is 'Code -> ms or tokens per second; null when there is no value. db/log-code.ts';

do $$
declare
	part record;
begin
	for part in select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'linnet.probe_results'::regclass loop
		execute format('alter table %I rename to %I', part.name, replace(part.name, 'probe_results', 'results_0001'));
	end loop;
end
$$;
alter table probe_results rename to results_0001;
alter index probe_results_slot rename to results_0001_slot;
alter index probe_results_seq rename to results_0001_seq;
alter table results_0001 alter column seq drop default;

-- Columns stand widest first and have no nulls, so that no row pays for padding or for a map of nulls.
create table probe_results (
	seq bigint not null default nextval('linnet.probe_result_seq'),
	slot_at timestamptz not null,
	series_key integer not null,
	cost_nano_usd integer not null,
	start_delay_ms smallint not null,
	code smallint not null,
	remark_key smallint not null,
	input_tokens smallint not null,
	output_tokens smallint not null,
	dns_code smallint not null,
	connect_code smallint not null,
	tls_code smallint not null,
	ttfb_code smallint not null,
	ttft_code smallint not null,
	max_gap_code smallint not null,
	total_code smallint not null,
	lag_code smallint not null,
	speed_code smallint not null,
	request_id bytea not null
) partition by range (slot_at);
comment on table probe_results is 'One canary sent once, and what came of it; one partition a UTC day of slot_at. For people there is the view results';
comment on column probe_results.seq is 'Order of commit: a reader that has read through n misses none at or below n';
comment on column probe_results.slot_at is 'The slot, to the ms';
comment on column probe_results.series_key is 'series.series_key';
comment on column probe_results.cost_nano_usd is 'Cost in 1e-9 USD; -1: no price is known, -2: in result_details';
comment on column probe_results.start_delay_ms is 'Start of the probe after its slot, ms; -32768: it never started (a missed slot), 32767: in result_details';
comment on column probe_results.code is 'Bits 0-5 outcome, 6-7 sli, 8-11 phase in which it failed plus 1 (0: none), 12: has a row in result_details, 13: the slot was first recorded as missed. Words: result_words';
comment on column probe_results.remark_key is 'remarks.remark_key; 0: none, or in result_details';
comment on column probe_results.input_tokens is 'Tokens; -1: not reported, -2: in result_details';
comment on column probe_results.output_tokens is 'Tokens; -1: not reported, -2: in result_details';
comment on column probe_results.dns_code is 'Name lookup, ms, as code (value_of); -32768: it did not happen';
comment on column probe_results.connect_code is 'TCP connection, ms, as code; -32768: it did not happen';
comment on column probe_results.tls_code is 'TLS handshake, ms, as code; -32768: it did not happen';
comment on column probe_results.ttfb_code is 'Request sent to response headers, ms, as code; -32768: it did not happen';
comment on column probe_results.ttft_code is 'Request sent to first visible content, ms, as code; -32768: it did not happen';
comment on column probe_results.max_gap_code is 'Longest silence between content chunks, ms, as code; -32768: it did not happen';
comment on column probe_results.total_code is 'Start to end, ms, as code; -32768: it did not happen';
comment on column probe_results.lag_code is 'Worst event-loop delay of the probe''s process meanwhile, ms, as code; -32768: not measured';
comment on column probe_results.speed_code is 'Tokens per second after the first, as code; -32768: too few';
comment on column probe_results.request_id is 'The provider''s id of the request, packed (db/pack-request-id.ts); empty when it gave none';

create unique index probe_results_slot on probe_results (series_key, slot_at);
-- Rows stand in the order of seq, so a summary of each 32 pages finds them; a b-tree would cost 20 bytes a row.
create index probe_results_seq on probe_results using brin (seq) with (pages_per_range = 32, autosummarize = on);
create table probe_results_default partition of probe_results default;
create trigger order_results before insert on probe_results for each statement execute function order_results();

create table result_details (
	slot_at timestamptz not null,
	started_at timestamptz,
	cost_nano_usd bigint,
	series_key integer not null,
	input_tokens integer,
	output_tokens integer,
	retry_after_ms integer,
	http_status smallint,
	served_model text,
	evidence jsonb
) partition by range (slot_at);
comment on table result_details is 'What few results have: evidence of their own, and figures too large for the narrow columns; one partition a UTC day of slot_at';
comment on column result_details.slot_at is 'probe_results.slot_at';
comment on column result_details.started_at is 'Start of the probe; null when start_delay_ms tells it';
comment on column result_details.cost_nano_usd is 'Cost in 1e-9 USD; null when the result''s own column tells it';
comment on column result_details.series_key is 'series.series_key';
comment on column result_details.input_tokens is 'Tokens; null when the result''s own column tells them';
comment on column result_details.output_tokens is 'Tokens; null when the result''s own column tells them';
comment on column result_details.retry_after_ms is 'What the provider asked for, ms; null when it did not';
comment on column result_details.http_status is 'HTTP status; null without a response';
comment on column result_details.served_model is 'Model as the response names it; null when it does not';
comment on column result_details.evidence is 'What was seen beside the code, redacted; null when nothing';
create unique index result_details_slot on result_details (series_key, slot_at);
create table result_details_default partition of result_details default;

-- Makes the partition of a UTC day where it is missing; rows that wait in the default one move in.
drop function ensure_day_partition(date);
create function ensure_day_partition(base text, range_column text, day date) returns boolean language plpgsql set search_path = linnet as $$
declare
	name text := base || '_' || to_char(day, 'YYYYMMDD');
	from_at timestamptz := day::timestamp at time zone 'UTC';
	to_at timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
	if to_regclass(name) is not null then
		return false;
	end if;
	-- A lock on a relation, since only that makes this session see the table that a neighbour has just made.
	execute format('lock table %I in share update exclusive mode', base);
	if to_regclass(name) is not null then
		return false;
	end if;
	execute format('create table %I (like %I including defaults including constraints including comments)', name, base);
	execute format('with moved as (delete from %I where %I >= $1 and %I < $2 returning *) insert into %I select * from moved', base || '_default', range_column,
		range_column, name) using from_at, to_at;
	execute format('alter table %I attach partition %I for values from (%L) to (%L)', base, name, from_at, to_at);
	return true;
end
$$;

insert into series (target_key, vantage_key, canary_key, kind)
select distinct target_key, vantage_key, canary_key, kind from results_0001
union
select distinct target_key, vantage_key, canary_key, 0::smallint
from (select target_key, vantage_key, canary_key from rollups_5m union select target_key, vantage_key, canary_key from rollups_hour
	union select target_key, vantage_key, canary_key from rollups_day) rolled;

-- Headroom headers stay only with failures; a message is never interned.
create temporary table told on commit drop as
select r.seq, s.series_key, r.slot_at, r.http_status, r.served_model, e.evidence, e.detailed
from results_0001 r
join series s using (target_key, vantage_key, canary_key, kind)
cross join lateral (select nullif(case when r.outcome = 0 then r.evidence - 'rateLimit' else r.evidence end, '{}') as kept) k
cross join lateral (
	select k.kept as evidence,
		r.retry_after_ms is not null or coalesce(k.kept ? 'message' or k.kept ? 'rateLimit' or length(k.kept::text) > 200, false)
			or r.cost_nano_usd > 2147483647 or greatest(r.input_tokens, r.output_tokens) > 32767
			or abs(extract(epoch from r.started_at - r.slot_at)) > 32 as detailed
) e;
insert into remarks (http_status, served_model, evidence)
select http_status, served_model, evidence from told
where not detailed and (http_status is not null or served_model is not null or evidence is not null)
group by http_status, served_model, evidence order by count(*) desc limit 20000;

do $$
declare
	day date;
begin
	for day in select distinct (slot_at at time zone 'UTC')::date from results_0001 loop
		perform ensure_day_partition('probe_results', 'slot_at', day);
		perform ensure_day_partition('result_details', 'slot_at', day);
	end loop;
end
$$;
create temporary table moving on commit drop as
select t.*, m.remark_key,
	t.detailed or (m.remark_key is null and (t.http_status is not null or t.served_model is not null or t.evidence is not null)) as has_details
from told t
left join remarks m on not t.detailed and (m.http_status, m.served_model, m.evidence) is not distinct from (t.http_status, t.served_model, t.evidence);
insert into probe_results
select r.seq, r.slot_at, m.series_key,
	case when r.cost_nano_usd is null then -1 when r.cost_nano_usd > 2147483647 then -2 else r.cost_nano_usd end,
	case when r.started_at is null then -32768 when abs(extract(epoch from r.started_at - r.slot_at)) > 32 then 32767
		else round(extract(epoch from r.started_at - r.slot_at) * 1000) end,
	r.outcome + r.sli * 64 + coalesce(r.phase + 1, 0) * 256 + case when m.has_details then 4096 else 0 end + case when r.replaced_missed then 8192 else 0 end,
	case when m.has_details then 0 else coalesce(m.remark_key, 0) end,
	case when r.input_tokens > 32767 then -2 else coalesce(r.input_tokens, -1) end,
	case when r.output_tokens > 32767 then -2 else coalesce(r.output_tokens, -1) end,
	code_of(r.dns_ms), code_of(r.connect_ms), code_of(r.tls_ms), code_of(r.ttfb_ms), code_of(r.ttft_ms), code_of(r.max_gap_ms), code_of(r.total_ms),
	code_of(r.lag_ms), code_of(r.output_tokens_per_second),
	coalesce('\x00'::bytea || convert_to(r.request_id, 'UTF8'), '')
from moving m join results_0001 r on r.seq = m.seq and r.slot_at = m.slot_at
order by r.seq;
insert into result_details
select m.slot_at, case when abs(extract(epoch from r.started_at - r.slot_at)) > 32 then r.started_at end,
	case when r.cost_nano_usd > 2147483647 then r.cost_nano_usd end, m.series_key, case when r.input_tokens > 32767 then r.input_tokens end,
	case when r.output_tokens > 32767 then r.output_tokens end, r.retry_after_ms, m.http_status, m.served_model, m.evidence
from moving m join results_0001 r on r.seq = m.seq and r.slot_at = m.slot_at
where m.has_details;
drop table results_0001;

create view results as
select r.seq, r.slot_at,
	case r.start_delay_ms when -32768 then null when 32767 then d.started_at else r.slot_at + r.start_delay_ms * interval '1 ms' end as started_at,
	t.target_id, t.provider, t.model, t.operation, v.name as vantage, c.name as canary, k.word as kind, o.word as outcome, i.word as sli, p.word as phase,
	coalesce(d.http_status, m.http_status) as http_status,
	value_of(r.dns_code) as dns_ms, value_of(r.connect_code) as connect_ms, value_of(r.tls_code) as tls_ms, value_of(r.ttfb_code) as ttfb_ms,
	value_of(r.ttft_code) as ttft_ms, value_of(r.max_gap_code) as max_gap_ms, value_of(r.total_code) as total_ms, value_of(r.lag_code) as lag_ms,
	case r.input_tokens when -1 then null when -2 then d.input_tokens else r.input_tokens end as input_tokens,
	case r.output_tokens when -1 then null when -2 then d.output_tokens else r.output_tokens end as output_tokens,
	value_of(r.speed_code) as output_tokens_per_second, d.retry_after_ms,
	case r.cost_nano_usd when -1 then null when -2 then d.cost_nano_usd else r.cost_nano_usd end as cost_nano_usd,
	coalesce(d.served_model, m.served_model) as served_model, coalesce(d.evidence, m.evidence) as evidence, s.series_key
from probe_results r
join series s using (series_key)
join targets t using (target_key)
join vantages v using (vantage_key)
join canaries c using (canary_key)
join result_words k on k.list = 'kind' and k.code = s.kind
join result_words o on o.list = 'outcome' and o.code = r.code & 63
join result_words i on i.list = 'sli' and i.code = (r.code >> 6) & 3
left join result_words p on p.list = 'phase' and p.code = ((r.code >> 8) & 15) - 1
left join remarks m on m.remark_key = r.remark_key
left join result_details d on r.code & 4096 <> 0 and d.series_key = r.series_key and d.slot_at = r.slot_at;
comment on view results is 'probe_results for people: names instead of keys, ms instead of codes, null where there is nothing. Columns: as in probe_results';

create table headroom (
	target_key integer not null references targets,
	vantage_key smallint not null references vantages,
	at timestamptz not null,
	requests_limit bigint,
	requests_remaining bigint,
	tokens_limit bigint,
	tokens_remaining bigint,
	reset_ms bigint,
	primary key (target_key, vantage_key)
) with (fillfactor = 70);
comment on table headroom is 'Newest rate-limit headers of each target and vantage; with a result they are kept only where they say something new';
comment on column headroom.target_key is 'targets.target_key';
comment on column headroom.vantage_key is 'vantages.vantage_key';
comment on column headroom.at is 'Start of the probe that was told';
comment on column headroom.requests_limit is 'Requests per period; null when not told';
comment on column headroom.requests_remaining is 'Requests left; null when not told';
comment on column headroom.tokens_limit is 'Tokens per period; null when not told';
comment on column headroom.tokens_remaining is 'Tokens left; null when not told';
comment on column headroom.reset_ms is 'Until the limit is whole again, ms; null when not told';

-- Rollups ----------------------------------------------------------------------------------------------------------------------

alter table rollups_5m rename to rollups_5m_0001;
alter table rollups_hour rename to rollups_hour_0001;
alter table rollups_day rename to rollups_day_0001;

create table rollups_5m (
	bucket_at timestamptz not null,
	cost_nano_usd bigint not null,
	series_key integer not null,
	input_tokens bigint not null,
	output_tokens bigint not null,
	slot_count integer not null,
	missed_count integer not null,
	good_count integer not null,
	bad_count integer not null,
	excluded_count integer not null,
	served_count integer not null,
	refused_count integer not null,
	right_count integer not null,
	answered_count integer not null,
	outcome_codes smallint[] not null,
	outcome_counts integer[] not null,
	ttft_buckets smallint[] not null,
	ttft_counts integer[] not null,
	total_buckets smallint[] not null,
	total_counts integer[] not null,
	speed_buckets smallint[] not null,
	speed_counts integer[] not null
) partition by range (bucket_at);
comment on column rollups_5m.bucket_at is 'Start of the bucket, UTC';
comment on column rollups_5m.cost_nano_usd is 'Cost in 1e-9 USD';
comment on column rollups_5m.series_key is 'series.series_key, of a series of kind scheduled';
comment on column rollups_5m.input_tokens is 'Tokens';
comment on column rollups_5m.output_tokens is 'Tokens';
comment on column rollups_5m.slot_count is 'Slots, missed ones included';
comment on column rollups_5m.missed_count is 'Slots that never ran';
comment on column rollups_5m.good_count is 'Results that are good for availability';
comment on column rollups_5m.bad_count is 'Results that are bad for availability';
comment on column rollups_5m.excluded_count is 'Results that ran and stay out of availability';
comment on column rollups_5m.served_count is 'Results that the capacity ratio counts as served';
comment on column rollups_5m.refused_count is 'Results that the capacity ratio counts as refused';
comment on column rollups_5m.right_count is 'Canaries answered right';
comment on column rollups_5m.answered_count is 'Canaries answered';
comment on column rollups_5m.outcome_codes is 'Outcome codes seen, ascending';
comment on column rollups_5m.outcome_counts is 'Results of each code';
comment on column rollups_5m.ttft_buckets is 'Time to first token: histogram bucket indices (core/histogram.ts), ascending';
comment on column rollups_5m.ttft_counts is 'Results in each bucket';
comment on column rollups_5m.total_buckets is 'Total time: histogram bucket indices, ascending';
comment on column rollups_5m.total_counts is 'Results in each bucket';
comment on column rollups_5m.speed_buckets is 'Output tokens per second: histogram bucket indices, ascending';
comment on column rollups_5m.speed_counts is 'Results in each bucket';
create table rollups_hour (like rollups_5m including comments, primary key (series_key, bucket_at));
create table rollups_day (like rollups_5m including comments, primary key (series_key, bucket_at));
create unique index rollups_5m_slot on rollups_5m (series_key, bucket_at);
create index rollups_hour_time on rollups_hour using brin (bucket_at) with (pages_per_range = 32, autosummarize = on);
-- Bars and long windows add up counts of ninety days of every series: from this index alone, without the histograms.
create index rollups_day_counts on rollups_day (bucket_at, series_key) include (slot_count, missed_count, good_count, bad_count, excluded_count, served_count,
	refused_count, right_count, answered_count, input_tokens, output_tokens, cost_nano_usd);
create table rollups_5m_default partition of rollups_5m default;
comment on table rollups_5m is 'Sums of the scheduled results of 5 minutes of one series; one partition a UTC day, the older days are packed';
comment on table rollups_hour is 'Sums of an hour, from the 5 minutes';
comment on table rollups_day is 'Sums of a UTC day, from the hours';

create table packed_5m (
	day date not null,
	series_key integer not null,
	packed bytea not null,
	primary key (series_key, day)
) partition by range (day);
comment on table packed_5m is 'The 5-minute rollups of one series and UTC day, packed (db/pack-rollups.ts); one partition a month';
comment on column packed_5m.day is 'UTC day';
comment on column packed_5m.series_key is 'series.series_key';
comment on column packed_5m.packed is 'Rollups by place in the day, deflated';

do $$
declare
	day date;
	step text;
begin
	for day in select distinct (bucket_at at time zone 'UTC')::date from rollups_5m_0001 loop
		perform ensure_day_partition('rollups_5m', 'bucket_at', day);
	end loop;
	foreach step in array array['5m', 'hour', 'day'] loop
		execute format(
			'insert into rollups_%1$s select r.bucket_at, r.cost_nano_usd, s.series_key, r.input_tokens, r.output_tokens, r.slot_count, r.missed_count, r.good_count,
				r.bad_count, r.excluded_count, r.served_count, r.refused_count, r.right_count, r.answered_count, r.outcome_codes, r.outcome_counts, r.ttft_buckets,
				r.ttft_counts, r.total_buckets, r.total_counts, r.speed_buckets, r.speed_counts
			from rollups_%1$s_0001 r join series s on s.target_key = r.target_key and s.vantage_key = r.vantage_key and s.canary_key = r.canary_key and s.kind = 0
			order by r.bucket_at', step);
		execute format('drop table rollups_%s_0001', step);
	end loop;
end
$$;

-- Marks ------------------------------------------------------------------------------------------------------------------------

create table target_setups (
	target_key integer not null references targets,
	aspect text not null,
	value text not null,
	primary key (target_key, aspect)
);
comment on table target_setups is 'How each target is probed, so that a change of it is told from a change of the provider';
comment on column target_setups.target_key is 'targets.target_key';
comment on column target_setups.aspect is 'What: protocol, model name, address, parameters, headers, canaries, or one canary';
comment on column target_setups.value is 'Short values as they are, long ones as a hash';

create table series_marks (
	target_key integer not null references targets,
	at timestamptz not null,
	aspect text not null,
	before text not null,
	after text not null,
	primary key (target_key, at, aspect)
);
comment on table series_marks is 'Moments from which the numbers of a target were measured in another way';
comment on column series_marks.target_key is 'targets.target_key';
comment on column series_marks.at is 'First slot that was probed the new way, or later';
comment on column series_marks.aspect is 'target_setups.aspect';
comment on column series_marks.before is 'Value until then; empty when the aspect was new';
comment on column series_marks.after is 'Value from then on; empty when the aspect went';

-- The providers' own words -----------------------------------------------------------------------------------------------------

create table official_pages (
	provider text primary key,
	url text not null,
	kind text not null,
	etag text,
	last_modified text,
	read_at timestamptz,
	changed_at timestamptz,
	failure_count integer not null default 0,
	last_error text
);
comment on table official_pages is 'Official status pages that are read beside; never a source of our numbers';
comment on column official_pages.provider is 'Provider id';
comment on column official_pages.url is 'What is fetched';
comment on column official_pages.kind is 'How it is read (providers/official/)';
comment on column official_pages.etag is 'Validator of the last answer; null when it gave none';
comment on column official_pages.last_modified is 'Validator of the last answer; null when it gave none';
comment on column official_pages.read_at is 'When it last answered; null before the first time';
comment on column official_pages.changed_at is 'When its answer last differed; null before the first time';
comment on column official_pages.failure_count is 'Failures in a row';
comment on column official_pages.last_error is 'Why the last reading failed; null when it did not';

create table official_incidents (
	provider text not null,
	official_id text not null,
	title text not null,
	impact text not null,
	status text not null,
	url text,
	started_at timestamptz not null,
	first_update_at timestamptz not null,
	resolved_at timestamptz,
	components text[] not null,
	target_ids text[] not null,
	updates jsonb not null,
	seen_at timestamptz not null,
	changed_at timestamptz not null,
	primary key (provider, official_id)
);
create index official_incidents_started on official_incidents (started_at desc);
comment on table official_incidents is 'What providers say of themselves, in their own words; never evidence';
comment on column official_incidents.provider is 'Provider id';
comment on column official_incidents.official_id is 'Id on the provider''s page';
comment on column official_incidents.title is 'Their words';
comment on column official_incidents.impact is 'none, minor, major, critical, maintenance or unknown';
comment on column official_incidents.status is 'investigating, identified, monitoring, resolved, scheduled or unknown';
comment on column official_incidents.url is 'Their page of it; null when there is none';
comment on column official_incidents.started_at is 'Start as they say';
comment on column official_incidents.first_update_at is 'When they first said something, by their own clock';
comment on column official_incidents.resolved_at is 'End as they say; null while open';
comment on column official_incidents.components is 'Components that they name';
comment on column official_incidents.target_ids is 'Our targets whose model or operation they name; empty: the provider as a whole';
comment on column official_incidents.updates is 'Timeline, newest first: at, status, body';
comment on column official_incidents.seen_at is 'When we first read it';
comment on column official_incidents.changed_at is 'When what they say last changed';
