//! Leaves of the access log, the tree over them, and what opens them.

use aws_lc_rs::rand;
use chrono::{DateTime, SecondsFormat, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use lindung_ledger::leaf::{AccessLeaf, Approver, At, Commitment, Detail, ErasureLeaf, Leaf, Opening};
use lindung_ledger::tree::{self, Hash, leaf_hash};
use uuid::Uuid;

use super::Turn;
use crate::access_log::Access;
use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;
use crate::tiles;

/// The most ranges of numbers in one leaf, which has to stay below 64 KB.
const RANGES: usize = 1000;

/// A leaf on its way into the log.
struct Entry {
    kind: &'static str,
    id: Uuid,
    agency: Option<String>,
    leaf: Vec<u8>,
}

/// Appends a leaf for each access; returns how many.
pub(super) fn of_accesses(conn: &mut PgConnection, turn: &mut Turn, accesses: Vec<Access>) -> Result<i64, Error> {
    let (mut entries, mut openings) = (Vec::with_capacity(accesses.len()), Vec::with_capacity(accesses.len()));
    for access in accesses {
        let (entry, opening) = sealed(access)?;
        entries.push(entry);
        openings.push(opening);
    }
    let agencies = entries.iter().map(|it| it.agency.clone().unwrap_or_default()).collect::<Vec<_>>();
    let first = append(conn, turn, entries)?;
    let (salts, details): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        openings.into_iter().map(|it| (it.salt.to_vec(), it.detail)).unzip();
    let query = Sql::<()>::new().with(
        "insert into access_openings (number, agency, salt, detail) select ? + place - 1, nullif(agency, ''), salt, detail \
         from unnest(?, ?, ?) with ordinality opened (agency, salt, detail, place)",
        [first.into(), agencies.into(), salts.into(), details.into()],
    );
    Ok(i64::try_from(query.execute(conn)?).unwrap_or(0))
}

/// Erases of whom accesses tell, where a child was erased, and appends a leaf about that; returns how many.
pub(super) fn of_erasures(conn: &mut PgConnection, turn: &mut Turn, now: DateTime<Utc>) -> Result<i64, Error> {
    let query = Sql::<(SqlUuid, Text, Text, Text, Array<BigInt>)>::new()
        .with("select proposal, agency, proposed_by, decided_by, numbers from policy.erase_accesses(?)", [now.into()]);
    let erased: Vec<(Uuid, String, String, String, Vec<i64>)> = query.load(conn)?;
    let mut entries = Vec::new();
    for (proposal, agency, proposed_by, decided_by, numbers) in erased {
        let numbers = numbers.into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
        let approvers = [proposed_by, decided_by].map(|officer| Approver { agency: agency.clone(), officer });
        for ranges in ErasureLeaf::ranges(numbers).chunks(RANGES) {
            let (id, approvers, ranges) = (Db::new_id(), approvers.clone(), ranges.to_vec());
            let leaf = Leaf::Erasure(ErasureLeaf { id, at: at(now)?, proposal, approvers, entries: ranges });
            let leaf = leaf.to_bytes().map_err(Error::fault)?;
            entries.push(Entry { kind: "erasure", id, agency: Some(agency.clone()), leaf });
        }
    }
    let count = entries.len();
    append(conn, turn, entries)?;
    Ok(i64::try_from(count).unwrap_or(0))
}

/// The leaf of an access, and what opens it.
fn sealed(access: Access) -> Result<(Entry, Opening), Error> {
    let Access {
        id,
        at,
        request_id,
        client_id,
        agency,
        officer,
        roles,
        purpose,
        action,
        outcome,
        rule,
        target,
        case_ids,
        child_ids,
        sections,
        count,
        number: _,
    } = access;
    let mut salt = [0; 32];
    rand::fill(&mut salt).map_err(|_| Error::fault("the machine gives no random bytes"))?;
    let detail = Detail { target, case_ids, child_ids, sections }.to_bytes().map_err(Error::fault)?;
    let leaf = Leaf::Access(AccessLeaf {
        id,
        at: self::at(at)?,
        request_id,
        client: client_id,
        agency: agency.clone(),
        officer,
        roles,
        purpose,
        action,
        outcome,
        rule,
        count: u32::try_from(count).map_err(Error::fault)?,
        detail: Commitment::to(&salt, &detail),
    });
    Ok((Entry { kind: "access", id, agency, leaf: leaf.to_bytes().map_err(Error::fault)? }, Opening { salt, detail }))
}

/// Appends leaves, and their hashes to the tree; returns the number of the first.
fn append(conn: &mut PgConnection, turn: &mut Turn, entries: Vec<Entry>) -> Result<i64, Error> {
    let (size, first) = (number(turn.next)?, turn.number(entries.len()));
    if entries.is_empty() {
        return Ok(first);
    }
    let hashes: Vec<Hash> = entries.iter().map(|it| leaf_hash(&it.leaf)).collect();
    let edge = tiles::right_edge(conn, size)?;
    tiles::store(conn, &tree::grow(size, &edge, &hashes).map_err(Error::fault)?)?;
    let (mut kinds, mut ids, mut agencies, mut leaves) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Entry { kind, id, agency, leaf } in entries {
        kinds.push(kind.to_owned());
        ids.push(id);
        agencies.push(agency.unwrap_or_default());
        leaves.push(leaf);
    }
    let query = Sql::<()>::new().with(
        "insert into access_leaves (number, kind, entry_id, agency, leaf, sequenced_at) \
         select ? + place - 1, kind, id, nullif(agency, ''), leaf, transaction_timestamp() \
         from unnest(?, ?, ?, ?) with ordinality appended (kind, id, agency, leaf, place)",
        [first.into(), kinds.into(), ids.into(), agencies.into(), leaves.into()],
    );
    query.execute(conn)?;
    Ok(first)
}

fn at(time: DateTime<Utc>) -> Result<At, Error> {
    time.to_rfc3339_opts(SecondsFormat::Micros, true).try_into().map_err(Error::fault)
}

fn number(number: i64) -> Result<u64, Error> {
    number.try_into().map_err(Error::fault)
}
