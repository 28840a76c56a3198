-- The detector of scopes: its state is a checkpoint and a journal of what moved it since, because a large fleet's state can't be written with each batch.

drop table detector_state;

create table evaluator_heads (
	name text primary key,
	journal_number bigint not null,
	read_through_seq bigint not null,
	doubts jsonb not null,
	updated_at timestamptz not null
);
comment on table evaluator_heads is 'How far each evaluator has judged, written in the transaction that commits its decisions';
comment on column evaluator_heads.name is 'Evaluator';
comment on column evaluator_heads.journal_number is 'evaluator_journal.number of the last step';
comment on column evaluator_heads.read_through_seq is 'probe_results.seq that it has judged through';
comment on column evaluator_heads.doubts is 'Loud evidence whose blame is not settled (core/judge-target.ts)';
comment on column evaluator_heads.updated_at is 'When the last step was committed';

create table evaluator_journal (
	name text not null,
	number bigint not null,
	at timestamptz not null,
	read_through_seq bigint not null,
	inputs jsonb,
	primary key (name, number)
);
comment on table evaluator_journal is 'Steps since the last checkpoint: heard again in this order after it, the state is the same';
comment on column evaluator_journal.name is 'Evaluator';
comment on column evaluator_journal.number is 'Running number, without gaps';
comment on column evaluator_journal.at is 'The evaluator''s clock at this step';
comment on column evaluator_journal.read_through_seq is 'Results up to this probe_results.seq were judged in it';
comment on column evaluator_journal.inputs is 'Configuration, maintenance and adopted incidents heard before the results (core/judge); null: none';

create table evaluator_checkpoints (
	name text not null,
	part text not null,
	journal_number bigint not null,
	read_through_seq bigint not null,
	state text not null,
	primary key (name, part)
);
comment on table evaluator_checkpoints is 'State of each evaluator after a step of its journal, in pieces (core/judge/state-parts.ts)';
comment on column evaluator_checkpoints.name is 'Evaluator';
comment on column evaluator_checkpoints.part is 'Name of the piece';
comment on column evaluator_checkpoints.journal_number is 'The step that it stands after; the same in all pieces';
comment on column evaluator_checkpoints.read_through_seq is 'probe_results.seq that it has judged through; the same in all pieces';
comment on column evaluator_checkpoints.state is 'JSON';

alter table incidents add column severity text;
update incidents set severity = case when impact in ('major', 'critical') then 'down' when impact = 'minor' then 'degraded' else 'info' end;
alter table incidents alter column severity set not null;
comment on column incidents.severity is 'down, degraded or info: how bad it is where it is; the impact weighs in the scope';
