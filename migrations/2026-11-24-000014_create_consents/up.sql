-- Consents, overrides, and what grants rest on.

create table consents (
    id                     uuid primary key,
    case_id                uuid not null references cases (id),
    child_id               uuid not null references children (id),
    capacity               text not null check (capacity in ('child', 'parent', 'guardian', 'court')),
    given_by               text not null,
    sections               text[] not null,
    recipients             text[] not null,
    purposes               text[] not null,
    evidence               text not null,
    given_at               timestamptz not null,
    expires_at             timestamptz,
    agency                 text not null references agencies (code),
    officer                text not null,
    recorded_at            timestamptz not null,
    withdrawn_at           timestamptz,
    withdrawal_reason      text,
    withdrawal_agency      text references agencies (code),
    withdrawal_officer     text,
    withdrawal_recorded_at timestamptz,
    told                   text[] not null default '{}',
    version                bigint not null
);
create index consents_case on consents (case_id);
create index consents_child on consents (child_id, id);
comment on table consents is 'Who agreed that which sections about a child may be given to whom, for what and until when; never edited, only withdrawn';
comment on column consents.given_by is 'As the system of the agency that recorded it names them: no name';
comment on column consents.evidence is 'A reference to the document in that agency''s own files';
comment on column consents.expires_at is 'Exclusive; open-ended when null';
comment on column consents.withdrawn_at is 'When it was withdrawn; from withdrawal_recorded_at on nothing rests on it';
comment on column consents.told is 'Who held something on its strength, and is told that it is withdrawn';
comment on column consents.version is 'Without the confirmations, each of which counts as one more';

create table consent_confirmations (
    consent_id uuid not null references consents (id),
    case_id    uuid not null references cases (id),
    agency     text not null references agencies (code),
    officer    text not null,
    at         timestamptz not null,
    primary key (consent_id, agency)
);
comment on table consent_confirmations is 'That an agency acts upon the withdrawal of a consent';

create table overrides (
    id          uuid primary key,
    case_id     uuid not null references cases (id),
    referral_id uuid not null references referrals (id),
    sections    text[] not null,
    reason      text not null,
    until       timestamptz not null,
    agency      text not null references agencies (code),
    officer     text not null,
    at          timestamptz not null,
    review      text check (review in ('justified', 'not-justified')),
    review_note text,
    reviewed_by text,
    reviewed_at timestamptz,
    version     bigint not null
);
create index overrides_case on overrides (case_id, id);
comment on table overrides is 'What referrals disclosed without consent, why and until when, and what another person of the sender found';

alter table grants add column consents uuid[] not null default '{}';
comment on column grants.consents is 'The consents that it rests on: with any of them it ends';
alter table grants add column override_id uuid;
comment on column grants.override_id is 'The override that it rests on';

set local role lindung_maintenance;

create function policy.bases_of(asked uuid) returns jsonb language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if policy.works() and policy.sees(asked) then
        return jsonb_build_object(
            'children', (select coalesce(jsonb_agg(k.id order by k.id), '[]') from children k where k.case_id = asked),
            'consents', (select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'child', w.child_id, 'sections', w.sections,
                'recipients', w.recipients, 'purposes', w.purposes, 'expires_at', w.expires_at) order by w.id), '[]')
                from consents w where w.case_id = asked and w.withdrawn_at is null and (w.expires_at is null or w.expires_at > policy.now())),
            'rejected', (select coalesce(jsonb_agg(o.id order by o.id), '[]') from overrides o where o.case_id = asked and o.review = 'not-justified'));
    end if;
    return null;
end $$;
comment on function policy.bases_of is 'What disclosures of the case can rest on now, whoever may see it: to decide by, and never told';

create function policy.sees_consent(asked uuid, child uuid, maker text, told text[]) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return policy.sees(asked) and policy.lets_through(asked, (select k.shield from children k where k.id = child))
        and (policy.leads(asked) or maker = policy.agency() or policy.agency() = any(told) or (policy.at_work() and exists (
            select from grants g where g.case_id = asked and g.agency = policy.agency() and g.onward and g.since <= policy.now()
            and (g.until is null or g.until > policy.now()) and policy.purpose() = any(g.purposes) and (g.children is null or child = any(g.children)))));
end $$;
comment on function policy.sees_consent is 'Whether the agency may know of the consent: the lead, who recorded it or was told of its withdrawal, and who may share onward what concerns the child';

create function policy.was_told(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return exists (select from consents w where w.id = asked and policy.agency() = any(w.told));
end $$;
comment on function policy.was_told is 'Whether the agency was told that the consent is withdrawn';

revoke execute on all functions in schema policy from public;
grant execute on all functions in schema policy to lindung_api;

set local role lindung_owner;

grant select, insert, update on consents, overrides to lindung_api;
grant select, insert on consent_confirmations to lindung_api;

alter table consents enable row level security;
alter table consents force row level security;
create policy parties on consents for select using (policy.sees_consent(case_id, child_id, agency, told));
create policy recorded on consents for insert
    with check (agency = policy.agency() and officer = policy.officer() and policy.at_work() and policy.sees_child(case_id, child_id));
create policy withdrawn on consents for update using (policy.at_work() and (policy.leads(case_id) or agency = policy.agency()))
    with check (withdrawal_agency = policy.agency() and withdrawal_officer = policy.officer());

alter table consent_confirmations enable row level security;
alter table consent_confirmations force row level security;
create policy parties on consent_confirmations for select using (exists (select from consents w where w.id = consent_id));
create policy confirmed on consent_confirmations for insert
    with check (agency = policy.agency() and officer = policy.officer() and policy.at_work() and policy.was_told(consent_id));

alter table overrides enable row level security;
alter table overrides force row level security;
create policy parties on overrides for select using (policy.sees(case_id) and (agency = policy.agency() or policy.leads(case_id)));
create policy made on overrides for insert with check (agency = policy.agency() and officer = policy.officer() and policy.at_work() and policy.sees(case_id));
create policy reviewed on overrides for update using (agency = policy.agency() and policy.supervises() and policy.at_work())
    with check (reviewed_by = policy.officer() and reviewed_by <> officer);
