#![doc = include_str!("../README.md")]

mod backend;
mod config;
mod connect;
mod error;
mod fenced;
mod key;
mod reply;
mod scripts;
mod suspects;

pub use backend::RedisBackend;
pub use config::RedisConfig;
pub use fenced::FencedRedis;
