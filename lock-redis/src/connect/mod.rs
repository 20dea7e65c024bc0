//! Connections: how they are made, kept, replaced and shared.

mod epoch;
mod lane;
mod link;
mod manager;
mod server;
mod sink;
mod steps;
mod url;

pub(crate) use lane::Lanes;
pub(crate) use link::Link;
pub(crate) use manager::{Dial, Target};
pub(crate) use steps::{ServerClock, Step};

/// Whether a server with this `INFO` is served.
pub(crate) fn check_server(info: &str) -> leasehold::Result<()> {
    server::Server::read(info).map(drop)
}

/// Checks a url without connecting.
pub(crate) fn check_url(url: &str) -> leasehold::Result<()> {
    url::parse(url).map(drop)
}
