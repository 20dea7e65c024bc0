#![doc = include_str!("../README.md")]

mod backend;
mod batch;
mod cleanup;
mod config;
mod connect;
mod core;
mod error;
mod fenced;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod key;
mod list;
mod preflight;
mod queue;
mod reply;
mod scripts;
mod suspects;
#[cfg(test)]
mod vectors;

pub use backend::RedisBackend;
pub use config::RedisConfig;
pub use fenced::FencedRedis;
pub use health::Health;
pub use preflight::{Check, Finding, Preflight, Severity, UnsafeSettings};

/// The examples of the README of the repository are tested with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
