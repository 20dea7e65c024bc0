//! The table of bugs.

/// How a bug is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// By the lock checker, on generated programs.
    Programs,
    /// By the scenario of this name: no history of its own contradicts the specification, because what
    /// goes wrong is that something good does not happen, or not in time.
    Scenario(&'static str),
}

macro_rules! bugs {
    ($($bug:ident $name:literal $guarantee:literal $found_by:expr, $what:literal;)*) => {
        /// One small change to a correct backend.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Bug {
            $(#[doc = $what] $bug,)*
        }

        impl Bug {
            /// Every bug of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$bug),*];

            /// The name, in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$bug => $name,)* }
            }

            /// The guarantee that it breaks.
            #[must_use]
            pub const fn guarantee(self) -> &'static str {
                match self { $(Self::$bug => $guarantee,)* }
            }

            /// What the backend does wrong, in a sentence.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$bug => $what,)* }
            }

            /// The check that finds it.
            #[must_use]
            pub const fn found_by(self) -> FoundBy {
                match self { $(Self::$bug => $found_by,)* }
            }
        }
    };
}

use FoundBy::{Programs, Scenario};

bugs! {
    // Who may be live beside whom, and until when.
    LiveAtItsEnd "live_at_its_end" "G1" Programs, "A lease is still live at the instant of its end.";
    LeaseEndsEarly "lease_ends_early" "G1" Programs, "The server takes a drift margin off the ttl.";
    TtlInWrongUnit "ttl_in_wrong_unit" "G1" Programs, "A ttl in milliseconds is taken as microseconds.";
    TtlRoundedDown "ttl_rounded_down" "G1" Programs, "The ttl is cut to whole seconds.";
    TtlRoundedUp "ttl_rounded_up" "G5" Programs, "The ttl is rounded up to whole seconds.";
    NeverExpires "never_expires" "G5" Programs, "A lease that is not released stays for ever.";
    TtlSetInSecondStep "ttl_set_in_second_step" "G5" Programs, "The key is set first and gets its ttl in a second command, which a dropped call never sends.";
    TtlCountsFromEnqueue "ttl_counts_from_enqueue" "G1" Programs, "The ttl of a waiter runs from when it joined the queue.";
    ChecksThenSets "checks_then_sets" "G1" Programs, "Two commands look whether the key is free and take it.";
    ClientClockDecides "client_clock_decides" "G1" Programs, "The client's own clock, a little ahead, says whether a lease has ended.";
    ServerClockStepsBack "server_clock_steps_back" "G5" Programs, "The server's clock steps back once, and leases live longer.";
    GrantLostByFailover "grant_lost_by_failover" "G1" Programs, "A promoted replica lacks the newest grants.";
    KeysShareOneLock "keys_share_one_lock" "G8" Programs, "All keys are hashed to one lock.";
    // Shared leases.
    WriterBesideReaders "writer_beside_readers" "G1" Programs, "An exclusive lease is granted beside shared ones.";
    ReaderBesideWriter "reader_beside_writer" "G1" Programs, "A shared lease is granted beside an exclusive one.";
    LimitOffByOne "limit_off_by_one" "G1" Programs, "One permit more than the limit is granted.";
    LimitCountsLeases "limit_counts_leases" "G1" Programs, "The limit counts leases, not their permits.";
    LimitOfNewcomerDecides "limit_of_newcomer_decides" "G1" Programs, "Only the limit of the request is looked at, not that of the live leases.";
    ExpiredPermitStaysTaken "expired_permit_stays_taken" "G5" Programs, "A permit whose lease ran out is never returned.";
    DroppedCallLeaksPermit "dropped_call_leaks_permit" "G5" Programs, "A permit is counted before its lease is written, and stays counted if the call dies in between.";
    ReleaseFreesAllShared "release_frees_all_shared" "G4" Programs, "Releasing one shared lease drops all of them.";
    ExtendIgnoresShared "extend_ignores_shared" "G3" Programs, "Extending a shared lease answers well and does nothing.";
    // Several keys.
    OnlyFirstKeyChecked "only_first_key_checked" "G1" Programs, "Of several keys only the first is looked at.";
    PartialGrantStays "partial_grant_stays" "G1" Programs, "A refused request for several keys keeps those that were free.";
    TokenOfFirstKeyOnly "token_of_first_key_only" "G2" Programs, "The token of several keys is above the last one of the first key only.";
    BatchExtendsFirstOnly "batch_extends_first_only" "G3" Programs, "A batch answers for every lease and extends the first.";
    LocksOneByOne "locks_one_by_one" "G7" Scenario("all_or_nothing"), "Several keys are taken one by one, in an order of the caller's, holding what it has.";
    // Tokens.
    TokenStartsAnew "token_starts_anew" "G2" Programs, "The counter lives in the lock's key and goes with it.";
    TokenKeptOverExpiry "token_kept_over_expiry" "G2" Programs, "A lease after one that ran out gets the same token.";
    TokenFromClock "token_from_clock" "G2" Programs, "The token is the clock in milliseconds.";
    TokenForgottenByFailover "token_forgotten_by_failover" "G2" Programs, "A promoted replica starts the counter anew.";
    TokenSharedByReaders "token_shared_by_readers" "G2" Programs, "Shared leases that meet get one token.";
    RevokeResetsToken "revoke_resets_token" "G2" Programs, "A revocation deletes the counter too.";
    // Whose lease it is.
    ReleaseWithoutIdCheck "release_without_id_check" "G4" Programs, "Release frees the key, whoever holds it.";
    ReleaseAppliedLate "release_applied_late" "G4" Programs, "Release answers at once and deletes the key a little later, whoever holds it then.";
    SecondReleaseFreesNext "second_release_frees_next" "G4" Programs, "Releasing a second time frees the next holder.";
    ReleaseClaimsSuccess "release_claims_success" "G8" Programs, "Release says released though nothing was held.";
    ReleaseWithoutEffect "release_without_effect" "G8" Programs, "Release says released and leaves the lease to its ttl.";
    ExtendWithoutIdCheck "extend_without_id_check" "G4" Programs, "Extend lengthens the lease, whoever holds it.";
    IdComparedByPrefix "id_compared_by_prefix" "G4" Programs, "Ids are equal if their first bytes are.";
    // Extending.
    ExtendRevivesExpired "extend_revives_expired" "G3" Programs, "Extending a lease that ran out brings it back if the key is still free.";
    ExtendWithoutEffect "extend_without_effect" "G3" Programs, "Extend says extended and does nothing.";
    ExtendShortens "extend_shortens" "G3" Programs, "Extending by less than what remains cuts the lease short.";
    ExtendAdds "extend_adds" "G5" Programs, "Extending adds the ttl to what remains.";
    ExtendTooLateIsLost "extend_too_late_is_lost" "G8" Programs, "Extending shortly before the end says that the lease is lost.";
    // The same id again.
    RepeatGetsNewToken "repeat_gets_new_token" "G8" Programs, "Asking again for a live lease grants it under a new token.";
    RepeatIsHeld "repeat_is_held" "G8" Programs, "Asking again for a live lease is refused by itself.";
    RepeatDoesNotRefresh "repeat_does_not_refresh" "G8" Programs, "Asking again for a live lease leaves its end where it was.";
    RepeatShortens "repeat_shortens" "G3" Programs, "Asking again for less cuts the lease short.";
    OtherModeAccepted "other_mode_accepted" "G8" Programs, "Asking again in another mode is answered with the live lease.";
    RetryTakesNewId "retry_takes_new_id" "G8" Scenario("retry_after_a_lost_reply"), "The client sends every try under an id of its own, and is kept out by its own ghost.";
    TombstoneMissing "tombstone_missing" "G5" Programs, "An id that was released can be granted again.";
    UnknownIdNotBuried "unknown_id_not_buried" "G5" Programs, "Giving up an id whose acquire has not arrived yet is not remembered.";
    // Minimum hold.
    MinHoldIgnored "min_hold_ignored" "G1" Programs, "Release frees the key during the minimum hold.";
    MinHoldRevived "min_hold_revived" "G5" Programs, "Asking again during the minimum hold gives the released lease back.";
    MinHoldExtended "min_hold_extended" "G3" Programs, "A lease released under a minimum hold can be extended.";
    MinHoldReleasedTwice "min_hold_released_twice" "G4" Programs, "A lease released under a minimum hold can be released again.";
    MinHoldFromRelease "min_hold_from_release" "G5" Programs, "The minimum hold counts from the release.";
    // Refusals.
    RefusedTryTakesKeyLater "refused_try_takes_key_later" "G5" Programs, "A try that was refused gets the key when it becomes free.";
    HeldAfterRelease "held_after_release" "G8" Programs, "A key that was just released is refused for a moment.";
    HeldAlwaysForLease "held_always_for_lease" "G8" Programs, "A refusal because of the queue is said to be because of a lease.";
    // The queue.
    NewcomerBarges "newcomer_barges" "G6" Programs, "A newcomer takes a free key that somebody waits for.";
    LastComeFirstServed "last_come_first_served" "G6" Programs, "The newest waiter is granted first.";
    HeadIsOvertaken "head_is_overtaken" "G6" Programs, "A waiter that fits is granted past one that does not.";
    ReadersStarveWriters "readers_starve_writers" "G6" Scenario("a_writer_is_not_starved"), "Readers are granted past a waiting writer as long as readers hold the key.";
    TimedOutWaiterIsGranted "timed_out_waiter_is_granted" "G5" Programs, "A waiter that timed out stays in the queue.";
    DroppedWaiterIsGranted "dropped_waiter_is_granted" "G5" Scenario("a_dropped_wait_leaves_nothing"), "A waiter whose call was dropped stays in the queue and is granted.";
    TimeoutAsGrant "timeout_as_grant" "G8" Programs, "A wait that ends at its deadline says granted.";
    OneOfPrefixGranted "one_of_prefix_granted" "G7" Scenario("all_that_fit_are_granted"), "A freed key is handed to one waiter, though the next fits too.";
    LostWakeUp "lost_wake_up" "G7" Scenario("wake_up_on_release"), "A waiter is granted and nobody tells it.";
    NoWakeUpOnExpiry "no_wake_up_on_expiry" "G7" Scenario("wake_up_on_expiry"), "Waiters hear of releases, and of nothing when a lease runs out.";
    MissedWhileDisconnected "missed_while_disconnected" "G7" Scenario("wake_up_after_a_reconnect"), "What was announced while the subscription was down is never asked for.";
    DeadlineOverslept "deadline_overslept" "G8" Scenario("a_wait_ends_at_its_deadline"), "A wait ends long after its deadline.";
    GrantDatedLate "grant_dated_late" "G3" Scenario("validity_is_never_longer_than_the_lease"), "A grant to a waiter is dated when the waiter hears of it, not when it was made.";
    // Readings and administration.
    InspectLags "inspect_lags" "G8" Programs, "Inspect reads a replica that lags one write behind.";
    InspectShowsEnded "inspect_shows_ended" "G8" Programs, "Inspect shows leases that have ended.";
    InspectHidesWaiters "inspect_hides_waiters" "G8" Programs, "Inspect says that nobody waits.";
    InspectShowsWholeTtl "inspect_shows_whole_ttl" "G8" Programs, "Inspect shows what was asked as what remains.";
    RevokeLeavesOne "revoke_leaves_one" "G8" Programs, "A revocation of shared leases leaves the last one.";
    RevokeSparesHolds "revoke_spares_holds" "G8" Programs, "A revocation leaves a lease under its minimum hold.";
}
