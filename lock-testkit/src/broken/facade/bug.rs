//! The table of façade bugs.

macro_rules! facade_bugs {
    ($($bug:ident $name:literal $guarantee:literal, $what:literal;)*) => {
        /// One small change to a correct holder of leases: what a façade, or a client of one's own, does wrong on a
        /// correct backend.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FacadeBug {
            $(#[doc = $what] $bug,)*
        }

        impl FacadeBug {
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

            /// What the holder does wrong, in a sentence.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$bug => $what,)* }
            }
        }
    };
}

facade_bugs! {
    // Until when it believes.
    DeadlineFromReply "deadline_from_reply" "G3", "Validity counts from when the reply came, not from before the request was sent.";
    DeadlineOnWallClock "deadline_on_wall_clock" "G3", "Validity is counted on the wall clock, which can be set back.";
    NoDriftMargin "no_drift_margin" "G3", "Nothing is taken off the ttl for clocks that run at different rates.";
    LossToldByRenewalOnly "loss_told_by_renewal_only" "G3", "A lease that is kept alive is believed in until a renewal is refused.";
    ValidityByTimer "validity_by_timer" "G3", "Validity is a flag that a timer clears; whoever was paused wakes up with it set.";
    BelievesUntilReleaseAnswered "believes_until_release_answered" "G3", "The lease is believed in until its release is answered, not until it is sent.";
    // Renewal.
    RenewalAnswerIgnored "renewal_answer_ignored" "G3", "Any answer to a renewal counts as an extension, also that the lease is lost.";
    UnknownRenewalCounts "unknown_renewal_counts" "G3", "A renewal without an answer counts as an extension.";
    RenewsByAcquiring "renews_by_acquiring" "G3", "A renewal asks for the lease again, and one that ran out comes back under a token that nobody looks at.";
    RenewsAfterDrop "renews_after_drop" "G5", "Renewal goes on after the guard was dropped.";
    // Clean-up.
    DroppedLeaseStays "dropped_lease_stays" "G5", "A guard that is dropped releases nothing.";
    DroppedAcquireStays "dropped_acquire_stays" "G5", "An acquire that is dropped on its way is not given up.";
    UnknownAcquireStays "unknown_acquire_stays" "G5", "An acquire without an answer is not given up; the next try has another id.";
    CleanUpOvertakes "clean_up_overtakes" "G5", "The clean-up of an acquire releases only what is there: when it overtakes the acquire, it does nothing.";
    // Whose lease it is.
    IdsFromCounter "ids_from_counter" "G4", "Lease ids are counted from one in every process, so that two clients have the same.";
    WritesWithoutToken "writes_without_token" "G9", "What the lock protects is written without the token, after a check of the lease.";
}
