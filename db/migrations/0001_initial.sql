create schema if not exists linnet;
set local search_path = linnet;

create table migrations (
	number integer primary key,
	name text not null,
	applied_at timestamptz not null default now()
);
comment on table migrations is 'Migrations that were applied to this schema';
comment on column migrations.number is 'Number of the file';
comment on column migrations.name is 'Name of the file';
comment on column migrations.applied_at is 'When its transaction began';

create table meta (
	only_row boolean primary key default true check (only_row),
	installation_id uuid not null default gen_random_uuid(),
	created_at timestamptz not null default now(),
	demo_started_at timestamptz
);
insert into meta default values;
comment on table meta is 'One row of facts about this installation';
comment on column meta.only_row is 'Always true: keeps the table at one row';
comment on column meta.installation_id is 'Random identity of the installation';
comment on column meta.created_at is 'When the schema was made';
comment on column meta.demo_started_at is 'Zero of the clock of the simulated fleet; null when it never ran';

-- Names, interned --------------------------------------------------------------------------------------------------------------

create table targets (
	target_key integer generated always as identity primary key,
	target_id text not null unique,
	provider text not null,
	model text not null,
	operation text not null,
	upstream_model text not null,
	interval_ms integer not null,
	first_scheduled_at timestamptz not null,
	removed_at timestamptz
);
comment on table targets is 'Every target that was ever configured; a target that comes back keeps its key';
comment on column targets.target_key is 'Number that stands for the target in the results';
comment on column targets.target_id is 'Public id, provider:model:operation';
comment on column targets.provider is 'Provider id';
comment on column targets.model is 'Canonical model id';
comment on column targets.operation is 'chat or embeddings';
comment on column targets.upstream_model is 'The provider''s own name of the model, as last configured';
comment on column targets.interval_ms is 'Distance of its slots in ms, as last configured';
comment on column targets.first_scheduled_at is 'When it was first configured';
comment on column targets.removed_at is 'When it left the configuration; null while it is in';

create table vantages (
	vantage_key smallint generated always as identity primary key,
	name text not null unique
);
comment on table vantages is 'Names of vantages, interned';
comment on column vantages.vantage_key is 'Number that stands for the vantage in the results';
comment on column vantages.name is 'Name of the vantage';

create table canaries (
	canary_key smallint generated always as identity primary key,
	name text not null unique
);
comment on table canaries is 'Names of canaries, interned';
comment on column canaries.canary_key is 'Number that stands for the canary in the results';
comment on column canaries.name is 'Name of the canary';

-- Raw results ------------------------------------------------------------------------------------------------------------------

create sequence probe_result_seq as bigint;

