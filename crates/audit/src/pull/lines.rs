//! Openings and accesses: files that grow by pages, and are cut back to the last whole page when a pull goes on.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lindung_ledger::leaf::Leaf;
use lindung_ledger::tree::{Hash, leaf_hash};
use serde::Deserialize;
use serde_json::Value;

use super::state::{State, beside};
use super::{LOG, Progress, Session};
use crate::erased::Erased;
use crate::failure::Failure;
use crate::folder::OpeningLine;

/// How many lines a page has.
const PAGE: u64 = 1000;
/// So often the access log is read again while something in the service's database holds back its end.
const ATTEMPTS: u32 = 8;

/// Brings the openings, and forgets here what was erased there since.
pub(super) async fn pull_openings(
    session: &mut Session,
    folder: &Path,
    state: &mut State,
    hashes: &[Hash],
    progress: Progress<'_>,
) -> Result<(), Failure> {
    let (path, size) = (folder.join("openings.ndjson"), hashes.len() as u64);
    let mut file = cut(&path, state.openings.length)?;
    while state.openings.next < size {
        let what = format!("{LOG}/openings?from={}&limit={PAGE}", state.openings.next);
        let wrong = |why: &str| Failure::Answer { what: what.clone(), why: why.to_owned() };
        let bytes = session.get(&what, true).await?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text"))?;
        let mut next = state.openings.next;
        for line in text.lines() {
            let opening: OpeningLine = serde_json::from_str(line).map_err(|_| wrong("a line is no opening"))?;
            if opening.number < next {
                return Err(wrong("its lines are not in the order of their numbers"));
            }
            next = opening.number + 1;
            let Some(hash) = usize::try_from(opening.number).ok().and_then(|it| hashes.get(it)) else { break };
            if leaf_hash(opening.leaf.as_bytes()) != *hash {
                return Err(wrong(&format!("entry {} is not the one that was hashed", opening.number)));
            }
            state.openings.length += append(&mut file, &path, line)?;
        }
        // An auditor of a single agency gets a page without any where the rest is of others.
        state.openings.next = if text.is_empty() { size } else { next.min(size) };
        file.sync_all().map_err(Failure::file(&path))?;
        state.save(folder)?;
        progress("openings", state.openings.next, size);
    }
    drop(file);
    forget(folder, state)
}

/// What was erased is erased here too: from the openings, and from the accesses, which are pulled anew.
fn forget(folder: &Path, state: &mut State) -> Result<(), Failure> {
    let path = folder.join("openings.ndjson");
    let (mut count, mut erasures) = (0, Vec::new());
    let mut lines = crate::folder::Folder::new(folder).openings()?;
    while let Some(line) = lines.next()? {
        if let Ok(Leaf::Erasure(erasure)) = Leaf::from_bytes(line.leaf.as_bytes()) {
            count += 1;
            erasures.extend(erasure.entries);
        }
    }
    let erased = Erased::by(&erasures);
    if count == state.accesses.erasures {
        return Ok(());
    }
    let new = beside(&path);
    let mut file = File::create(&new).map_err(Failure::file(&new))?;
    let mut length = 0;
    let mut lines = crate::folder::Folder::new(folder).openings()?;
    while let Some(mut line) = lines.next()? {
        if erased.has(line.number) {
            (line.salt, line.detail) = (None, None);
        }
        let text = serde_json::to_string(&line);
        length += append(&mut file, &new, &text.map_err(|it| Failure::Report(it.to_string()))?)?;
    }
    file.sync_all().map_err(Failure::file(&new))?;
    fs::rename(&new, &path).map_err(Failure::file(&path))?;
    state.openings.length = length;
    (state.accesses.length, state.accesses.cursor, state.accesses.erasures) = (0, None, count);
    state.save(folder)
}

/// A page of the API's access log.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
    /// What began to be written before then is told, by the clock of the service's database.
    up_to: Option<DateTime<Utc>>,
}

/// Brings the accesses below the size, and those without a number, which have to be later than what is sealed. The
/// list ends before the oldest transaction that still runs: where it ends too early it is read again.
pub(super) async fn pull_accesses(
    session: &mut Session,
    folder: &Path,
    state: &mut State,
    size: u64,
    progress: Progress<'_>,
) -> Result<(), Failure> {
    for attempt in 0..ATTEMPTS {
        let (began, up_to) = listed(session, folder, state, size, progress).await?;
        // A list that claims to be whole and is not is for `verify` to find.
        if began.zip(up_to).is_none_or(|(began, up_to)| began <= up_to) || is_whole(folder)? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
    }
    let why = "something has been running in its database since before the checkpoint, and holds the end of it back";
    Err(Failure::Answer { what: LOG.to_owned(), why: format!("{why}: pull again later") })
}

/// Reads the list to its end; returns when that began and up to when the list is whole, where the service says so.
async fn listed(
    session: &mut Session,
    folder: &Path,
    state: &mut State,
    size: u64,
    progress: Progress<'_>,
) -> Result<(Option<DateTime<Utc>>, Option<DateTime<Utc>>), Failure> {
    let path = folder.join("accesses.ndjson");
    let mut file = cut(&path, state.accesses.length)?;
    let mut cursor = state.accesses.cursor.clone();
    let (mut length, mut complete, mut count, mut began) = (state.accesses.length, true, 0, None);
    loop {
        let after = cursor.as_ref().map_or(String::new(), |it| format!("&cursor={it}"));
        let what = format!("{LOG}?limit={PAGE}{after}");
        let (bytes, date) = session.get_dated(&what, true).await?;
        let page: Page = serde_json::from_slice(&bytes)
            .map_err(|_| Failure::Answer { what, why: "it is no page of accesses".to_owned() })?;
        began = began.or(date);
        for access in &page.items {
            let number = access.get("number").and_then(Value::as_u64);
            complete &= number.is_some_and(|it| it < size);
            if number.is_none_or(|it| it < size) {
                length += append(&mut file, &path, &access.to_string())?;
            }
        }
        file.sync_all().map_err(Failure::file(&path))?;
        count += page.items.len() as u64;
        progress("accesses", count.min(size), size);
        let Some(next) = page.next else { return Ok((began, page.up_to)) };
        cursor = Some(next);
        // What has no number yet has one the next time: then it goes on before it.
        if complete {
            (state.accesses.length, state.accesses.cursor) = (length, cursor.clone());
            state.save(folder)?;
        }
    }
}

/// Whether there are as many accesses as entries of some.
fn is_whole(folder: &Path) -> Result<bool, Failure> {
    let folder = crate::folder::Folder::new(folder);
    let (mut entered, mut told) = (0, 0);
    let (mut openings, mut accesses) = (folder.openings()?, folder.accesses()?);
    while let Some(line) = openings.next()? {
        entered += u64::from(matches!(Leaf::from_bytes(line.leaf.as_bytes()), Ok(Leaf::Access(_))));
    }
    while let Some(access) = accesses.next()? {
        told += u64::from(access.number.is_some());
    }
    Ok(entered <= told)
}

/// The file, cut back to that length, to be written on.
fn cut(path: &Path, length: u64) -> Result<File, Failure> {
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(Failure::file(path))?;
    file.set_len(length).map_err(Failure::file(path))?;
    Ok(file)
}

/// Writes a line; returns how long it is.
fn append(file: &mut File, path: &Path, line: &str) -> Result<u64, Failure> {
    let line = format!("{line}\n");
    file.write_all(line.as_bytes()).map_err(Failure::file(path))?;
    Ok(line.len() as u64)
}
