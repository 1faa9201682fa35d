//! The entries against their hashes, and what is told of them against the entries: in one pass, in the order of the log.

use std::collections::{BTreeMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lindung_ledger::bundle;
use lindung_ledger::leaf::{AccessLeaf, Detail, ErasureLeaf, Leaf, Opening};
use lindung_ledger::tree::{Hash, WIDTH, leaf_hash};
use uuid::Uuid;

use super::compare::{differences, moment};
use super::time::Time;
use super::{Counts, Recount};
use crate::access::Access;
use crate::erased::Erased;
use crate::failure::Failure;
use crate::finding::{Findings, Kind};
use crate::folder::{Folder, OpeningLine};

/// What goes on through the pass.
struct Pass<'a> {
    findings: &'a mut Findings,
    time: Time,
    counts: Counts,
    child: Option<(Uuid, Recount)>,
    /// Whether every entry is here, and not those of one agency alone.
    whole: bool,
    seen: HashSet<Uuid>,
    /// Entries without an opening, and whether the API still tells of whom they are: an erasure that names them may come
    /// later.
    unopened: BTreeMap<u64, (Uuid, bool)>,
    /// Entries with one: no erasure may name them.
    opened: Vec<u64>,
    erasures: Vec<[u64; 2]>,
}

/// Looks at every entry.
pub(super) fn verified(
    folder: &Folder,
    hashes: &[Option<Hash>],
    child: Option<Uuid>,
    time: Time,
    findings: &mut Findings,
) -> Result<(Counts, Option<Recount>), Failure> {
    let mut pass = Pass {
        findings,
        time,
        counts: Counts::default(),
        child: child.map(|it| (it, Recount::default())),
        whole: folder.has_bundles(),
        seen: HashSet::new(),
        unopened: BTreeMap::new(),
        opened: Vec::new(),
        erasures: Vec::new(),
    };
    let (mut openings, mut accesses) = (folder.openings()?, folder.numbered(hashes.len() as u64)?);
    for (index, part) in (0_u64..).zip(hashes.chunks(WIDTH.into())) {
        let first = index * u64::from(WIDTH);
        let bundle = pass.bundle(folder, index, part.len())?;
        for ((at, number), hash) in (first..).enumerate().zip(part) {
            let opening = pass.opening(number, openings.up_to(number)?);
            let access = accesses.take(number)?;
            let bundled = bundle.get(at).map(Vec::as_slice);
            let leaf = bundled.or(opening.as_ref().map(|it| it.leaf.as_bytes()));
            let Some(leaf) = leaf else {
                pass.unread(number, access.as_ref());
                continue;
            };
            if hash.is_some_and(|it| it != leaf_hash(leaf)) {
                let id = Leaf::from_bytes(leaf).ok().map(|it| it.id());
                pass.findings.at(Kind::Entry, number, id, "it is not the entry that was hashed");
            }
            if opening.as_ref().is_some_and(|it| it.leaf.as_bytes() != leaf) {
                pass.findings.at(Kind::Opening, number, None, "openings.ndjson has another entry of this number");
            }
            pass.entry(number, leaf, opening.as_ref(), access.as_ref());
        }
    }
    while let Some(opening) = openings.next()? {
        let why = "openings.ndjson has more than the log, or is out of order";
        pass.findings.at(Kind::Opening, opening.number, None, why);
    }
    for (number, id) in &accesses.again {
        pass.findings.at(Kind::Access, *number, Some(*id), "the API's log has this number twice");
    }
    pass.counts.unsealed = accesses.uncovered.len() as u64;
    for (id, at) in accesses.uncovered {
        pass.time.see_uncovered(id, at, pass.findings);
    }
    Ok(pass.end())
}

