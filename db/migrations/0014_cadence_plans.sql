set local search_path = linnet;

create table cadence_plans (
	only_one boolean primary key default true check (only_one),
	made_at timestamptz not null,
	head jsonb not null,
	cadences jsonb not null,
	revision bigint not null
);
comment on table cadence_plans is 'How often each target is probed while the budget of the day is short: one row, made anew every half minute';
comment on column cadence_plans.only_one is 'One row';
comment on column cadence_plans.made_at is 'When it was made; an old plan is not followed';
comment on column cadence_plans.head is 'The plan but for its cadences: version, money in 1e-6 USD, vantages';
comment on column cadence_plans.cadences is 'By target id: one slot in how many runs, and why; a target that is not in it is probed as configured';
comment on column cadence_plans.revision is 'Counts the changes of cadences';
