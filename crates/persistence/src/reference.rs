//! Reference data that comes with the binary: agencies and code lists; for development, units too.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use serde::Deserialize;

use crate::agencies::Contact;
use crate::db::Db;
use crate::error::Error;
use crate::schema::{agencies, code_lists, codes};

const AGENCIES: &str = include_str!("../reference/agencies.json");
const CODES: &str = include_str!("../reference/codes.json");
const DEVELOPMENT: &str = include_str!("../reference/development.json");

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AgencyFact {
    code: String,
    parent: Option<String>,
    ministry: String,
    kind: String,
    name_ms: String,
    name_en: String,
    confidence: String,
    #[serde(default)]
    contacts: Vec<Contact>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeFacts {
    lists: Vec<ListFact>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListFact {
    list: String,
    version: String,
    name_ms: String,
    name_en: String,
    codes: Vec<CodeFact>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CodeFact {
    code: String,
    ms: String,
    en: String,
    confidence: String,
    translated: bool,
    source: Option<String>,
    valid_from: NaiveDate,
    valid_until: Option<NaiveDate>,
}

/// A client for development, without its key, which is made afresh on each machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevelopmentClient {
    /// Its id.
    pub id: String,
    /// Its agency.
    pub agency: String,
    /// The units it may speak for.
    pub units: Vec<String>,
    /// The roles it may vouch for.
    pub roles: Vec<String>,
    /// The agencies whose officers may look at a case in an emergency.
    #[serde(default)]
    pub emergency: Vec<String>,
    /// What it is called.
    pub name: String,
}

/// What development has besides the reference data: invented units and clients.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Development {
    units: Vec<AgencyFact>,
    /// One client for each ministry, and some for others.
    pub clients: Vec<DevelopmentClient>,
}

impl Development {
    /// The data that comes with the binary.
    ///
    /// # Errors
    /// The file does not fit.
    pub fn load() -> Result<Self, Error> {
        Ok(serde_json::from_str(DEVELOPMENT)?)
    }
}

impl Db {
    /// Loads agencies and code lists, or brings them up to date. What an administrator keeps
    /// (contacts, activity) stays.
    ///
    /// # Errors
    /// The database is not available.
    pub fn seed_reference(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let facts: Vec<AgencyFact> = serde_json::from_str(AGENCIES)?;
        let CodeFacts { lists } = serde_json::from_str(CODES)?;
        self.transaction(|conn| {
            seed_agencies(conn, facts, now)?;
            for list in lists {
                seed_list(conn, list)?;
            }
            Ok(())
        })
    }

    /// Registers the units of development.
    ///
    /// # Errors
    /// The database is not available.
    pub fn seed_development(&self, development: &Development, now: DateTime<Utc>) -> Result<(), Error> {
        self.transaction(|conn| seed_agencies(conn, development.units.clone(), now))
    }
}

fn seed_agencies(conn: &mut PgConnection, facts: Vec<AgencyFact>, now: DateTime<Utc>) -> Result<(), Error> {
    for AgencyFact { code, parent, ministry, kind, name_ms, name_en, confidence, contacts } in facts {
        diesel::insert_into(agencies::table)
            .values((
                agencies::code.eq(code),
                agencies::parent.eq(parent),
                agencies::ministry.eq(ministry),
                agencies::kind.eq(kind),
                agencies::name_ms.eq(name_ms),
                agencies::name_en.eq(name_en),
                agencies::contacts.eq(serde_json::to_value(contacts)?),
                agencies::confidence.eq(confidence),
                agencies::created_at.eq(now),
                agencies::updated_at.eq(now),
            ))
            .on_conflict(agencies::code)
            .do_update()
            .set((
                agencies::parent.eq(excluded(agencies::parent)),
                agencies::ministry.eq(excluded(agencies::ministry)),
                agencies::kind.eq(excluded(agencies::kind)),
                agencies::confidence.eq(excluded(agencies::confidence)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

fn seed_list(conn: &mut PgConnection, fact: ListFact) -> Result<(), Error> {
    let ListFact { list, version, name_ms, name_en, codes: facts } = fact;
    diesel::insert_into(code_lists::table)
        .values((
            code_lists::list.eq(&list),
            code_lists::version.eq(version),
            code_lists::name_ms.eq(name_ms),
            code_lists::name_en.eq(name_en),
        ))
        .on_conflict(code_lists::list)
        .do_update()
        .set((
            code_lists::version.eq(excluded(code_lists::version)),
            code_lists::name_ms.eq(excluded(code_lists::name_ms)),
            code_lists::name_en.eq(excluded(code_lists::name_en)),
        ))
        .execute(conn)?;
    for (position, fact) in (1..).zip(facts) {
        let CodeFact { code, ms, en, confidence, translated, source, valid_from, valid_until } = fact;
        diesel::insert_into(codes::table)
            .values((
                codes::list.eq(&list),
                codes::code.eq(code),
                codes::position.eq(position),
                codes::label_ms.eq(ms),
                codes::label_en.eq(en),
                codes::confidence.eq(confidence),
                codes::translated.eq(translated),
                codes::source.eq(source),
                codes::valid_from.eq(valid_from),
                codes::valid_until.eq(valid_until),
            ))
            .on_conflict((codes::list, codes::code, codes::valid_from))
            .do_update()
            .set((
                codes::position.eq(excluded(codes::position)),
                codes::label_ms.eq(excluded(codes::label_ms)),
                codes::label_en.eq(excluded(codes::label_en)),
                codes::confidence.eq(excluded(codes::confidence)),
                codes::translated.eq(excluded(codes::translated)),
                codes::source.eq(excluded(codes::source)),
                codes::valid_until.eq(excluded(codes::valid_until)),
            ))
            .execute(conn)?;
    }
    Ok(())
}