-- Columns stand widest first, so that no row pays for padding.
create table probe_results (
	seq bigint not null default nextval('linnet.probe_result_seq'),
	slot_at timestamptz not null,
	started_at timestamptz,
	cost_nano_usd bigint,
	target_key integer not null,
	dns_ms real,
	connect_ms real,
	tls_ms real,
	ttfb_ms real,
	ttft_ms real,
	max_gap_ms real,
	total_ms real,
	lag_ms real,
	input_tokens integer,
	output_tokens integer,
	output_tokens_per_second real,
	retry_after_ms integer,
	vantage_key smallint not null,
	canary_key smallint not null,
	kind smallint not null,
	outcome smallint not null,
	sli smallint not null,
	phase smallint,
	http_status smallint,
	replaced_missed boolean not null default false,
	served_model text,
	request_id text,
	evidence jsonb
) partition by range (slot_at);
comment on table probe_results is 'One canary sent once, and what came of it; one partition a UTC day of slot_at. Codes: db/result-codes.ts';
comment on column probe_results.seq is 'Order of commit: a reader that has read through n misses none at or below n';
comment on column probe_results.slot_at is 'The slot, to the ms';
comment on column probe_results.started_at is 'When the probe started; null when it never did (a missed slot)';
comment on column probe_results.cost_nano_usd is 'Cost in 1e-9 USD; null when no price is known';
comment on column probe_results.target_key is 'targets.target_key';
comment on column probe_results.dns_ms is 'Name lookup, ms; null when it did not happen';
comment on column probe_results.connect_ms is 'TCP connection, ms; null when it did not happen';
comment on column probe_results.tls_ms is 'TLS handshake, ms; null when it did not happen';
comment on column probe_results.ttfb_ms is 'Request sent to response headers, ms; null when it did not happen';
comment on column probe_results.ttft_ms is 'Request sent to first visible content, ms; null when it did not happen';
comment on column probe_results.max_gap_ms is 'Longest silence between content chunks, ms; null when it did not happen';
comment on column probe_results.total_ms is 'Start to end, ms; null when it did not happen';
comment on column probe_results.lag_ms is 'Worst event-loop delay of the probe''s process meanwhile, ms; null when not measured';
comment on column probe_results.input_tokens is 'Tokens; null when not reported';
comment on column probe_results.output_tokens is 'Tokens; null when not reported';
comment on column probe_results.output_tokens_per_second is 'Tokens per second after the first; null when too few';
comment on column probe_results.retry_after_ms is 'What the provider asked for, ms; null when it did not';
comment on column probe_results.vantage_key is 'vantages.vantage_key';
comment on column probe_results.canary_key is 'canaries.canary_key';
comment on column probe_results.kind is 'Code of the kind; only scheduled ones enter published numbers';
comment on column probe_results.outcome is 'Code of the outcome';
comment on column probe_results.sli is 'Code of good, bad or excluded';
comment on column probe_results.phase is 'Code of the phase in which it failed; null when ok';
comment on column probe_results.http_status is 'HTTP status; null without a response';
comment on column probe_results.replaced_missed is 'The slot was first recorded as missed, and its result came late';
comment on column probe_results.served_model is 'Model as the response names it; null when it does not';
comment on column probe_results.request_id is 'The provider''s id of the request; null when it gave none';
comment on column probe_results.evidence is 'What was seen beside the code, redacted; null when nothing';

create unique index probe_results_slot on probe_results (target_key, slot_at, vantage_key, canary_key, kind);
create index probe_results_seq on probe_results (seq);

-- Rows of a day that has no partition yet; making the partition moves them there.
create table probe_results_default partition of probe_results default;

-- Sequence numbers are drawn before the commit, so two writers could commit 8 before 7, and a reader that has gone on from 8 would
-- never see 7. One writer at a time from the first number to the commit makes both orders the same; batches keep that short.
create function order_results() returns trigger language plpgsql as $$
begin
	perform pg_advisory_xact_lock(7202);
	return null;
end
$$;
create trigger order_results before insert on probe_results for each statement execute function order_results();

create function ensure_day_partition(day date) returns boolean language plpgsql set search_path = linnet as $$
declare
	name text := 'probe_results_' || to_char(day, 'YYYYMMDD');
	from_at timestamptz := day::timestamp at time zone 'UTC';
	to_at timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
	if to_regclass(name) is not null then
		return false;
	end if;
	-- A lock on a relation, since only that makes this session see the table that a neighbour has just made.
	lock table probe_results in share update exclusive mode;
	if to_regclass(name) is not null then
		return false;
	end if;
	execute format('create table %I (like probe_results including defaults including constraints including comments)', name);
	execute format('with moved as (delete from probe_results_default where slot_at >= $1 and slot_at < $2 returning *) insert into %I select * from moved', name)
		using from_at, to_at;
	execute format('alter table probe_results attach partition %I for values from (%L) to (%L)', name, from_at, to_at);
	return true;
end
$$;

