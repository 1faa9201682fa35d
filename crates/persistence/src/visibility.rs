//! What an actor may see, as SQL: every read about a child starts here.
//!
//! The policy's other form. `lindung_domain::policy` decides about what is loaded; these clauses
//! decide about what is not, and a test holds the two against each other.

use lindung_domain::policy::{self, Act, Obligation, Relation, Relations};
use lindung_domain::{Actor, Purpose, Role};

use crate::db::Call;
use crate::sql::{Bind, Sql};

#[cfg(all(feature = "unchecked", not(debug_assertions)))]
compile_error!("`unchecked` shows everything: it is for tests, and never for a release");

/// Whether these clauses hold for everything, so that tests see what row-level security does by itself.
const UNCHECKED: bool = cfg!(feature = "unchecked");

fn everything<ST>() -> Sql<ST> {
    Sql::new().with("true", [])
}

/// How an actor sees cases at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Through the live grants of its agency.
    Grants,
    /// The headers of all that is not shielded.
    Headers,
    /// Not at all.
    Nothing,
}

/// How the actor may do `act`, which reads.
pub(crate) fn sight(actor: &Actor, act: Act) -> Sight {
    let through = |relation| policy::permits(actor, act, &Relations::from([relation])).is_some();
    if [Relation::Shown, Relation::Lead, Relation::Emergency].into_iter().any(through) {
        Sight::Grants
    } else if through(Relation::Unshielded)
        && policy::obligations(act, Relation::Unshielded).contains(&Obligation::HeaderOnly)
    {
        Sight::Headers
    } else {
        Sight::Nothing
    }
}

/// `g` is a grant that shows something to the actor now.
pub(crate) fn live_grant<ST>(call: &Call) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    Sql::new().with(
        "g.agency = ? and (g.officer is null or g.officer = ?) and ? = any(g.purposes) and g.since <= ? \
         and (g.until is null or g.until > ?)",
        [
            call.actor.agency().as_str().into(),
            call.actor.officer_id().map(ToString::to_string).into(),
            purpose(&call.actor),
            call.now.into(),
            call.now.into(),
        ],
    )
}

/// A condition that holds where no shield of `it` (a case or a child) hides it from the actor. What an emergency
/// opened, two officers agreed on.
fn lets_through<ST>(call: &Call, it: &'static str) -> Sql<ST> {
    if UNCHECKED || call.actor.purpose() == Some(Purpose::Emergency) {
        return everything();
    }
    let names: Vec<String> = call.actor.admitted_as().iter().map(ToString::to_string).collect();
    Sql::new().with("(", []).with(it, []).with(" is null or ", []).with(it, []).with(" && ?)", [names.into()])
}

/// A condition that holds where the actor may know of child `k`, as far as shields go.
pub(crate) fn child_unhidden<ST>(call: &Call) -> Sql<ST> {
    lets_through(call, "k.shield")
}

fn purpose(actor: &Actor) -> Bind {
    actor.purpose().map_or("", |it| it.as_str()).into()
}

/// A condition that holds where the actor may see the header of case `c` by doing `act`.
pub(crate) fn case_visible<ST>(call: &Call, act: Act) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    match sight(&call.actor, act) {
        Sight::Grants => lets_through(call, "c.shield")
            .with(" and exists (select from grants g where g.case_id = c.id and ", [])
            .then(live_grant::<()>(call))
            .with(")", []),
        Sight::Headers => Sql::new().with("c.shield is null", []),
        Sight::Nothing => Sql::new().with("false", []),
    }
}

/// The same for what only the lead does: the actor may do `act` to case `c`, which its agency leads.
pub(crate) fn led_case_visible<ST>(call: &Call, act: Act) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    if policy::permits(&call.actor, act, &Relations::from([Relation::Lead])).is_none() {
        return Sql::new().with("false", []);
    }
    Sql::new()
        .with("c.lead_agency = ? and ", [call.actor.agency().as_str().into()])
        .then(case_visible::<()>(call, Act::ReadCase))
}

/// The same for the consents of child `k` of case `c`: its lead's, and those of whoever may share onward what concerns it.
pub(crate) fn consents_visible<ST>(call: &Call) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    let own = || Bind::from(call.actor.agency().as_str());
    if policy::permits(&call.actor, Act::ReadConsent, &Relations::from([Relation::Lead])).is_none() {
        return Sql::new().with("false", []);
    }
    Sql::new()
        .with("(", [])
        .then(lets_through::<()>(call, "c.shield"))
        .with(
            " and exists (select from grants g where g.case_id = c.id and (g.onward or c.lead_agency = ?) and ",
            [own()],
        )
        .then(live_grant::<()>(call))
        .with(" and (g.children is null or k.id = any(g.children))))", [])
}

/// The rule by which the consents of a child of case `c` are visible.
pub(crate) fn consent_rule<ST>(call: &Call) -> Sql<ST> {
    Sql::new().with("case when c.lead_agency = ? then 'lead' else 'onward' end", [call.actor.agency().as_str().into()])
}

/// A condition that holds where the actor may do `act` to a record of case `c` that is its own agency's.
pub(crate) fn own_record_visible<ST>(call: &Call, act: Act) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    if policy::permits(&call.actor, act, &Relations::from([Relation::Maker])).is_none() {
        return Sql::new().with("false", []);
    }
    lets_through(call, "c.shield")
}

/// The rule by which case `c` is visible.
pub(crate) fn case_rule<ST>(call: &Call, act: Act) -> Sql<ST> {
    match sight(&call.actor, act) {
        Sight::Headers => Sql::new().with("'unshielded'", []),
        Sight::Grants | Sight::Nothing if call.actor.purpose() == Some(Purpose::Emergency) => {
            Sql::new().with("'emergency'", [])
        }
        Sight::Grants | Sight::Nothing => Sql::new()
            .with("case when c.lead_agency = ? then 'lead' else 'shown' end", [call.actor.agency().as_str().into()]),
    }
}

