set local search_path = linnet;

create table operator_entries (
	entry_id bigint generated always as identity primary key,
	incident_id text not null references incidents,
	at timestamptz not null,
	said_by text not null,
	kind text not null check (kind in ('note', 'impact', 'cause', 'false_alarm', 'withdrawn')),
	value text,
	body text not null,
	relapse_count integer not null,
	announced_at timestamptz,
	check ((kind in ('impact', 'cause')) = (value is not null))
);
create index operator_entries_incident on operator_entries (incident_id, entry_id);
create index operator_entries_unannounced on operator_entries (entry_id) where announced_at is null;
comment on table operator_entries is 'What the operator says of an incident: notes and overrides. Nothing is ever changed or removed; the incident and its evidence stay as they were judged';
comment on column operator_entries.entry_id is 'Running number';
comment on column operator_entries.incident_id is 'incidents.incident_id';
comment on column operator_entries.at is 'When it was said';
comment on column operator_entries.said_by is 'Who; shown to readers';
comment on column operator_entries.kind is 'note; impact or cause (set to value); false_alarm (closed); withdrawn (what was overridden before holds no more)';
comment on column operator_entries.value is 'The impact or cause that it is set to; null of other kinds';
comment on column operator_entries.body is 'The note, or why';
comment on column operator_entries.relapse_count is 'incidents.relapse_count then: a false alarm holds until a relapse';
comment on column operator_entries.announced_at is 'When its channels were promised to hear of it; null until then';

create function keep_operator_entries() returns trigger language plpgsql as $$
begin
	if tg_op = 'UPDATE' and (to_jsonb(new) - 'announced_at') = (to_jsonb(old) - 'announced_at') and old.announced_at is null then
		return new;
	end if;
	raise exception 'operator_entries are only ever added' using errcode = 'restrict_violation';
end
$$;
create trigger keep_operator_entries before update or delete on operator_entries for each row execute function keep_operator_entries();