create table quarantine (
	quarantine_id bigint generated always as identity primary key,
	received_at timestamptz not null default now(),
	reason text not null,
	document text not null
);
create index quarantine_received on quarantine (received_at);
comment on table quarantine is 'Results that were refused, so that their neighbours could be recorded';
comment on column quarantine.quarantine_id is 'Running number';
comment on column quarantine.received_at is 'When it was refused';
comment on column quarantine.reason is 'Why';
comment on column quarantine.document is 'The result as JSON, cut at 16,384 characters';

-- Rollups ----------------------------------------------------------------------------------------------------------------------

create table rollups_5m (
	bucket_at timestamptz not null,
	input_tokens bigint not null,
	output_tokens bigint not null,
	cost_nano_usd bigint not null,
	target_key integer not null,
	slot_count integer not null,
	missed_count integer not null,
	good_count integer not null,
	bad_count integer not null,
	excluded_count integer not null,
	served_count integer not null,
	refused_count integer not null,
	right_count integer not null,
	answered_count integer not null,
	vantage_key smallint not null,
	canary_key smallint not null,
	outcome_codes smallint[] not null,
	outcome_counts integer[] not null,
	ttft_buckets smallint[] not null,
	ttft_counts integer[] not null,
	total_buckets smallint[] not null,
	total_counts integer[] not null,
	speed_buckets smallint[] not null,
	speed_counts integer[] not null,
	primary key (target_key, bucket_at, vantage_key, canary_key)
);
create index rollups_5m_bucket on rollups_5m using brin (bucket_at) with (pages_per_range = 32);
comment on column rollups_5m.bucket_at is 'Start of the bucket, UTC';
comment on column rollups_5m.input_tokens is 'Tokens';
comment on column rollups_5m.output_tokens is 'Tokens';
comment on column rollups_5m.cost_nano_usd is 'Cost in 1e-9 USD';
comment on column rollups_5m.target_key is 'targets.target_key';
comment on column rollups_5m.slot_count is 'Slots, missed ones included';
comment on column rollups_5m.missed_count is 'Slots that never ran';
comment on column rollups_5m.good_count is 'Results that are good for availability';
comment on column rollups_5m.bad_count is 'Results that are bad for availability';
comment on column rollups_5m.excluded_count is 'Results that ran and stay out of availability';
comment on column rollups_5m.served_count is 'Results that the capacity ratio counts as served';
comment on column rollups_5m.refused_count is 'Results that the capacity ratio counts as refused';
comment on column rollups_5m.right_count is 'Canaries answered right';
comment on column rollups_5m.answered_count is 'Canaries answered';
comment on column rollups_5m.vantage_key is 'vantages.vantage_key';
comment on column rollups_5m.canary_key is 'canaries.canary_key';
comment on column rollups_5m.outcome_codes is 'Outcome codes seen, ascending';
comment on column rollups_5m.outcome_counts is 'Results of each code';
comment on column rollups_5m.ttft_buckets is 'Time to first token: histogram bucket indices (core/histogram.ts), ascending';
comment on column rollups_5m.ttft_counts is 'Results in each bucket';
comment on column rollups_5m.total_buckets is 'Total time: histogram bucket indices, ascending';
comment on column rollups_5m.total_counts is 'Results in each bucket';
comment on column rollups_5m.speed_buckets is 'Output tokens per second: histogram bucket indices, ascending';
comment on column rollups_5m.speed_counts is 'Results in each bucket';

create table rollups_hour (like rollups_5m including indexes including comments);
create table rollups_day (like rollups_5m including indexes including comments);
comment on table rollups_5m is 'Sums of the scheduled results of 5 minutes of one series';
comment on table rollups_hour is 'Sums of an hour, from rollups_5m';
comment on table rollups_day is 'Sums of a UTC day, from rollups_hour';

create table roll_up_progress (
	only_row boolean primary key default true check (only_row),
	read_through_seq bigint not null
);
insert into roll_up_progress (read_through_seq) values (0);
comment on table roll_up_progress is 'How far the rollups have taken the results in';
comment on column roll_up_progress.only_row is 'Always true: keeps the table at one row';
comment on column roll_up_progress.read_through_seq is 'probe_results.seq: the buckets of all results up to it are rolled up';

