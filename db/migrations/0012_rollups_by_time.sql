set local search_path = linnet;

-- The newest minutes of every series, for the windows and burn rates: without it each asks the whole day.
create index rollups_5m_time on rollups_5m (bucket_at);
