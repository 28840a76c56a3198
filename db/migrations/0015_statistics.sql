set local search_path = linnet;

-- The planner needs to know only what conditions ask for. Postgres analysed the rest too, arrays of histograms above all, each ten seconds: of 10,000
-- targets 0.2 ms of CPU a probe.
do $$
declare
	base text;
	col name;
begin
	foreach base in array array['probe_results', 'result_details', 'rollups_5m', 'rollups_hour', 'rollups_day'] loop
		for col in select attname from pg_attribute where attrelid = base::regclass and attnum > 0 and not attisdropped
			and attname <> all (array['seq', 'slot_at', 'bucket_at', 'series_key', 'code', 'start_delay_ms']) loop
			execute format('alter table %I alter column %I set statistics 0', base, col);
		end loop;
	end loop;
end
$$;

-- These are written anew again and again; what stands in them is alike each time.
alter table rollups_hour set (autovacuum_analyze_scale_factor = 0.5);
alter table rollups_day set (autovacuum_analyze_scale_factor = 0.5);
alter table headroom set (autovacuum_analyze_scale_factor = 0.5);
alter table budget_reservations set (autovacuum_analyze_scale_factor = 0.5);

-- Makes the partition of a UTC day where it is missing; rows that wait in the default one move in. It is analysed as its table says, which `like` leaves out.
create or replace function ensure_day_partition(base text, range_column text, day date) returns boolean language plpgsql set search_path = linnet as $$
declare
	name text := base || '_' || to_char(day, 'YYYYMMDD');
	from_at timestamptz := day::timestamp at time zone 'UTC';
	to_at timestamptz := (day + 1)::timestamp at time zone 'UTC';
	col record;
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
	for col in select attname, attstattarget from pg_attribute where attrelid = base::regclass and attnum > 0 and not attisdropped and attstattarget >= 0 loop
		execute format('alter table %I alter column %I set statistics %s', name, col.attname, col.attstattarget);
	end loop;
	execute format('with moved as (delete from %I where %I >= $1 and %I < $2 returning *) insert into %I select * from moved', base || '_default', range_column,
		range_column, name) using from_at, to_at;
	execute format('alter table %I attach partition %I for values from (%L) to (%L)', base, name, from_at, to_at);
	return true;
end
$$;
