//! A hasher without random state, so that runs are repeatable.

use std::hash::{BuildHasherDefault, Hasher};

/// Multiplies and rotates; made for short keys, not against adversaries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FixedHasher(u64);

/// Builds [`FixedHasher`]s.
pub(super) type FixedState = BuildHasherDefault<FixedHasher>;

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl FixedHasher {
    #[inline]
    pub(super) fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for FixedHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        self.mix(bytes.len() as u64);
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.mix(u64::from(word));
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
