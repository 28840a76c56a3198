set local search_path = linnet;

create table canary_tests (
	target_id text not null,
	canary text not null,
	request_key text not null,
	accepted_at timestamptz,
	fate text not null check (fate in ('accepted', 'refused', 'unclear')),
	fate_at timestamptz not null,
	field text,
	advice text,
	message text,
	primary key (target_id, canary)
);
comment on table canary_tests is 'What each target made of each canary''s request (core/self-test.ts): until it has accepted one, a failure that the request may have caused does not count';
comment on column canary_tests.target_id is 'provider:model:operation; kept for targets that leave the configuration and return';
comment on column canary_tests.canary is 'Name of the canary';
comment on column canary_tests.request_key is 'Hash of all that the request is built from: another one is another test';
comment on column canary_tests.accepted_at is 'When a request of this key was last found accepted; null: never';
comment on column canary_tests.fate is 'accepted, refused as malformed, or unclear: an error that the request may have caused';
comment on column canary_tests.fate_at is 'Start of the probe that told it';
comment on column canary_tests.field is 'Field that was refused, as the provider named it; null: it named none, or refused none';
comment on column canary_tests.advice is 'What to change in the configuration; null unless refused';
comment on column canary_tests.message is 'The provider''s words, redacted; null: none';
