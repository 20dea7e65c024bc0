//! The suite's own test: backends with one flaw each, and every one fails a case of the guarantee it breaks.

#![expect(clippy::unwrap_used, reason = "a broken backend may well panic")]

mod flawed {
    pub(crate) mod map;
    pub(crate) mod wrapped;
}

use flawed::{
    map::{Flaw, FlawedMap},
    wrapped::{Taken, Wrapped},
};
use leasehold::{LockBackend, Runtime};
use leasehold_memory::MemoryBackend;
use leasehold_testkit::suite::{Fixture, Report, Running, Suite};

struct Map(Option<Flaw>);

impl Fixture for Map {
    type Backend = FlawedMap;

    async fn start(&self) -> Running<FlawedMap> {
        let (runtime, clock) = Runtime::manual(7);
        Running::on_virtual_time(FlawedMap::new(runtime, self.0), clock)
    }
}

struct Wrap(Option<Taken>);

impl Fixture for Wrap {
    type Backend = Wrapped;

    async fn start(&self) -> Running<Wrapped> {
        let (memory, clock) = MemoryBackend::manual(7);
        Running::on_virtual_time(Wrapped::new(memory, self.0), clock)
    }
}

#[test]
fn a_backend_without_a_flaw_passes() {
    passes(&Suite::run_all(&Map(None)));
    passes(&Suite::run_all(&Wrap(None)));
}

fn passes(report: &Report) {
    assert!(report.failed.is_empty(), "a false alarm: {report}");
    assert!(report.passed.len() > 50, "a vacuous run: {report}");
}

fn is_caught<B: LockBackend>(fixture: &impl Fixture<Backend = B>, guarantee: &str) {
    // Only the cases of the broken guarantee: that they notice is what is claimed.
    let report = Suite::run_those(fixture, |name| name.starts_with(guarantee));
    let by: Vec<_> = report.failed.iter().map(|(name, _)| name).collect();
    assert!(!by.is_empty(), "no case of {guarantee} fails: {report}");
}

macro_rules! caught {
    ($make:ident, $flaws:ident: $($test:ident $flaw:ident $guarantee:literal,)*) => {$(
        #[test]
        fn $test() {
            is_caught(&$make(Some($flaws::$flaw)), $guarantee);
        }
    )*};
}

caught! { Map, Flaw:
    release_without_id_check ReleaseWithoutIdCheck "g4",
    release_always_says_released ReleaseAlwaysSaysReleased "g4",
    release_of_an_ended_lease_succeeds ReleaseOfAnEndedLease "g4",
    live_at_its_end LiveAtItsEnd "g1",
    dead_before_its_end DeadBeforeItsEnd "g1",
    never_expires NeverExpires "g1",
    ttl_rounded_up_to_seconds TtlRoundedUp "g1",
    ttl_rounded_down_to_milliseconds TtlRoundedDown "g1",
    grants_beside_a_live_lease GrantsBeside "g1",
    held_try_takes_over HeldTryTakesOver "g1",
    keys_fold_case KeysFoldCase "g1",
    keys_are_trimmed KeysAreTrimmed "g1",
    token_reused_after_release TokenReusedAfterRelease "g2",
    token_reset_by_expiry TokenResetByExpiry "g2",
    token_shown_is_another TokenShownIsAnother "g2",
    extend_resurrects ExtendResurrects "g3",
    extend_without_id_check ExtendWithoutIdCheck "g4",
    extend_shortens ExtendShortens "g3",
    extend_has_no_effect ExtendHasNoEffect "g3",
    extend_creates ExtendCreates "g3",
    extend_renews_age ExtendRenewsAge "g2",
    since_after_the_grant SinceAfterTheGrant "g3",
    repeat_is_held RepeatIsHeld "g8",
    repeat_gets_a_new_token RepeatGetsANewToken "g8",
    repeat_shortens RepeatShortens "g8",
    repeat_does_not_refresh RepeatDoesNotRefresh "g8",
    released_id_is_granted_again NoTombstone "g5",
    overtaken_acquire_is_granted NoTombstoneBeforeAcquire "g5",
    free_key_times_out_after_the_deadline FreeKeyTimesOut "g7",
    wait_never_looks_again WaitNeverLooksAgain "g7",
    wait_ends_too_soon WaitEndsTooSoon "g8",
    wait_forgets_its_deadline WaitForgetsItsDeadline "g8",
    timed_out_wait_takes_the_key TimedOutWaitTakesTheKey "g5",
    dropped_wait_goes_on DroppedWaitGoesOn "g5",
    ended_lease_is_shown EndedLeaseIsShown "g1",
    held_hides_the_holder HeldHidesTheHolder "g8",
    retry_after_too_late RetryAfterTooLate "g8",
    shared_request_taken_for_exclusive SharedTakenForExclusive "g8",
    claims_administration ClaimsAdministration "g8",
}

caught! { Wrap, Taken:
    queue_that_polls QueuePolls "g6",
    revocation_does_nothing RevokeDoesNothing "g1",
    a_listing_stops_after_a_page ListStopsAfterAPage "g8",
    a_listing_ignores_the_prefix ListIgnoresThePrefix "g8",
    a_listing_takes_a_star_for_anything ListTakesAStarForAnything "g8",
    a_listing_forgets_the_waiters ListForgetsWaiters "g8",
    batch_answers_backwards BatchAnswersBackwards "g4",
    batch_stops_at_the_first_loss BatchStopsAtALoss "g4",
    several_keys_one_by_one SeveralKeysOneByOne "g1",
    only_the_first_of_several_keys OnlyTheFirstKey "g1",
    minimum_hold_ignored MinHoldIgnored "g1",
    permits_count_as_one PermitsCountAsOne "g1",
    limit_ignored LimitIgnored "g1",
    readers_exclude_each_other ReadersExcludeEachOther "g1",
    waiters_hidden WaitersHidden "g6",
    inspect_shows_released_as_held ReleasedShownAsHeld "g1",
    batch_not_declared BatchNotDeclared "g8",
}
