set local search_path = linnet;

create table observations (
	source text not null,
	report_id text not null,
	target_key integer not null references targets,
	from_at timestamptz not null,
	to_at timestamptz not null,
	outcomes jsonb not null,
	ttft_buckets smallint[] not null,
	ttft_counts integer[] not null,
	received_at timestamptz not null,
	primary key (source, report_id)
);
comment on table observations is 'What routers report of their real traffic, kept apart from what was probed; no verdict rests on it. Kept for 7 days';
comment on column observations.source is 'Name of the reporter, as it calls itself';
comment on column observations.report_id is 'The reporter''s own id: a report that is sent again is stored once';
comment on column observations.target_key is 'Target that served the traffic';
comment on column observations.from_at is 'Start of the time that is reported on';
comment on column observations.to_at is 'Its end';
comment on column observations.outcomes is 'Requests per outcome code';
comment on column observations.ttft_buckets is 'Time to first token of answers that were ok, ms: indices of the log buckets, ascending';
comment on column observations.ttft_counts is 'Count of each bucket';
comment on column observations.received_at is 'When it came in';

create index observations_to_at on observations (to_at desc);
