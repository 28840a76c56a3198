set local search_path = linnet;

create table maintenances (
	maintenance_id text primary key,
	source text not null check (source in ('api', 'file')),
	title text not null,
	provider text,
	model text,
	vantage text,
	from_at timestamptz not null,
	duration_ms bigint not null check (duration_ms > 0),
	recurrence jsonb,
	until_at timestamptz,
	created_by text not null,
	created_at timestamptz not null,
	cancelled_at timestamptz
);
comment on table maintenances is 'Announced maintenance: its windows mute alerts and show as maintenance; what is measured meanwhile is recorded as ever';
comment on column maintenances.maintenance_id is 'Public id';
comment on column maintenances.source is 'api: an operator''s command; file: the configuration, which also takes it away';
comment on column maintenances.title is 'For people';
comment on column maintenances.provider is 'Scope; null means all';
comment on column maintenances.model is 'Scope; null means all';
comment on column maintenances.vantage is 'Scope; null means all';
comment on column maintenances.from_at is 'Start of the first window';
comment on column maintenances.duration_ms is 'Length of each window, ms';
comment on column maintenances.recurrence is 'How it comes again (core/maintenance.ts Recurrence); null: once';
comment on column maintenances.until_at is 'No window starts at or after it; null: for ever';
comment on column maintenances.created_by is 'Who announced it';
comment on column maintenances.created_at is 'When it was announced';
comment on column maintenances.cancelled_at is 'Windows end here: what was muted is told then; null while it stands';
