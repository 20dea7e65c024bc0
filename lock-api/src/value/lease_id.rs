//! The proof of possession.

use std::fmt;

use crate::runtime::Entropy;

/// 128 random bits that name one acquisition: the only proof that a lease is yours.
///
/// An id stands for one acquisition and is never granted again after its release or after its
/// waiter gave up. Whoever knows an id can extend and release its lease, so it is never printed
/// whole: [`Display`](fmt::Display) and [`Debug`](fmt::Debug) show the first four bytes.
/// It guards against accidents, not against a peer that may write to the same server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId([u8; 16]);

impl LeaseId {
    /// Draws a new id.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// An id with these bytes, for backends that read ids back and for tests.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The secret itself. For a backend's wire; never for a log.
    #[must_use]
    pub const fn expose_bytes(&self) -> [u8; 16] {
        self.0
    }

    /// The secret as 32 hexadecimal digits. For a backend's wire; never for a log.
    #[must_use]
    pub fn expose_hex(&self) -> String {
        hex(&self.0)
    }

    /// Reads what [`expose_hex`](Self::expose_hex) wrote; `None` if it is anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        // `from_str_radix` alone would take a sign and capitals too: two spellings of one id.
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(digit) {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, at) in bytes.iter_mut().zip((0..32).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", hex(&self.0[..4]))
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeaseId({self})")
    }
}
