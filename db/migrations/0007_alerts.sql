set local search_path = linnet;

-- What is owed to each channel ---------------------------------------------------------------------------------------------------

create table alert_notices (
	notice_id bigint generated always as identity primary key,
	subject_id text not null,
	transition integer not null,
	channel text not null,
	kind text not null check (kind in ('transition', 'escalation', 'fallback')),
	event jsonb not null,
	created_at timestamptz not null,
	ended_at timestamptz,
	ended_as text check (ended_as in ('sent', 'untold')),
	message_id text,
	unique (subject_id, channel, transition, kind)
);
create index alert_notices_owed on alert_notices (created_at) where ended_at is null;
comment on table alert_notices is 'What is owed: one row per subject, transition and channel, written in the transaction of the transition';
comment on column alert_notices.notice_id is 'Running number';
comment on column alert_notices.subject_id is 'Incident, operator alert or burning objective';
comment on column alert_notices.transition is 'Number of the transition within the subject';
comment on column alert_notices.channel is 'Name of the channel';
comment on column alert_notices.kind is 'transition: a route led here; escalation: nobody acknowledged; fallback: another channel failed';
comment on column alert_notices.event is 'What happened (core/alert.ts AlertEvent)';
comment on column alert_notices.created_at is 'When the transition was committed';
comment on column alert_notices.ended_at is 'When it was put into a message, or found to be over; null while owed';
comment on column alert_notices.ended_as is 'sent: in a message; untold: the subject was over before anything was told';
comment on column alert_notices.message_id is 'outbox.message_id that tells it; null when none does';

create table alert_threads (
	subject_id text not null,
	channel text not null,
	class text not null check (class in ('provider', 'operator', 'slo')),
	state text not null check (state in ('open', 'resolved')),
	transition integer not null,
	open_transition integer not null,
	opened_at timestamptz not null,
	changed_at timestamptz not null,
	event jsonb not null,
	told text not null default 'nothing' check (told in ('nothing', 'open', 'resolved')),
	told_transition integer,
	told_at timestamptz,
	group_id text,
	via text not null check (via in ('route', 'escalation', 'fallback')),
	hold text,
	primary key (subject_id, channel)
);
create index alert_threads_live on alert_threads (channel) where state = 'open' or told = 'open' or told_transition is distinct from transition;
comment on table alert_threads is 'One subject on one channel: how it stands, and what was told';
comment on column alert_threads.subject_id is 'alert_notices.subject_id';
comment on column alert_threads.channel is 'Name of the channel';
comment on column alert_threads.class is 'provider, operator or slo: never in one message';
comment on column alert_threads.state is 'Of the subject, by its newest transition';
comment on column alert_threads.transition is 'Number of the newest transition';
comment on column alert_threads.open_transition is 'Number of the newest one that opened or reopened it';
comment on column alert_threads.opened_at is 'When that was committed; escalation counts from it';
comment on column alert_threads.changed_at is 'When the newest transition was committed';
comment on column alert_threads.event is 'The newest transition (core/alert.ts AlertEvent)';
comment on column alert_threads.told is 'What the channel was last told';
comment on column alert_threads.told_transition is 'Transition that it was told of, or that needed no telling; null: none';
comment on column alert_threads.told_at is 'When that message was made; null: never';
comment on column alert_threads.group_id is 'alert_groups.group_id that it was told in; null: not told';
comment on column alert_threads.via is 'What led to the channel';
comment on column alert_threads.hold is 'Why news wait (core/alert-mute.ts HoldReason as JSON); null: they do not';

create table alert_groups (
	group_id text not null,
	channel text not null,
	group_key text not null,
	open boolean not null,
	last_message_at timestamptz not null,
	worst_impact text not null,
	sequence integer not null,
	primary key (group_id, channel)
);
comment on table alert_groups is 'Trouble that a channel is told of in one run of messages';
comment on column alert_groups.group_id is 'Id of its first subject: dedup key of a pager, root of a mail thread';
comment on column alert_groups.channel is 'Name of the channel';
comment on column alert_groups.group_key is 'What it is grouped by';
comment on column alert_groups.open is 'False when its last member is over';
comment on column alert_groups.last_message_at is 'When its last message was made';
comment on column alert_groups.worst_impact is 'Worst impact told since it opened';
comment on column alert_groups.sequence is 'Messages so far';

insert into alert_notices (subject_id, transition, channel, kind, event, created_at, ended_at, ended_as, message_id)
select incident_id, transition, channel, 'transition', payload, created_at, created_at, 'sent', message_id from outbox;
insert into alert_threads (subject_id, channel, class, state, transition, open_transition, opened_at, changed_at, event, told, told_transition, told_at, group_id, via)
select distinct on (incident_id, channel) incident_id, channel, case when payload->'incident'->>'cause' in ('provider', 'maintenance') then 'provider' else 'operator' end,
	case when payload->>'type' = 'incident.resolved' then 'resolved' else 'open' end, transition, transition, created_at, created_at, payload,
	case when payload->>'type' = 'incident.resolved' then 'resolved' else 'open' end, transition, created_at, incident_id, 'route'
from outbox order by incident_id, channel, transition desc;
insert into alert_groups (group_id, channel, group_key, open, last_message_at, worst_impact, sequence)
select subject_id, channel, subject_id, told = 'open', told_at, coalesce(event->'incident'->>'impact', 'none'), transition from alert_threads;

