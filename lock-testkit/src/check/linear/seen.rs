//! The configurations that were visited: operations done, and state.

use std::collections::HashMap;

use crate::check::hash::FixedState;

/// A set of configurations. They lie one after the other, so that adding one rarely allocates.
#[derive(Debug)]
pub(super) struct Seen<S> {
    /// The last configuration of each hash.
    heads: HashMap<u64, usize, FixedState>,
    /// The states, and the configuration of the same hash before.
    states: Vec<(S, Option<usize>)>,
    /// The operations done, `words` for each configuration.
    done: Vec<u64>,
    words: usize,
}

impl<S: Eq + Clone> Seen<S> {
    /// For sets of operations of so many words.
    pub(super) fn new(words: usize) -> Self {
        Self { heads: HashMap::default(), states: Vec::new(), done: Vec::new(), words }
    }

    /// Adds a configuration with its hash; false if it is there already.
    pub(super) fn insert(&mut self, hash: u64, done: &[u64], state: &S) -> bool {
        let head = self.heads.get(&hash).copied();
        let mut next = head;
        while let Some(index) = next {
            let (its, before) = &self.states[index];
            let words = index * self.words..(index + 1) * self.words;
            if self.done[words] == *done && its == state {
                return false;
            }
            next = *before;
        }
        self.heads.insert(hash, self.states.len());
        self.states.push((state.clone(), head));
        self.done.extend_from_slice(done);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_of_one_hash_are_told_apart() {
        let mut seen = Seen::new(2);
        assert!(seen.insert(7, &[1, 0], &'a'));
        assert!(seen.insert(7, &[0, 1], &'a'));
        assert!(seen.insert(7, &[1, 0], &'b'));
        assert!(!seen.insert(7, &[1, 0], &'a'));
        assert!(!seen.insert(7, &[0, 1], &'a'));
        assert!(!seen.insert(7, &[1, 0], &'b'));
        assert!(seen.insert(8, &[1, 1], &'a'));
    }
}
