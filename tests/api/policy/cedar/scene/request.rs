//! A data-sharing request that one agency made of another.

use chrono::{DateTime, Utc};
use lindung_domain::case::Asking;
use lindung_domain::data_sharing::{DataSharing, Demand, SharingPurpose};
use lindung_domain::referral::Party;
use lindung_domain::refusal::Expected;
use lindung_domain::{Actor, DataSharingId, Purpose, Role};
use lindung_persistence::Db;

use super::{OTHER, THIRD, code};

pub fn request(now: DateTime<Utc>) -> DataSharing {
    let (client, officer) = ("client".parse().unwrap(), "who.asked".parse().unwrap());
    let asker = Actor::officer(client, code(OTHER), officer, &[Role::Officer], Some(Purpose::Protection)).unwrap();
    let words = || "Words.".to_owned();
    let demand = Demand {
        data: words(),
        purpose: SharingPurpose::Threat,
        purpose_text: words(),
        provider: code(THIRD),
        handling: words(),
    };
    let parties = [Party { code: code(THIRD), ministry: "home".to_owned(), eligible: true }];
    let asking = Asking { actor: &asker, expected: Expected::Any, now };
    DataSharing::ask(DataSharingId(Db::new_id()), words(), demand, &parties, &asking).unwrap().into_entity()
}
