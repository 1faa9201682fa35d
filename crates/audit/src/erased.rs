//! Which entries erasures name: there may be as many as entries.

/// The entries, as ranges in order and apart.
pub(crate) struct Erased(Vec<[u64; 2]>);

impl Erased {
    /// Those of all these ranges, which include both ends.
    pub(crate) fn by(ranges: &[[u64; 2]]) -> Self {
        let mut sorted = ranges.to_vec();
        sorted.sort_unstable();
        let mut apart: Vec<[u64; 2]> = Vec::new();
        for [first, last] in sorted {
            match apart.last_mut() {
                Some([_, end]) if first <= *end => *end = last.max(*end),
                _ => apart.push([first, last]),
            }
        }
        Erased(apart)
    }

    /// Whether the opening of that entry was destroyed.
    pub(crate) fn has(&self, number: u64) -> bool {
        let after = self.0.partition_point(|[first, _]| *first <= number);
        after.checked_sub(1).and_then(|it| self.0.get(it)).is_some_and(|[_, last]| number <= *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_several_erasures_may_overlap() {
        let erased = Erased::by(&[[7, 9], [1, 2], [8, 12], [8, 8], [20, 20]]);
        let named: Vec<u64> = (0..30).filter(|it| erased.has(*it)).collect();
        assert_eq!(named, [1, 2, 7, 8, 9, 10, 11, 12, 20]);
        assert!(!Erased::by(&[]).has(0));
    }
}
