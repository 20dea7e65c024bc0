//! Where a lock key stands on the server.

use leasehold::{Error, LockKey, Result};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What a hash tag, a glob, a list of keys or a line of text would take for its own.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'*')
    .add(b',')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'{')
    .add(b'}');

/// The longest prefix, in bytes.
const MAX_PREFIX: usize = 128;

/// Names on the server, all under one prefix: `<prefix>:{<key>}` for a lock key's record, with a suffix for
/// what stands beside it. The braces make it one Cluster slot whatever the key holds.
#[derive(Clone, Debug)]
pub(crate) struct Keyspace {
    prefix: String,
}

impl Keyspace {
    /// Checks the prefix.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '.' | '-' | '/');
        if prefix.is_empty() || prefix.len() > MAX_PREFIX || !prefix.chars().all(fine) {
            let bound = format!("1 to {MAX_PREFIX} bytes of letters, digits and `:_.-/`");
            return Err(Error::invalid("prefix", format_args!("{prefix:?}"), bound));
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    /// The name of the key's record.
    pub(crate) fn record(&self, key: &LockKey) -> String {
        let mut name = String::with_capacity(self.prefix.len() + key.as_str().len() + 3);
        name.push_str(&self.prefix);
        name.push_str(":{");
        name.extend(utf8_percent_encode(key.as_str(), RESERVED));
        name.push('}');
        name
    }

    /// Where it is kept since when an epoch was seen. Without braces, as the next two: no key's name is like it.
    pub(crate) fn epoch(&self, mark: &str) -> String {
        format!("{}:epoch:{mark}", self.prefix)
    }

    /// A name that is no record's, for questions that touch nothing.
    pub(crate) fn probe(&self) -> String {
        format!("{}:probe", self.prefix)
    }

    /// What every name begins with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The channel of one process.
    pub(crate) fn process(&self, process: &str) -> String {
        format!("{}:process:{process}", self.prefix)
    }

    /// The channel on which revocations are told.
    pub(crate) fn revocations(&self) -> String {
        format!("{}:revoked", self.prefix)
    }

    /// The key whose record has this name; `None` if it is no record of this prefix.
    pub(crate) fn key(&self, record: &str) -> Option<LockKey> {
        let encoded = record.strip_prefix(&self.prefix)?.strip_prefix(":{")?.strip_suffix('}')?;
        let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
        // Another spelling of the same key is no name of ours.
        LockKey::new(decoded).ok().filter(|key| self.record(key) == record)
    }

    /// What the server's `MATCH` takes for the names of all records whose keys begin with `prefix`. Nothing in it is a
    /// pattern but the one `*`: the encoding leaves no other special character.
    pub(crate) fn records_under(&self, prefix: &str) -> String {
        format!("{}:{{{}*}}", self.prefix, utf8_percent_encode(prefix, RESERVED))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const AWKWARD: [&str; 12] = [
        "payment:order-123",
        "{tag}",
        "}leading",
        "a}:w",
        "a:w",
        "100%",
        "100%25",
        "glob*?[a]\\",
        "with space",
        "comma,comma",
        "ключ",
        "{",
    ];

    #[test]
    fn every_key_comes_back_from_its_name() -> Result<()> {
        let names = Keyspace::new("lh")?;
        for key in AWKWARD {
            let key = LockKey::new(key)?;
            assert_eq!(names.key(&names.record(&key)), Some(key));
        }
        Ok(())
    }

    #[test]
    fn no_two_keys_share_a_name_or_a_suffix_of_one() -> Result<()> {
        let names = Keyspace::new("lh")?;
        let mut seen = BTreeSet::new();
        for key in AWKWARD {
            let record = names.record(&LockKey::new(key)?);
            for suffix in ["", ":s", ":x", ":w", ":t"] {
                assert!(seen.insert(format!("{record}{suffix}")), "{key} {suffix}");
            }
        }
        Ok(())
    }

    #[test]
    fn the_hash_tag_is_the_whole_encoded_key() -> Result<()> {
        let names = Keyspace::new("lh")?;
        for key in AWKWARD {
            let record = names.record(&LockKey::new(key)?);
            assert_eq!(record.matches('{').count(), 1, "{record}");
            assert_eq!(record.matches('}').count(), 1, "{record}");
            assert!(record.ends_with('}') && !record.contains("{}"), "{record}");
        }
        Ok(())
    }

    #[test]
    fn a_name_that_no_key_has_is_no_record() -> Result<()> {
        let names = Keyspace::new("lh")?;
        for name in
            ["lh:{%61}", "lh:{a}:w", "lh:{}", "lh:{%FF}", "lh:{%0A}", "xx:{a}", "lh:epoch:a"]
        {
            assert_eq!(names.key(name), None, "{name}");
        }
        Ok(())
    }

    #[test]
    fn a_pattern_has_one_star_and_nothing_else_special() -> Result<()> {
        let names = Keyspace::new("lh")?;
        for prefix in AWKWARD.iter().chain(&[""]) {
            let pattern = names.records_under(prefix);
            assert_eq!(pattern.matches(['*', '?', '[', ']', '\\']).count(), 1, "{pattern}");
            assert!(pattern.ends_with("*}"), "{pattern}");
        }
        Ok(())
    }

    #[test]
    fn a_prefix_that_could_break_a_name_is_refused() {
        for prefix in ["", "a{b", "a b", "a*", "a%", "é", &"x".repeat(129)] {
            let error = Keyspace::new(prefix).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains("prefix"), "{error}");
        }
    }
}
