//! What a preflight says.

use std::fmt;

use leasehold::{Effect, Error, ErrorKind, Result};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Safe, but it will hurt one day.
    Warn,
    /// Not fit for locks as it is.
    Refuse,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        })
    }
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// Whether the server is one that is served.
    Version,
    /// Whether it is a primary that holds every key.
    Role,
    /// Whether it throws keys away when memory is short.
    Eviction,
    /// What it forgets when it restarts.
    Persistence,
    /// What it forgets when a replica takes over.
    Replicas,
    /// How its wall clock compares with this machine's.
    Clock,
    /// What this user may do.
    Permissions,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Version => "version",
            Self::Role => "role",
            Self::Eviction => "eviction",
            Self::Persistence => "persistence",
            Self::Replicas => "replicas",
            Self::Clock => "clock",
            Self::Permissions => "permissions",
        })
    }
}

/// One thing that was found, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// What is so, and what follows from it.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<6} {:<11} {} -> {}", self.severity, self.check, self.reason, self.remedy)
    }
}

/// What [`RedisBackend::preflight`](crate::RedisBackend::preflight) found, the worst first. It prints a line for each finding.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[must_use]
pub struct Preflight {
    findings: Vec<Finding>,
}

impl Preflight {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.check));
        Self { findings }
    }

    /// What was found, the worst first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether nothing was found that makes the server unfit.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.refusals().next().is_none()
    }

    /// What makes the server unfit.
    pub fn refusals(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Refuse)
    }

    /// The same, or the first refusal as an error.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) with the reason and the remedy of the first refusal.
    pub fn or_refuse(self) -> Result<Self> {
        let refused = self.refusals().next().map(|finding| {
            let Finding { check, reason, remedy, .. } = finding;
            let message = format!("the server is not fit for locks: {reason} -> {remedy}");
            let error = Error::new(ErrorKind::Unsupported, Effect::None, message);
            error.with_code(format!("PREFLIGHT {check}"))
        });
        refused.map_or(Ok(self), Err)
    }
}

impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return f.write_str("nothing found");
        }
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}
