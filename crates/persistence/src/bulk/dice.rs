//! Chance that always falls the same way, and the words of what it invents. Nobody in it is real.

/// Numbers that look random and follow from the case's index alone (SplitMix64).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(index: u64) -> Self {
        Dice(index.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }

    /// Whether something happens that happens so many times in a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A place in a list of so many; with `skew` small ones come more often.
    pub(super) fn place(&mut self, count: usize, skew: bool) -> usize {
        let count = count as u64;
        let place = self.below(count);
        let place = if skew { place * self.below(count) / count.max(1) } else { place };
        usize::try_from(place).unwrap_or(0)
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.place(items.len(), false)]
    }

    /// So many sentences.
    pub(super) fn sentences(&mut self, count: usize) -> String {
        (0..count).map(|_| *self.pick(SENTENCES)).collect::<Vec<_>>().join(" ")
    }

    /// A name that nobody has.
    pub(super) fn name(&mut self) -> String {
        format!("{}{} {}", self.pick(SYLLABLES), self.pick(SYLLABLES).to_lowercase(), self.pick(SURNAMES))
    }
}

const SENTENCES: &[&str] = &[
    "Pupil threatened with manipulated images; the account is still active.",
    "Contact began in an online game and moved to a private channel after two weeks.",
    "The child told a counsellor during a routine conversation.",
    "Screenshots were kept by a classmate and handed over in a sealed envelope.",
    "Murid enggan hadir ke sekolah sejak kejadian itu.",
    "Money was asked for twice; nothing was paid.",
    "Peranti telah disimpan dan tidak dihidupkan semula.",
    "The sender used a virtual private network, and part of the conversation was deleted.",
    "A relative noticed the change in behaviour and called the helpline.",
    "Ibu bapa telah dimaklumkan dan bersetuju dengan kaunseling.",
    "The same account approached at least one other pupil of the school.",
    "A safety plan for the way to school was agreed with the class teacher.",
];
const SYLLABLES: &[&str] =
    &["Ara", "Beni", "Cemi", "Dalu", "Esa", "Firo", "Gena", "Hilu", "Inda", "Jara", "Kemi", "Lano"];
const SURNAMES: &[&str] = &["Contoh", "Misalan", "Rekaan", "Olahan", "Andaian", "Ujian"];
