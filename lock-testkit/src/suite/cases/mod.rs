//! The cases: each proves one promise of the contract, and is named by the guarantee it belongs to.

pub(crate) mod cancellation;
pub(crate) mod downgrade;
pub(crate) mod exclusion;
pub(crate) mod expiry;
pub(crate) mod extend;
pub(crate) mod extras;
pub(crate) mod fencing;
pub(crate) mod identity;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod min_hold;
pub(crate) mod ownership;
pub(crate) mod queue;
pub(crate) mod several_keys;
pub(crate) mod shared;
pub(crate) mod waiting;
