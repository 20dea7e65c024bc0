//! The cases as values.

use futures::future::BoxFuture;
use leasehold::Capability;

use super::{cases, trial::Trial};

/// One promise of the contract, and the code that puts a backend to the test.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    needs: &'static [Capability],
    run: fn(&Trial) -> BoxFuture<'_, ()>,
}

impl Case {
    /// Every case there is, family by family.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        CASES
    }

    /// The case of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
    }

    /// The promise, as a sentence; it begins with the guarantee.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The guarantee that it proves: `G1` to `G8`.
    #[must_use]
    pub fn guarantee(&self) -> String {
        self.name.chars().take(2).collect::<String>().to_uppercase()
    }

    /// What a backend must be able to do for it.
    #[must_use]
    pub const fn needs(&self) -> &'static [Capability] {
        self.needs
    }

    pub(crate) async fn run(&self, trial: &Trial) {
        (self.run)(trial).await;
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

macro_rules! capability {
    (queue) => {
        Capability::Queue
    };
    (shared) => {
        Capability::Shared
    };
    (several_keys) => {
        Capability::SeveralKeys
    };
    (min_hold) => {
        Capability::MinHold
    };
    (revoke) => {
        Capability::Revoke
    };
    (batch) => {
        Capability::Batch
    };
    (downgrade) => {
        Capability::Downgrade
    };
}

macro_rules! table {
    ({} $($family:ident::$case:ident [$($needs:ident)*],)*) => {
        &[$(Case {
            name: stringify!($case),
            needs: &[$(capability!($needs)),*],
            run: |trial| Box::pin(cases::$family::$case(trial)),
        }),*]
    };
}

const CASES: &[Case] = crate::__conformance_cases! { [table] {} };