impl Pass<'_> {
    /// The entries of a bundle, as many as there should be; none where the auditor has none.
    fn bundle(&mut self, folder: &Folder, index: u64, count: usize) -> Result<Vec<Vec<u8>>, Failure> {
        if !self.whole {
            return Ok(Vec::new());
        }
        let width = u16::try_from(count).unwrap_or(WIDTH);
        let bytes = folder.bundle(index, width)?;
        match bytes.as_deref().map(|it| bundle::decode(it, width)) {
            Some(Ok(entries)) => return Ok(entries.into_iter().map(<[u8]>::to_vec).collect()),
            Some(Err(why)) => {
                self.findings.at(Kind::Entry, index * u64::from(WIDTH), None, format!("from here on: {why}"))
            }
            None => {
                self.findings.at(Kind::Entry, index * u64::from(WIDTH), None, "from here on the entries are missing")
            }
        }
        Ok(Vec::new())
    }

    /// The opening of that number, of the lines that come next.
    fn opening(&mut self, number: u64, lines: Vec<OpeningLine>) -> Option<OpeningLine> {
        let mut found = None;
        for line in lines {
            if line.number != number || found.is_some() {
                self.findings.at(Kind::Opening, line.number, None, "openings.ndjson has it twice or out of order");
            } else {
                found = Some(line);
            }
        }
        found
    }

    /// An entry that nobody has shown to this auditor.
    fn unread(&mut self, number: u64, access: Option<&Access>) {
        self.counts.unread += 1;
        if let Some(access) = access {
            let why = "the API's log has it, and its entry is not in the export";
            self.findings.at(Kind::Entry, number, Some(access.id), why);
        }
    }

    /// An entry, with what is told of it.
    fn entry(&mut self, number: u64, leaf: &[u8], opening: Option<&OpeningLine>, access: Option<&Access>) {
        self.counts.entries += 1;
        let leaf = match Leaf::from_bytes(leaf) {
            Ok(leaf) => leaf,
            Err(why) => return self.findings.at(Kind::Leaf, number, access.map(|it| it.id), why.to_string()),
        };
        let id = leaf.id();
        if !self.seen.insert(id) {
            self.findings.at(Kind::Twice, number, Some(id), "an earlier entry has the same id");
        }
        match moment(leaf.at().as_str()) {
            Some(at) => self.time.see(number, id, at, self.findings),
            None => self.findings.at(Kind::Time, number, Some(id), "it is dated with no time that there is"),
        }
        match leaf {
            Leaf::Erasure(erasure) => self.erasure(number, erasure, access),
            Leaf::Access(leaf) => self.accessed(number, &leaf, opening, access),
        }
    }

    fn erasure(&mut self, number: u64, erasure: ErasureLeaf, access: Option<&Access>) {
        let id = Some(erasure.id);
        let [proposer, confirmer] = &erasure.approvers;
        if proposer == confirmer {
            self.findings.at(Kind::Erasure, number, id, "the same officer has proposed and confirmed the erasure");
        }
        // Else one erasure could excuse whatever is lost later.
        if erasure.entries.iter().any(|[_, last]| *last >= number) {
            self.findings.at(Kind::Erasure, number, id, "the erasure names entries that came after it");
        }
        if let Some(access) = access {
            self.findings.at(
                Kind::Access,
                number,
                Some(access.id),
                "the API's log has an access where an erasure was entered",
            );
        }
        self.erasures.extend(erasure.entries);
    }

    fn accessed(&mut self, number: u64, leaf: &AccessLeaf, line: Option<&OpeningLine>, access: Option<&Access>) {
        let id = Some(leaf.id);
        let opening = line.and_then(|it| it.salt.as_deref().zip(it.detail.as_deref()));
        let mut detail = None;
        match opening {
            None => drop(self.unopened.insert(number, (leaf.id, access.is_some_and(tells)))),
            Some((salt, text)) => {
                self.opened.push(number);
                let salt = STANDARD.decode(salt).ok().and_then(|it| it.try_into().ok());
                let opening = salt.map(|salt| Opening { salt, detail: text.as_bytes().to_vec() });
                match (opening.is_some_and(|it| it.opens(&leaf.detail)), Detail::from_bytes(text.as_bytes())) {
                    (true, Ok(it)) => {
                        self.counts.opened += 1;
                        detail = Some(it);
                    }
                    (true, Err(why)) => self.findings.at(Kind::Opening, number, id, why.to_string()),
                    (false, _) => self.findings.at(Kind::Opening, number, id, "its opening does not open it"),
                }
            }
        }
        match access {
            None => self.findings.at(Kind::MissingAccess, number, id, "the API's log does not have it"),
            Some(access) => {
                self.counts.accesses += 1;
                let differ = differences(access, leaf, detail.as_ref(), !self.whole);
                if !differ.is_empty() {
                    self.findings.at(Kind::Access, number, Some(access.id), differ.join("; "));
                }
            }
        }
        if let Some((child, recount)) = &mut self.child {
            let entered = detail.as_ref().is_some_and(|it| it.child_ids.contains(child));
            let told = detail.is_some() && access.is_some_and(|it| it.child_ids.contains(child));
            recount.entered += u64::from(entered);
            recount.told += u64::from(told);
            if entered != told {
                let why = if entered {
                    "it shows the child, and the API's answer does not have it"
                } else {
                    "the API's answer has it, and it does not show the child"
                };
                self.findings.at(Kind::Child, number, id, why);
            }
        }
    }

    /// What can be told only once every entry was seen.
    fn end(mut self) -> (Counts, Option<Recount>) {
        let erased = Erased::by(&self.erasures);
        for (number, (id, told)) in &self.unopened {
            if !erased.has(*number) {
                let why = "its opening is missing, and no erasure names it";
                self.findings.at(Kind::MissingOpening, *number, Some(*id), why);
                continue;
            }
            self.counts.erased += 1;
            if *told {
                let why = "an erasure names it, and the API's log still tells of whom it is";
                self.findings.at(Kind::Erasure, *number, Some(*id), why);
            }
        }
        for number in self.opened.iter().filter(|it| erased.has(**it)) {
            self.findings.at(Kind::Erasure, *number, None, "an erasure names it, and its opening is still there");
        }
        self.time.end(self.findings);
        (self.counts, self.child.map(|(_, it)| it))
    }
}

/// Whether an access tells of whom it is.
fn tells(access: &Access) -> bool {
    let Access { target, case_ids, child_ids, sections, .. } = access;
    target.is_some() || !case_ids.is_empty() || !child_ids.is_empty() || !sections.is_empty()
}