-- Verdicts ---------------------------------------------------------------------------------------------------------------------

create table detector_state (
	name text primary key,
	version integer not null,
	read_through_seq bigint not null,
	state jsonb not null,
	updated_at timestamptz not null
);
comment on table detector_state is 'State of each evaluator, written in the transaction that commits its decisions';
comment on column detector_state.name is 'Evaluator';
comment on column detector_state.version is 'Shape of the state; another version starts anew';
comment on column detector_state.read_through_seq is 'probe_results.seq that it has judged through';
comment on column detector_state.state is 'Its own state';
comment on column detector_state.updated_at is 'When it was written';

create sequence incident_number as bigint;
create table incidents (
	incident_id text primary key,
	provider text,
	model text,
	operation text,
	vantage text,
	condition text not null,
	cause text not null,
	impact text not null,
	status text not null,
	title text not null,
	started_at timestamptz not null,
	detected_at timestamptz not null,
	resolved_at timestamptz,
	reason text not null,
	evidence jsonb not null,
	relapse_count integer not null,
	target_ids text[] not null,
	transition_count integer not null
);
create unique index incidents_one_open on incidents (provider, model, operation, vantage, condition) nulls not distinct where resolved_at is null;
create index incidents_detected on incidents (detected_at desc, incident_id desc);
comment on table incidents is 'Outages and degradations; at most one open of a scope and condition';
comment on column incidents.incident_id is 'Public id, made by the detector from scope, condition and onset';
comment on column incidents.provider is 'Scope; null means all';
comment on column incidents.model is 'Scope; null means all';
comment on column incidents.operation is 'Scope; null means all';
comment on column incidents.vantage is 'Scope; null means all';
comment on column incidents.condition is 'What is wrong: outage, slow, wrong_answers, credentials or quota';
comment on column incidents.condition is 'What is wrong';
comment on column incidents.cause is 'Whose trouble it is';
comment on column incidents.impact is 'none, minor, major or critical';
comment on column incidents.status is 'investigating, identified, monitoring or resolved';
comment on column incidents.title is 'For people';
comment on column incidents.started_at is 'Estimated onset: first bad result';
comment on column incidents.detected_at is 'When it was opened';
comment on column incidents.resolved_at is 'When it was resolved; null while open';
comment on column incidents.reason is 'Reason of the decision that opened it, in words';
comment on column incidents.evidence is 'Numbers behind the verdict (core/incident.ts)';
comment on column incidents.relapse_count is 'Times it was re-opened within the hold-down';
comment on column incidents.target_ids is 'Ids of the affected targets';
comment on column incidents.transition_count is 'Number of its last transition, 1 is the opening';

create table incident_updates (
	incident_id text not null references incidents on delete cascade,
	ordinal integer not null,
	at timestamptz not null,
	status text not null,
	body text not null,
	primary key (incident_id, ordinal)
);
comment on table incident_updates is 'Timeline of an incident';
comment on column incident_updates.incident_id is 'incidents.incident_id';
comment on column incident_updates.ordinal is 'Place in the timeline, from 1';
comment on column incident_updates.at is 'When';
comment on column incident_updates.status is 'Status from then on';
comment on column incident_updates.body is 'For people';

