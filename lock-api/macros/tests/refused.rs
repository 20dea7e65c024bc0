//! What `#[with_lock]` refuses, where, and with which words.
//!
//! `TRYBUILD=overwrite cargo test -p leasehold-macros --test refused` writes the messages anew.

#[test]
fn mistakes_are_refused_where_they_were_made() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}

#[rustversion::attr(not(stable(1.95)), ignore = "the messages are those of Rust 1.95")]
#[test]
fn mistakes_that_only_the_compiler_sees_are_reported_where_they_were_made() {
    trybuild::TestCases::new().compile_fail("tests/refused_by_rustc/*.rs");
}
