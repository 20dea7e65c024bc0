//! Runs cases: one by name, or all into a report.

use std::{
    any::Any,
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use leasehold::{Capability, Clock as _, LockBackend as _, runtime::SystemClock, timeout_at};

use super::{Case, Fixture, Running, trial::Trial};

/// A case that takes longer hangs.
const HUNG: Duration = Duration::from_secs(180);

/// What came of each case.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Report {
    /// The cases that passed.
    pub passed: Vec<&'static str>,
    /// The cases that failed, each with what it said.
    pub failed: Vec<(&'static str, String)>,
    /// The cases left out, each with the first capability that the backend lacks.
    pub skipped: Vec<(&'static str, Capability)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, message) in &self.failed {
            writeln!(f, "{name}: {message}")?;
        }
        let (passed, failed) = (self.passed.len(), self.failed.len());
        write!(f, "{passed} passed, {failed} failed, {} skipped", self.skipped.len())?;
        let lacks: BTreeSet<_> = self.skipped.iter().map(|(_, lacks)| lacks.name()).collect();
        if !lacks.is_empty() {
            let lacks: Vec<_> = lacks.into_iter().collect();
            write!(f, " (no {})", lacks.join(", no "))?;
        }
        Ok(())
    }
}

/// The whole suite at once.
#[derive(Clone, Copy, Debug)]
pub struct Suite;

impl Suite {
    /// Runs every case that the backend's capabilities allow, and does not stop at a failure.
    ///
    /// # Panics
    /// Within a tokio runtime: each case gets one of its own.
    pub fn run_all(fixture: &impl Fixture) -> Report {
        Self::run_those(fixture, |_| true)
    }

    /// Runs those cases that `choose` picks by name.
    ///
    /// # Panics
    /// As [`run_all`](Self::run_all).
    pub fn run_those(fixture: &impl Fixture, choose: impl Fn(&str) -> bool) -> Report {
        let capabilities = on_tokio(async { fixture.start().await.backend.capabilities() });
        let mut report = Report::default();
        for case in Case::all().iter().filter(|case| choose(case.name())) {
            let lacks = case.needs().iter().find(|needed| !capabilities.has(**needed));
            if let Some(lacks) = lacks {
                report.skipped.push((case.name(), *lacks));
                continue;
            }
            match catch_unwind(AssertUnwindSafe(|| run(fixture, case))) {
                Ok(()) => report.passed.push(case.name()),
                Err(panic) => report.failed.push((case.name(), said(&*panic))),
            }
        }
        report
    }
}

/// Runs the case of this name: what a test made by [`conformance!`](crate::conformance) does.
///
/// # Panics
/// If the backend breaks the promise, or no case has the name.
pub fn run_case(fixture: &impl Fixture, name: &str) {
    let Some(case) = Case::named(name) else {
        panic!("no case is named {name}");
    };
    run(fixture, case);
}

/// Compares what was left out with what the backend lacks.
///
/// # Panics
/// If they differ.
pub fn check_without(fixture: &impl Fixture, without: &[&str]) {
    let capabilities = on_tokio(async { fixture.start().await.backend.capabilities() });
    let lacks = Capability::ALL.into_iter().filter(|capability| !capabilities.has(*capability));
    let lacks: BTreeSet<_> = lacks.map(Capability::name).collect();
    let without: BTreeSet<_> = without.iter().copied().collect();
    assert_eq!(without, lacks, "left out, and what the backend lacks, differ");
}

fn run(fixture: &impl Fixture, case: &Case) {
    on_tokio(async {
        let mut running: Running<_> = fixture.start().await;
        // The guard outlives the backend, also when the case panics.
        let _guard = running.guard.take();
        let trial = Trial::new(running);
        let clock = SystemClock::new();
        let deadline = clock.now() + HUNG;
        let ended = timeout_at(&clock, deadline, case.run(&trial)).await;
        assert!(ended.is_some(), "the case hangs: no end after {HUNG:?}");
    });
}

#[expect(clippy::expect_used, reason = "without a runtime there is nothing to test with")]
fn on_tokio<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a single-threaded tokio runtime starts").block_on(future)
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("panicked").to_owned()
}