/// A condition that holds where the actor may see referral `r` of case `c` by doing `act`: its
/// sender, and once it is sent its recipients, those who may claim it, and the case's lead.
pub(crate) fn referral_visible<ST>(call: &Call, act: Act) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    let own = || Bind::from(call.actor.agency().as_str());
    let through = |relation| policy::permits(&call.actor, act, &Relations::from([relation])).is_some();
    if through(Relation::Sender) {
        lets_through(call, "c.shield")
            .with(
                " and (r.sender = ? or (r.requested_at is not null and (r.recipient = ? or ? = any(r.listed) or ? = any(r.former) \
                 or (c.lead_agency = ? and exists (select from grants g where g.case_id = c.id and ",
                [own(), own(), own(), own(), own()],
            )
            .then(live_grant::<()>(call))
            .with(")))))", [])
    } else if through(Relation::Unshielded) {
        Sql::new().with("(r.requested_at is not null and c.shield is null)", [])
    } else {
        Sql::new().with("false", [])
    }
}

/// A condition that holds where no shield of referral `r`'s case hides it from the actor: looked at only where
/// there is one.
pub(crate) fn referral_unhidden<ST>(call: &Call) -> Sql<ST> {
    Sql::new()
        .with("(not r.shielded or exists (select from cases c where c.id = r.case_id and ", [])
        .then(lets_through::<()>(call, "c.shield"))
        .with("))", [])
}

/// A condition that holds where the actor may see handoff `h` of case `c`: either side of it, the case's lead, and
/// coordinators.
pub(crate) fn handoff_visible<ST>(call: &Call) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    let own = || Bind::from(call.actor.agency().as_str());
    let through = |relation| policy::permits(&call.actor, Act::ReadHandoff, &Relations::from([relation])).is_some();
    if through(Relation::Addressee) {
        lets_through(call, "c.shield")
            .with(" and (h.to_agency = ? or h.from_agency = ? or (c.lead_agency = ? and exists (select from grants g where g.case_id = c.id and ", [
                own(), own(), own(),
            ])
            .then(live_grant::<()>(call))
            .with(")))", [])
    } else if through(Relation::Unshielded) {
        Sql::new().with("c.shield is null", [])
    } else {
        Sql::new().with("false", [])
    }
}

/// A condition that holds where the actor may see data-sharing request `d`: either side of it, and coordinators.
pub(crate) fn data_request_visible<ST>(call: &Call) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    let own = || Bind::from(call.actor.agency().as_str());
    let through = |it| policy::permits(&call.actor, Act::ReadDataRequest, &Relations::from([it])).is_some();
    if through(Relation::Requester) {
        Sql::new().with("(d.requester = ? or d.provider = ?)", [own(), own()])
    } else if through(Relation::Unshielded) {
        everything()
    } else {
        Sql::new().with("false", [])
    }
}

/// The rule by which data-sharing request `d` is visible.
pub(crate) fn data_request_rule<ST>(call: &Call) -> Sql<ST> {
    if call.actor.is(Role::Coordinator) {
        return Sql::new().with("'unshielded'", []);
    }
    Sql::new()
        .with("case when d.requester = ? then 'requester' else 'provider' end", [call.actor.agency().as_str().into()])
}

/// The rule by which handoff `h` of case `c` is visible.
pub(crate) fn handoff_rule<ST>(call: &Call) -> Sql<ST> {
    let own = || Bind::from(call.actor.agency().as_str());
    if call.actor.is(Role::Coordinator) {
        return Sql::new().with("'unshielded'", []);
    }
    Sql::new().with(
        "case when c.lead_agency = ? then 'lead' when h.to_agency = ? then 'addressee' else 'offeror' end",
        [own(), own()],
    )
}

/// The rule by which referral `r` is visible.
pub(crate) fn referral_rule<ST>(call: &Call) -> Sql<ST> {
    let own = || Bind::from(call.actor.agency().as_str());
    if call.actor.is(Role::Coordinator) {
        return Sql::new().with("'unshielded'", []);
    }
    Sql::new().with(
        "case when r.sender = ? then 'sender' when r.recipient = ? then 'recipient' when ? = any(r.listed) then 'listed' \
         when ? = any(r.former) then 'former-recipient' else 'lead' end",
        [own(), own(), own(), own()],
    )
}

/// A condition that holds where clock `w`, perhaps of case `c`, is the actor's to list: its agency waits or has to act,
/// and may still know of what the clock runs on; or it coordinates and the case is not shielded.
pub(crate) fn clock_visible<ST>(call: &Call) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    let shown = if call.actor.is(Role::Coordinator) {
        Sql::new().with("c.shield is null", [])
    } else {
        lets_through(call, "c.shield")
    };
    shown.with(" and ", []).then(clock_of_child::<()>(call))
}

/// A condition that holds where clock `w` runs on no child, or on one that the actor may know of.
pub(crate) fn clock_of_child<ST>(call: &Call) -> Sql<ST> {
    if UNCHECKED {
        return everything();
    }
    let known = Sql::new()
        .with("(w.subject_type <> 'child' or exists (select from children k where k.id = w.subject_id and ", [])
        .then(child_unhidden::<()>(call));
    if call.actor.is(Role::Coordinator) {
        return known.with("))", []);
    }
    known
        .with(
            " and exists (select from grants g where g.case_id = k.case_id and (g.children is null or k.id = any(g.children)) and ",
            [],
        )
        .then(live_grant::<()>(call))
        .with(")))", [])
}
