//! The values that requests and outcomes are made of: each is validated when it is built, so a
//! backend never sees a bad one.

mod fencing_token;
mod holder;
mod lease_id;
mod lock_key;
mod mode;
mod ttl;

pub use fencing_token::FencingToken;
pub use holder::Holder;
pub use lease_id::LeaseId;
pub use lock_key::{IntoLockKey, LockKey};
pub use mode::{Limit, Mode};
pub use ttl::Ttl;
