//! Whether a server is fit for locks, asked before it is relied on.

mod facts;
mod finding;
mod judge;
mod permissions;

use leasehold::Result;

pub use finding::{Check, Finding, Preflight, Severity};

use crate::{connect::Target, core::Core};
use facts::Facts;

/// What to do about a server whose settings are not fit for locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum UnsafeSettings {
    /// Do not connect.
    #[default]
    Refuse,
    /// Connect, and say it in the log.
    Warn,
    /// Don't look.
    Ignore,
}

impl UnsafeSettings {
    pub(crate) const NAMES: &str = "refuse, warn or ignore";

    /// Reads one of [`NAMES`](Self::NAMES).
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self::Refuse),
            "warn" => Some(Self::Warn),
            "ignore" => Some(Self::Ignore),
            _ => None,
        }
    }
}

/// Everything there is to find.
pub(crate) async fn preflight(core: &Core, target: &Target) -> Result<Preflight> {
    // A connection of its own: it is in a transaction for a moment.
    let mut link = target.dial_once().await?;
    let mut facts = Facts::from_info(&mut link, target.quarantine()).await?;
    facts.add_settings(&mut link).await;
    facts.add_clock(&mut link, &core.runtime).await;
    let mut findings = judge::by_info(&facts);
    findings.extend(judge::by_settings(&facts));
    findings.extend(permissions::check(&mut link, &core.names, target.user()).await?);
    Ok(Preflight::new(findings))
}

/// What a new backend looks at: that the server silently throws no locks away. Everything else that is unfit shows by itself.
pub(crate) async fn gate(core: &Core, target: &Target, policy: UnsafeSettings) -> Result<()> {
    if policy == UnsafeSettings::Ignore {
        return Ok(());
    }
    let mut link = core.lanes.first().await?;
    let facts = Facts::from_info(&mut link, target.quarantine()).await?;
    let mut findings = judge::by_info(&facts);
    findings.retain(|finding| finding.check == Check::Eviction);
    let found = Preflight::new(findings);
    for finding in found.findings() {
        tracing::warn!(reason = finding.reason, remedy = finding.remedy, "unsafe server setting");
    }
    if policy == UnsafeSettings::Warn {
        return Ok(());
    }
    found.or_refuse().map(drop)
}
