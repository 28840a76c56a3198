set local search_path = linnet;

create table process_metrics (
	process text primary key,
	at timestamptz not null,
	metrics jsonb not null
);
comment on table process_metrics is 'What each process counts of itself, so that one scrape of the API tells all; a row that is not written any more is dropped';
comment on column process_metrics.process is 'Host, process id and role';
comment on column process_metrics.at is 'When it was written';
comment on column process_metrics.metrics is 'Metrics as the Prometheus client gives them';
