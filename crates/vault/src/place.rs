//! Where a sealed value stands: what it was sealed for, and will not open without.

/// A place in a database: table, column, and what the row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    bytes: Vec<u8>,
}

impl Place {
    /// The place of a column in the row that these parts name.
    ///
    /// Every part stands behind its length (32 bits, big-endian), so that no two places are written alike.
    pub fn new(table: &str, column: &str, row: &[&[u8]]) -> Self {
        let mut place = Place { bytes: Vec::new() };
        let parts = [b"lindung".as_slice(), table.as_bytes(), column.as_bytes()];
        parts.iter().chain(row).for_each(|it| place.add(it));
        place
    }

    fn add(&mut self, part: &[u8]) {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(part);
    }

    /// The place under a key of that version: the associated data of what is sealed there.
    pub(crate) fn under(&self, version: i32) -> Vec<u8> {
        let mut place = self.clone();
        place.add(&version.to_be_bytes());
        place.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Parts = (String, String, Vec<Vec<u8>>);

    fn place((table, column, row): &Parts) -> Place {
        let row: Vec<&[u8]> = row.iter().map(Vec::as_slice).collect();
        Place::new(table, column, &row)
    }

    fn parts() -> impl Strategy<Value = Parts> {
        ("[ab]{0,3}", "[ab]{0,3}", prop::collection::vec(prop::collection::vec(0_u8..3, 0..4), 0..4))
    }

    proptest! {
        #[test]
        fn no_two_places_are_written_alike(a in parts(), b in parts(), v in 0..3, w in 0..3) {
            let alike = place(&a).under(v) == place(&b).under(w);
            prop_assert_eq!(alike, (a, v) == (b, w));
        }
    }
}
