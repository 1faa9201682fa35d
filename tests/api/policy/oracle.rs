//! What the domain says, of everything that is in the database: loaded whole, without the service's SQL.

use chrono::{DateTime, Utc};
use lindung_domain::case::{self, Asking, Case, CaseFile, Header};
use lindung_domain::grant::Grant;
use lindung_domain::policy::Relation;
use lindung_domain::referral::{Record, Referral, Route, Terms};
use lindung_domain::refusal::Expected;
use lindung_domain::shield::{Admitted, Shield};
use lindung_domain::{Actor, ChildId, Refusal};
use lindung_tests::TestApp;
use serde_json::{Value, from_value};

pub struct Oracle {
    pub files: Vec<CaseFile>,
    pub referrals: Vec<Known>,
    now: DateTime<Utc>,
}

/// A referral, and at which place its case's file is.
pub struct Known {
    pub it: Referral,
    pub file: usize,
}

/// How a decision to read is answered.
pub fn status(decision: Result<Relation, Refusal>) -> u16 {
    match decision {
        Ok(_) => 200,
        Err(Refusal::NotFound) => 404,
        Err(Refusal::NotYours) => 403,
        Err(other) => panic!("{other}"),
    }
}

/// A column as the type that its place wants.
macro_rules! of {
    ($row:expr, $column:literal) => {
        from_value($row[$column].clone()).unwrap()
    };
}

impl Oracle {
    pub fn load(app: &TestApp) -> Oracle {
        let rows = |sql: &str| app.database.rows(sql);
        let (grants, children) = (rows("select * from grants"), rows("select * from children"));
        let within = |all: &[Value], case: &Value| -> Vec<Value> {
            all.iter().filter(|it| it["case_id"] == case["id"]).cloned().collect()
        };
        let cases = rows("select * from cases order by id");
        let file = |row: &Value| CaseFile {
            case: case(row),
            grants: within(&grants, row).iter().map(grant).collect(),
            children: within(&children, row).iter().map(|it| -> ChildId { of!(it, "id") }).collect(),
            shielded: within(&children, row).iter().filter_map(|it| Some((of!(it, "id"), shield(it)?))).collect(),
            open_referrals: Vec::new(),
            handoffs: Vec::new(),
            parties: Vec::new(),
            bases: Default::default(),
        };
        let place = |row: &Value| cases.iter().position(|it| it["id"] == row["case_id"]).unwrap();
        let known = |row: &Value| Known { it: referral(row), file: place(row) };
        Oracle {
            files: cases.iter().map(file).collect(),
            referrals: rows("select * from referrals").iter().map(known).collect(),
            now: app.now(),
        }
    }

    pub fn asking<'a>(&self, actor: &'a Actor) -> Asking<'a> {
        Asking { actor, expected: Expected::Any, now: self.now }
    }
}

fn case(row: &Value) -> Case {
    let header = Header {
        priority: of!(row, "priority"),
        offences: of!(row, "offences"),
        grounds: of!(row, "grounds"),
        techniques: of!(row, "techniques"),
    };
    Case::restore(case::Record {
        id: of!(row, "id"),
        reference: of!(row, "reference"),
        status: of!(row, "status"),
        header,
        lead: of!(row, "lead_agency"),
        outcome: of!(row, "outcome"),
        shield: shield(row),
        version: of!(row, "version"),
        created_at: of!(row, "created_at"),
    })
}

fn shield(row: &Value) -> Option<Shield> {
    let names: Option<Vec<Admitted>> = of!(row, "shield");
    names.map(Shield::restore)
}

fn grant(row: &Value) -> Grant {
    Grant {
        id: of!(row, "id"),
        case: of!(row, "case_id"),
        agency: of!(row, "agency"),
        source: of!(row, "source"),
        referral: of!(row, "referral_id"),
        handoff: of!(row, "handoff_id"),
        request: of!(row, "request_id"),
        officer: of!(row, "officer"),
        chain: of!(row, "chain"),
        reason: of!(row, "reason"),
        ground: of!(row, "ground"),
        sections: of!(row, "sections"),
        contributes: of!(row, "contributes"),
        children: of!(row, "children"),
        purposes: of!(row, "purposes"),
        footing: Default::default(),
        onward: of!(row, "onward"),
        since: of!(row, "since"),
        until: of!(row, "until"),
    }
}

fn referral(row: &Value) -> Referral {
    let route = match &row["open_to"] {
        Value::Null => Route::Named { recipient: of!(row, "named"), alternatives: of!(row, "alternatives") },
        _ => Route::Open(of!(row, "open_to")),
    };
    let terms = Terms {
        kind: of!(row, "kind"),
        priority: of!(row, "priority"),
        route,
        request: of!(row, "request"),
        children: of!(row, "children"),
        shares: of!(row, "shares"),
        contributes: of!(row, "contributes"),
        purposes: of!(row, "purposes"),
        onward: of!(row, "onward"),
        retention_days: of!(row, "retention_days"),
    };
    Referral::restore(Record {
        id: of!(row, "id"),
        case: of!(row, "case_id"),
        case_reference: of!(row, "case_reference"),
        sender: of!(row, "sender"),
        status: of!(row, "status"),
        terms,
        recipient: of!(row, "recipient"),
        listed: of!(row, "listed"),
        former: of!(row, "former"),
        redirects: of!(row, "redirects"),
        awaiting_information: of!(row, "awaiting_information"),
        cancel_requested: of!(row, "cancel_requested"),
        assignee: of!(row, "assignee"),
        due_at: of!(row, "due_at"),
        outcome: of!(row, "outcome"),
        reason: of!(row, "reason"),
        suggested: of!(row, "suggested"),
        chain: of!(row, "chain"),
        version: of!(row, "version"),
        created_at: of!(row, "created_at"),
        requested_at: of!(row, "requested_at"),
        arrived_at: of!(row, "arrived_at"),
        updated_at: of!(row, "updated_at"),
    })
}
