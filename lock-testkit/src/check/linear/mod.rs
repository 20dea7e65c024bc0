//! The general linearizability checker.
