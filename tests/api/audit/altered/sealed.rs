//! Tiles and checkpoints, each by itself.

use lindung_tests::Dice;

use super::{Alteration, Kind, Sealed};

pub(super) const KINDS: &[Kind] = &[
    ("access_tiles: a bit", |_, dice| {
        let at = format!("({} % (8 * length(hashes)))", dice.below(1 << 20));
        let flipped = format!("set_bit(hashes, {at}, 1 - get_bit(hashes, {at}))");
        Alteration::rows(format!("update access_tiles set hashes = {flipped} where {}", tile(dice)))
    }),
    ("access_tiles: deleted", |_, dice| Alteration::rows(format!("delete from access_tiles where {}", tile(dice)))),
    ("access_tiles: truncated", |_, dice| {
        let by = 1 + dice.below(40);
        let shorter = format!("substr(hashes, 1, greatest(0, length(hashes) - {by}))");
        Alteration::rows(format!("update access_tiles set hashes = {shorter} where {}", tile(dice)))
    }),
    ("access_tiles: two swapped", |_, dice| {
        let (one, other) = (tile(dice), tile(dice));
        let other_hashes = format!("(select hashes from access_tiles where {other})");
        Alteration::rows(format!(
            "update access_tiles set hashes = case when {one} then {other_hashes} else (select hashes from access_tiles where {one}) end \
             where ({one}) or ({other})"
        ))
    }),
    ("access_tiles: hashes turned round in one", |_, dice| {
        let at = 1 + 32 * dice.below(20);
        let turned =
            format!("overlay(hashes placing substr(hashes, {0}, 32) || substr(hashes, {at}, 32) from {at})", at + 32);
        Alteration::rows(format!(
            "update access_tiles set hashes = {turned} where level = 0 and index = {}",
            dice.below(2)
        ))
    }),
    ("access_checkpoints: another root", |log, dice| {
        let at = 1 + dice.below(40);
        // Of its third line: the root, in base64.
        let root = "split_part(note, chr(10), 3)";
        let other = format!(
            "translate(substr({root}, {at}, 1), 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef+/', 'BADCFEHGJILKNMPORQTSVUXWZYbadcfe/+')"
        );
        Alteration::rows(format!(
            "update access_checkpoints set note = replace(note, {root}, overlay({root} placing {other} from {at})) where size = {}",
            log.sizes[0]
        ))
    }),
    ("access_checkpoints: another size", |log, _| {
        let [size, _] = log.sizes;
        Alteration::rows(format!(
            "update access_checkpoints set note = replace(note, chr(10) || '{size}' || chr(10), chr(10) || '{}' || chr(10)) \
             where size = {size}",
            size - 1
        ))
    }),
    ("access_checkpoints: the newest deleted", |log, _| Alteration::rows(unsealed(log.sizes[0]))),
    ("access_checkpoints: all deleted", |_, _| {
        Alteration::rows("delete from access_cosignatures; delete from access_checkpoints".to_owned())
    }),
    ("access_checkpoints: the older one in place of the newest", |log, _| {
        let [size, older] = log.sizes;
        Alteration::rows(format!(
            "update access_checkpoints set note = (select note from access_checkpoints where size = {older}) where size = {size}"
        ))
    }),
    ("access_checkpoints: signed again without the end", |log, dice| {
        let size = 1 + i64::try_from(dice.below(u64::try_from(log.sizes[0] - 1).unwrap())).unwrap();
        Alteration::rows(truncated(size)).sealed(Sealed::Again(witnesses(dice)))
    }),
    ("access_checkpoints: everything back to the older one", |log, _| {
        let [size, older] = log.sizes;
        let tiles = format!(
            "update access_tiles set hashes = substr(hashes, 1, 32 * ({older} % 256)) where level = 0 and index = {older} / 256"
        );
        let rest = format!(
            "delete from access_tiles where level = 0 and index > {older} / 256 or level = 1 and {older} < 256"
        );
        Alteration::rows([unsealed(size), truncated(older), tiles, rest].join("; "))
    }),
    ("access_cosignatures: too few", |log, dice| {
        let few = 3 + dice.below(3);
        let some =
            format!("select key from access_cosignatures where size = {0} order by key limit {few}", log.sizes[0]);
        Alteration::rows(format!("delete from access_cosignatures where size = {} and key in ({some})", log.sizes[0]))
    }),
    ("access_cosignatures: a signature", |log, dice| {
        // Behind the key's id, the algorithm and the time: 20 of its base64 digits are those.
        let (at, key) = (30 + dice.below(50), cosigner(log.sizes[0], dice));
        let start = "length(split_part(line, ' ', 1)) + length(split_part(line, ' ', 2)) + 2";
        let other = format!(
            "translate(substr(line, {start} + {at}, 1), 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef+/', 'BADCFEHGJILKNMPORQTSVUXWZYbadcfe/+')"
        );
        Alteration::rows(format!(
            "update access_cosignatures set line = overlay(line placing {other} from {start} + {at}) where {key}"
        ))
    }),
    ("access_cosignatures: of the checkpoint before", |log, dice| {
        let [size, older] = log.sizes;
        let key = cosigner(size, dice);
        Alteration::rows(format!(
            "update access_cosignatures s set line = (select line from access_cosignatures o where o.size = {older} and o.key = s.key) where {key}"
        ))
    }),
];

/// So many witnesses as may conspire.
pub(super) fn witnesses(dice: &mut Dice) -> usize {
    usize::try_from(dice.below(6)).unwrap()
}

/// Which tile.
fn tile(dice: &mut Dice) -> &'static str {
    dice.of::<&str>(&["(level = 0 and index = 0)", "(level = 0 and index = 1)", "(level = 1 and index = 0)"])
}

/// Which witness of a checkpoint.
fn cosigner(size: i64, dice: &mut Dice) -> String {
    let at = dice.below(5);
    format!(
        "size = {size} and key = (select key from access_cosignatures where size = {size} order by key offset {at} limit 1)"
    )
}

fn unsealed(size: i64) -> String {
    format!("delete from access_cosignatures where size = {size}; delete from access_checkpoints where size = {size}")
}

/// Everything from that entry on is gone.
fn truncated(size: i64) -> String {
    let log = format!("delete from access_log where id in (select entry_id from access_leaves where number >= {size})");
    let rest = ["access_openings", "access_leaves"].map(|it| format!("delete from {it} where number >= {size}"));
    format!("{log}; {}", rest.join("; "))
}