create table outbox (
	delivery_id bigint generated always as identity primary key,
	incident_id text not null,
	transition integer not null,
	channel text not null,
	message_id text not null,
	payload jsonb not null,
	state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
	attempt_count integer not null default 0,
	next_attempt_at timestamptz not null,
	lease_until timestamptz,
	last_error text,
	created_at timestamptz not null,
	delivered_at timestamptz,
	unique (incident_id, channel, transition)
);
create index outbox_due on outbox (next_attempt_at) where state = 'pending';
comment on table outbox is 'Alerts to send, written in the transaction of the transition that they tell of';
comment on column outbox.delivery_id is 'Running number';
comment on column outbox.incident_id is 'Incident, or another subject such as a test alert';
comment on column outbox.transition is 'Number of the transition; deliveries of an incident to a channel go in this order';
comment on column outbox.channel is 'Name of the channel';
comment on column outbox.message_id is 'Id that stays the same over every attempt, so that the receiver can drop repeats';
comment on column outbox.payload is 'The alert event';
comment on column outbox.state is 'pending, delivered or dead';
comment on column outbox.attempt_count is 'Attempts begun; also fences a worker whose lease has run out';
comment on column outbox.next_attempt_at is 'Not before';
comment on column outbox.lease_until is 'A worker has it until then; null when none';
comment on column outbox.last_error is 'Why the last attempt failed; null when none did';
comment on column outbox.created_at is 'When the transition was committed';
comment on column outbox.delivered_at is 'When a channel took it; null until then';

create table snapshots (
	number bigint primary key,
	generated_at timestamptz not null,
	document text not null
);
comment on table snapshots is 'The last published documents';
comment on column snapshots.number is 'Running number, without gaps';
comment on column snapshots.generated_at is 'When it was made';
comment on column snapshots.document is 'JSON, byte for byte as published (core/snapshot.ts)';

-- Work -------------------------------------------------------------------------------------------------------------------------

create table leases (
	name text primary key,
	holder text not null,
	fencing_token bigint not null,
	expires_at timestamptz not null
);
comment on table leases is 'Who does what only one may do; the clock is the database''s';
comment on column leases.name is 'What it is for';
comment on column leases.holder is 'Process that has it';
comment on column leases.fencing_token is 'Grows with each new holder: a write with an older one is refused';
comment on column leases.expires_at is 'Free from then on';

create table schedule_progress (
	vantage text not null,
	shard integer not null,
	settled_through_at timestamptz not null,
	primary key (vantage, shard)
);
comment on table schedule_progress is 'How far each shard of the schedule is settled';
comment on column schedule_progress.vantage is 'Vantage';
comment on column schedule_progress.shard is 'Shard of the schedule';
comment on column schedule_progress.settled_through_at is 'Every slot before has a result or a missed marker';

create table back_offs (
	target_id text not null,
	vantage text not null,
	until_at timestamptz not null,
	reason text not null,
	step integer not null,
	primary key (target_id, vantage)
);
comment on table back_offs is 'Targets that are not probed for a while, because the trouble is ours (key, wallet)';
comment on column back_offs.target_id is 'Target';
comment on column back_offs.vantage is 'Vantage; * is every one';
comment on column back_offs.until_at is 'No probe before';
comment on column back_offs.reason is 'Why';
comment on column back_offs.step is 'How many in a row, from 1';

create table budget_days (
	day date primary key,
	reserved_micro_usd bigint not null default 0 check (reserved_micro_usd >= 0),
	spent_micro_usd bigint not null default 0 check (spent_micro_usd >= 0)
);
comment on table budget_days is 'Money of each UTC day';
comment on column budget_days.day is 'UTC day';
comment on column budget_days.reserved_micro_usd is 'Held for probes under way, 1e-6 USD';
comment on column budget_days.spent_micro_usd is 'Settled, 1e-6 USD';

create table budget_reservations (
	reservation_id text primary key,
	day date not null,
	estimate_micro_usd bigint not null,
	expires_at timestamptz not null,
	settled_at timestamptz
);
create index budget_reservations_open on budget_reservations (expires_at) where settled_at is null;
comment on table budget_reservations is 'Money held for one probe';
comment on column budget_reservations.reservation_id is 'Id of the slot';
comment on column budget_reservations.day is 'budget_days.day that it counts for';
comment on column budget_reservations.estimate_micro_usd is 'Held, 1e-6 USD';
comment on column budget_reservations.expires_at is 'Then the estimate counts as spent';
comment on column budget_reservations.settled_at is 'When the actual cost was known, or it expired; null while held';
