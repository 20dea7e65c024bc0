//! Tokens by label: which they are is the implementation's affair, how they compare is not.

use std::collections::BTreeMap;

use leasehold::{FencingToken, LockKey};

/// What the labels of one vector stand for.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    of: BTreeMap<u32, FencingToken>,
    on: BTreeMap<LockKey, BTreeMap<u32, FencingToken>>,
}

impl Tokens {
    /// A grant on these keys: the same label is the same token, and on each key a greater label is a greater token.
    pub(super) fn granted(
        &mut self,
        keys: &[LockKey],
        label: u32,
        token: FencingToken,
    ) -> Result<(), String> {
        self.is(label, token)?;
        self.of.insert(label, token);
        for key in keys {
            let others = self.on.entry(key.clone()).or_default();
            for (other, its) in &*others {
                if other.cmp(&label) != its.cmp(&token) {
                    return Err(format!(
                        "token {label} is {token}, and on {key} token {other} is {its}"
                    ));
                }
            }
            others.insert(label, token);
        }
        Ok(())
    }

    /// A token that is shown is the one that was granted under this label.
    pub(super) fn is(&self, label: u32, token: FencingToken) -> Result<(), String> {
        match self.of.get(&label) {
            Some(known) if *known != token => {
                Err(format!("token {label} was {known}, and is {token} now"))
            }
            _ => Ok(()),
        }
    }
}