-- Messages on their way -----------------------------------------------------------------------------------------------------------

alter table outbox rename column incident_id to group_id;
alter table outbox rename column transition to sequence;
alter table outbox rename column payload to message;
alter table outbox drop constraint outbox_incident_id_channel_transition_key;
alter table outbox
	add column endpoint text not null default '',
	add column not_before timestamptz,
	add column settings jsonb,
	add column discarded_at timestamptz,
	add column fell_back_at timestamptz,
	add unique (group_id, channel, endpoint, sequence);
create index outbox_ended on outbox (state, created_at desc) where state <> 'delivered';
comment on table outbox is 'Messages to send: one row per message and endpoint of its channel';
comment on column outbox.group_id is 'alert_groups.group_id; deliveries of a group to a channel go in order';
comment on column outbox.sequence is 'Number of the message within its group';
comment on column outbox.message is 'What the channel words (core/alert.ts AlertMessage)';
comment on column outbox.endpoint is 'Which of the channel''s endpoints; empty for a channel with one';
comment on column outbox.not_before is 'The receiver asked to wait until then; null when it did not';
comment on column outbox.settings is 'Settings of the channel that delivered it; null until then';
comment on column outbox.discarded_at is 'When an operator put a dead letter aside; null while it counts';
comment on column outbox.fell_back_at is 'When its fallback channel was told instead; null when it was not';
update outbox set message = jsonb_build_object('kind', split_part(message->>'type', '.', 2),
	'class', case when message->'incident'->>'cause' in ('provider', 'maintenance') then 'provider' else 'operator' end,
	'groupId', group_id, 'at', message->>'at', 'simulated', message->'simulated', 'members', jsonb_build_array(jsonb_build_object('news', 'new', 'event', message)));

create table channel_states (
	channel text not null,
	endpoint text not null,
	settings_hash text not null,
	disabled_at timestamptz not null,
	reason text not null,
	primary key (channel, endpoint)
);
comment on table channel_states is 'Endpoints that want no more (HTTP 410): nothing is sent there until the channel is configured anew';
comment on column channel_states.channel is 'Name of the channel';
comment on column channel_states.endpoint is 'Which of its endpoints';
comment on column channel_states.settings_hash is 'Settings that it holds for; with others it is tried again';
comment on column channel_states.disabled_at is 'When it said so';
comment on column channel_states.reason is 'What it said';

-- What on-call says ---------------------------------------------------------------------------------------------------------------

create table silences (
	silence_id text primary key,
	match jsonb not null,
	from_at timestamptz not null,
	until_at timestamptz not null,
	created_by text not null,
	comment text not null,
	created_at timestamptz not null
);
comment on table silences is 'Alerts that are muted for a while: delayed, not dropped';
comment on column silences.silence_id is 'Public id';
comment on column silences.match is 'What it mutes (core/alert.ts RouteMatch)';
comment on column silences.from_at is 'Start';
comment on column silences.until_at is 'End; ended early, the time of that';
comment on column silences.created_by is 'Who';
comment on column silences.comment is 'Why';
comment on column silences.created_at is 'When it was made';

create table acknowledgements (
	subject_id text primary key,
	transition integer not null,
	acknowledged_by text not null,
	comment text not null,
	acknowledged_at timestamptz not null
);
comment on table acknowledgements is 'Somebody has it: no reminders and no escalation until it opens again';
comment on column acknowledgements.subject_id is 'alert_notices.subject_id';
comment on column acknowledgements.transition is 'Transition through which it holds';
comment on column acknowledgements.acknowledged_by is 'Who';
comment on column acknowledgements.comment is 'What they say';
comment on column acknowledgements.acknowledged_at is 'When';

-- Alerts that are no incident of the detector ----------------------------------------------------------------------------------------

create table standing_alerts (
	alert_id text primary key,
	class text not null check (class in ('operator', 'slo')),
	kind text not null,
	alert_key text not null,
	title text not null,
	reason text not null,
	impact text not null,
	provider text,
	model text,
	operation text,
	vantage text,
	opened_at timestamptz not null,
	resolved_at timestamptz,
	transition_count integer not null
);
create unique index standing_alerts_one_open on standing_alerts (class, kind, alert_key) where resolved_at is null;
create index standing_alerts_opened on standing_alerts (opened_at desc);
comment on table standing_alerts is 'The operator''s own alerts and burning objectives; at most one open of a kind and key';
comment on column standing_alerts.alert_id is 'Public id';
comment on column standing_alerts.class is 'operator or slo';
comment on column standing_alerts.kind is 'Row of its table (core/operator-alert.ts), or the name of the burn rule';
comment on column standing_alerts.alert_key is 'Which one of the kind: a vantage, a model, an objective';
comment on column standing_alerts.title is 'For people';
comment on column standing_alerts.reason is 'With its numbers, in words';
comment on column standing_alerts.impact is 'none, minor, major or critical';
comment on column standing_alerts.provider is 'Scope; null means all';
comment on column standing_alerts.model is 'Scope; null means all';
comment on column standing_alerts.operation is 'Scope; null means all';
comment on column standing_alerts.vantage is 'Scope; null means all';
comment on column standing_alerts.opened_at is 'When it was found';
comment on column standing_alerts.resolved_at is 'When it was over; null while open';
comment on column standing_alerts.transition_count is 'Number of its last transition, 1 is the opening';
