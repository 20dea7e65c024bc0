//! The macro that enrols a backend.

/// Enrols a backend: makes one test of each case, named as the case.
///
/// Give it an expression that makes a [`Fixture`](crate::suite::Fixture); it is made anew for every case. What a
/// backend does not declare among its [`Capabilities`](leasehold::Capabilities) is listed with the reason:
/// the cases that need it become ignored tests which say it. One more test, `the_without_list_is_exactly_what_the_backend_lacks`,
/// fails if the list names too much or too little.
///
/// ```
/// # mod conformance {
/// # use leasehold_testkit::suite::{Fixture, Running};
/// # use leasehold_testkit::mock::MockLockBackend;
/// # struct MyFixture;
/// # impl Fixture for MyFixture {
/// #     type Backend = MockLockBackend;
/// #     async fn start(&self) -> Running<MockLockBackend> { unreachable!() }
/// # }
/// leasehold_testkit::conformance!(MyFixture, without = [
///     queue: "waits by polling",
///     revoke: "has no administration",
/// ]);
/// # }
/// ```
///
/// One backend in several shapes, or two backends, each go into a module of their own:
///
/// ```
/// # use leasehold_testkit::suite::{Erased, Fixture, InArc, Running};
/// # use leasehold_testkit::mock::MockLockBackend;
/// # struct MyFixture;
/// # impl Fixture for MyFixture {
/// #     type Backend = MockLockBackend;
/// #     async fn start(&self) -> Running<MockLockBackend> { unreachable!() }
/// # }
/// mod in_arc {
///     # use super::*;
///     leasehold_testkit::conformance!(InArc(MyFixture));
/// }
/// mod erased {
///     # use super::*;
///     leasehold_testkit::conformance!(Erased(MyFixture));
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance {
    ($fixture:expr $(,)?) => {
        $crate::conformance!($fixture, without = []);
    };
    ($fixture:expr, without = [$($capability:ident: $why:literal),* $(,)?] $(,)?) => {
        #[test]
        fn the_without_list_is_exactly_what_the_backend_lacks() {
            $crate::suite::check_without(&$fixture, &[$(stringify!($capability)),*]);
        }

        $crate::__conformance_without! {
            [$($capability $why)*] {$fixture} [] [] [] [] [] [] []
        }
    };
}

/// Sorts the reasons into seven places: queue, shared, several keys, minimum hold, revoke, batch,
/// downgrade.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_without {
    ([queue $why:literal $($more:tt)*] $f:tt [] $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt) => {
        $crate::__conformance_without! { [$($more)*] $f [$why] $s $k $m $r $b $d }
    };
    ([shared $why:literal $($more:tt)*] $f:tt $q:tt [] $k:tt $m:tt $r:tt $b:tt $d:tt) => {
        $crate::__conformance_without! { [$($more)*] $f $q [$why] $k $m $r $b $d }
    };
    ([several_keys $why:literal $($more:tt)*] $f:tt $q:tt $s:tt [] $m:tt $r:tt $b:tt $d:tt) => {
        $crate::__conformance_without! { [$($more)*] $f $q $s [$why] $m $r $b $d }
    };
    ([min_hold $why:literal $($more:tt)*] $f:tt $q:tt $s:tt $k:tt [] $r:tt $b:tt $d:tt) => {
        $crate::__conformance_without! { [$($more)*] $f $q $s $k [$why] $r $b $d }
    };
    ([revoke $why:literal $($more:tt)*] $f:tt $q:tt $s:tt $k:tt $m:tt [] $b:tt $d:tt) => {
        $crate::__conformance_without! { [$($more)*] $f $q $s $k $m [$why] $b $d }
    };
    ([batch $why:literal $($more:tt)*] $f:tt $q:tt $s:tt $k:tt $m:tt $r:tt [] $d:tt) => {
        $crate::__conformance_without! { [$($more)*] $f $q $s $k $m $r [$why] $d }
    };
    ([downgrade $why:literal $($more:tt)*] $f:tt $q:tt $s:tt $k:tt $m:tt $r:tt $b:tt []) => {
        $crate::__conformance_without! { [$($more)*] $f $q $s $k $m $r $b [$why] }
    };
    ([] $f:tt $q:tt $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt) => {
        $crate::__conformance_cases! {
            [$crate::__conformance_tests] { $f [$q $s $k $m $r $b $d] }
        }
    };
    ([$unknown:ident $($more:tt)*] $($rest:tt)*) => {
        compile_error!(concat!(
            "`", stringify!($unknown), "` is given twice, or is no capability: ",
            "queue, shared, several_keys, min_hold, revoke, batch, downgrade"
        ));
    };
}

/// One test of each case.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ({ $f:tt $without:tt } $($family:ident::$case:ident $needs:tt,)*) => {
        $($crate::__conformance_test! { $case $needs $f $without })*
    };
}

/// Looks up the reasons of what a case needs, one after the other; the first one found leaves it out.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_test {
    ($case:ident [] {$fixture:expr} $without:tt) => {
        #[test]
        fn $case() {
            $crate::suite::run_case(&$fixture, stringify!($case));
        }
    };
    ($case:ident [queue $($needs:ident)*] $f:tt [$q:tt $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt]) => {
        $crate::__conformance_test! { @found $q $case [$($needs)*] $f [$q $s $k $m $r $b $d] }
    };
    ($case:ident [shared $($needs:ident)*] $f:tt [$q:tt $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt]) => {
        $crate::__conformance_test! { @found $s $case [$($needs)*] $f [$q $s $k $m $r $b $d] }
    };
    ($case:ident [several_keys $($needs:ident)*] $f:tt [$q:tt $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt]) => {
        $crate::__conformance_test! { @found $k $case [$($needs)*] $f [$q $s $k $m $r $b $d] }
    };
    ($case:ident [min_hold $($needs:ident)*] $f:tt [$q:tt $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt]) => {
        $crate::__conformance_test! { @found $m $case [$($needs)*] $f [$q $s $k $m $r $b $d] }
    };
    ($case:ident [revoke $($needs:ident)*] $f:tt [$q:tt $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt]) => {
        $crate::__conformance_test! { @found $r $case [$($needs)*] $f [$q $s $k $m $r $b $d] }
    };
    ($case:ident [batch $($needs:ident)*] $f:tt [$q:tt $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt]) => {
        $crate::__conformance_test! { @found $b $case [$($needs)*] $f [$q $s $k $m $r $b $d] }
    };
    ($case:ident [downgrade $($needs:ident)*] $f:tt [$q:tt $s:tt $k:tt $m:tt $r:tt $b:tt $d:tt]) => {
        $crate::__conformance_test! { @found $d $case [$($needs)*] $f [$q $s $k $m $r $b $d] }
    };
    (@found [] $case:ident $needs:tt $f:tt $without:tt) => {
        $crate::__conformance_test! { $case $needs $f $without }
    };
    (@found [$why:literal] $case:ident $needs:tt {$fixture:expr} $without:tt) => {
        #[test]
        #[ignore = $why]
        fn $case() {
            $crate::suite::run_case(&$fixture, stringify!($case));
        }
    };
}
