//! Counting accesses.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{NaiveDate, Timelike};
use uuid::Uuid;

use super::{Settings, in_malaysia};
use crate::access::Access;

/// What stands where an access has no agency, officer or purpose: nobody was known yet, or a client acted alone.
pub(super) const NONE: &str = "(none)";

/// An agency and its officer.
pub(super) type Officer = (String, String);

/// What is counted of an agency, an officer or a purpose.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) accesses: u64,
    /// Those that were shown or changed something.
    pub(super) permitted: u64,
    pub(super) out_of_hours: u64,
    pub(super) children: BTreeSet<Uuid>,
}

/// What is counted of an officer besides.
#[derive(Debug, Default)]
pub(super) struct Unusual {
    /// Accesses, by whether they were at a weekend.
    pub(super) out_of_hours: [u64; 2],
    /// Accesses to cases that no other agency has touched, and those cases.
    pub(super) own_only: (u64, BTreeSet<Uuid>),
}

/// All that is counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) agencies: BTreeMap<String, Count>,
    pub(super) officers: BTreeMap<Officer, Count>,
    pub(super) purposes: BTreeMap<String, Count>,
    pub(super) unusual: BTreeMap<Officer, Unusual>,
    /// The children that an officer has seen in a day, where they are many.
    pub(super) bulk: BTreeMap<(NaiveDate, Officer), usize>,
    /// Accesses by day and agency.
    pub(super) days: BTreeMap<NaiveDate, BTreeMap<String, u64>>,
    /// Accesses by hour of the day: within working hours, and outside.
    pub(super) hours: [[u64; 2]; 24],
    /// The agency that has touched a case; none where there are several.
    touched: HashMap<Uuid, Option<String>>,
    today: BTreeMap<(NaiveDate, Officer), BTreeSet<Uuid>>,
}

impl Tally {
    /// Notes which cases an agency has touched.
    pub(super) fn touched(&mut self, access: &Access) {
        let Some(agency) = access.agency.as_ref().filter(|_| is_permitted(access)) else { return };
        for case in &access.case_ids {
            let by = self.touched.entry(*case).or_insert_with(|| Some(agency.clone()));
            if by.as_ref().is_some_and(|it| it != agency) {
                *by = None;
            }
        }
    }

    /// Counts an access.
    pub(super) fn count(&mut self, access: &Access, settings: &Settings) {
        let at = in_malaysia(access.at);
        let out_of_hours = settings.is_out_of_hours(at);
        let named = |name: &Option<String>| name.clone().unwrap_or_else(|| NONE.to_owned());
        let (agency, purpose) = (named(&access.agency), named(&access.purpose));
        let officer = (agency.clone(), named(&access.officer));
        *self.days.entry(at.date_naive()).or_default().entry(agency.clone()).or_default() += 1;
        if let Some(hour) = self.hours.get_mut(at.hour() as usize) {
            hour[usize::from(out_of_hours)] += 1;
        }
        for count in [
            self.agencies.entry(agency).or_default(),
            self.officers.entry(officer.clone()).or_default(),
            self.purposes.entry(purpose).or_default(),
        ] {
            count.accesses += 1;
            count.out_of_hours += u64::from(out_of_hours);
            if is_permitted(access) {
                count.permitted += 1;
                count.children.extend(&access.child_ids);
            }
        }
        let unusual = self.unusual.entry(officer.clone()).or_default();
        if out_of_hours {
            let weekend = super::is_weekend(at);
            unusual.out_of_hours[usize::from(weekend)] += 1;
        }
        if !is_permitted(access) {
            return;
        }
        let alone = |it: &&Uuid| self.touched.get(*it).is_some_and(Option::is_some);
        let own: Vec<&Uuid> = access.case_ids.iter().filter(alone).collect();
        if !own.is_empty() && own.len() == access.case_ids.len() {
            unusual.own_only.0 += 1;
            unusual.own_only.1.extend(own);
        }
        if access.officer.is_some() && !access.child_ids.is_empty() {
            let day = (at.date_naive(), officer);
            let seen = self.today.entry(day.clone()).or_default();
            seen.extend(&access.child_ids);
            if seen.len() > settings.many {
                self.bulk.insert(day, seen.len());
            }
        }
    }
}

/// Whether something was shown or changed; the rest was refused, or did not work.
fn is_permitted(access: &Access) -> bool {
    matches!(access.outcome.as_str(), "permitted" | "replayed")
}
