//! The one stream of small numbers that decides everything in a run.

use std::{fmt, str::FromStr};

use crate::generate::mix;

/// The choices of a run, in the order in which they were made; 0 is always the plainest: first come first served, no delay,
/// no fault. Beyond the end every choice is 0.
///
/// A run records what it chose, and a run that is given the record repeats it. Its text is short: numbers with commas,
/// where `0x5` stands for five zeros.
///
/// ```
/// use leasehold_testkit::sim::Choices;
///
/// let choices: Choices = "3,0x4,1".parse()?;
/// assert_eq!(choices, Choices::from([3, 0, 0, 0, 0, 1, 0]));
/// assert_eq!(choices.to_string(), "3,0x4,1");
/// # Ok::<(), leasehold_testkit::sim::ParseChoicesError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choices(Vec<u32>);

impl Choices {
    /// The numbers, without the zeros at the end.
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }

    /// How many choices are not the plainest.
    #[must_use]
    pub fn unusual(&self) -> usize {
        self.0.iter().filter(|choice| **choice != 0).count()
    }

    /// The first `count` choices; the rest is plain.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        Self::from(&self.0[..count.min(self.0.len())])
    }

    /// The same choices, but those from `from` up to, but not, `to` are plain.
    #[must_use]
    pub fn plain_in(&self, from: usize, to: usize) -> Self {
        let plain = |(place, choice): (usize, &u32)| {
            if (from..to).contains(&place) { 0 } else { *choice }
        };
        self.0.iter().enumerate().map(plain).collect()
    }
}

impl<T: AsRef<[u32]>> From<T> for Choices {
    fn from(numbers: T) -> Self {
        numbers.as_ref().iter().copied().collect()
    }
}

impl FromIterator<u32> for Choices {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut numbers: Vec<_> = numbers.into_iter().collect();
        let zeros = numbers.iter().rev().take_while(|choice| **choice == 0).count();
        numbers.truncate(numbers.len() - zeros);
        Self(numbers)
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for run in self.0.chunk_by(|one, other| *one == 0 && *other == 0) {
            match run {
                [one] => write!(f, "{between}{one}")?,
                zeros => write!(f, "{between}0x{}", zeros.len())?,
            }
            between = ",";
        }
        Ok(())
    }
}

/// A text that is no list of choices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no choices: a number or `0x` with a count up to 10000000 is expected, at `{0}`")]
pub struct ParseChoicesError(String);

/// More choices than any run makes.
const MOST: usize = 10_000_000;

impl FromStr for Choices {
    type Err = ParseChoicesError;

    fn from_str(text: &str) -> Result<Self, ParseChoicesError> {
        let mut numbers = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let bad = || ParseChoicesError(part.to_owned());
            match part.strip_prefix("0x") {
                Some(count) => {
                    let count: usize = count.parse().map_err(|_| bad())?;
                    if numbers.len().saturating_add(count) > MOST {
                        return Err(bad());
                    }
                    numbers.resize(numbers.len() + count, 0);
                }
                None => numbers.push(part.parse().map_err(|_| bad())?),
            }
        }
        Ok(numbers.into_iter().collect())
    }
}

/// Where the choices of a run come from, and what was chosen so far.
#[derive(Debug)]
pub(super) struct Chooser {
    source: Source,
    made: Vec<u32>,
}

#[derive(Debug)]
enum Source {
    /// The state of a SplitMix64 generator.
    Seed(u64),
    Given(Choices),
}

impl Chooser {
    pub(super) const fn seeded(seed: u64) -> Self {
        Self { source: Source::Seed(seed), made: Vec::new() }
    }

    pub(super) const fn given(choices: Choices) -> Self {
        Self { source: Source::Given(choices), made: Vec::new() }
    }

    /// A number below `count`; nothing is drawn where there is no choice.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        if count < 2 {
            return 0;
        }
        let choice = match &mut self.source {
            Source::Seed(state) => draw(state, count),
            Source::Given(given) => given.0.get(self.made.len()).map_or(0, |it| it % count),
        };
        self.made.push(choice);
        choice
    }

    /// Yes in so many of a thousand cases.
    pub(super) fn odds(&mut self, per_mille: u32) -> bool {
        if per_mille == 0 {
            return false;
        }
        let choice = match &mut self.source {
            Source::Seed(state) => u32::from(draw(state, 1_000) < per_mille),
            Source::Given(given) => given.0.get(self.made.len()).map_or(0, |it| it % 2),
        };
        self.made.push(choice);
        choice == 1
    }

    /// What was chosen.
    pub(super) fn made(self) -> Choices {
        self.made.into_iter().collect()
    }
}

/// A number below `count`, and the next state.
fn draw(state: &mut u64, count: u32) -> u32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let high = mix(*state) >> 32;
    // Lemire 2019: the high half of the product is uniform enough for a fault.
    u32::try_from((high * u64::from(count)) >> 32).unwrap_or(0)
}
