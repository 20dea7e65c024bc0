//! The figures that were written down.

use std::{collections::BTreeMap, process::Command};

use serde::{Deserialize, Serialize};

use crate::Outcome;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// By how much a figure may differ: allocators and hash seeds differ a little.
pub(super) const TOLERANCE: f64 = 0.1;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Written {
    /// They hold for this one only.
    pub(super) compiler: String,
    pub(super) instructions: BTreeMap<String, u64>,
}

impl Written {
    pub(super) const fn new(compiler: String) -> Self {
        Self { compiler, instructions: BTreeMap::new() }
    }

    pub(super) fn read() -> Outcome<Self> {
        if !std::fs::exists(FILE)? {
            return Ok(Self::default());
        }
        Ok(serde_json::from_str(&std::fs::read_to_string(FILE)?)?)
    }

    pub(super) fn write(&self) -> Outcome<()> {
        std::fs::write(FILE, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }
}

/// Version, without the patch, and architecture.
pub(super) fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let output = output.map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&output);
    let version = said.split_whitespace().nth(1).unwrap_or("unknown");
    let minor = version.rsplit_once('.').map_or(version, |(minor, _patch)| minor);
    format!("rustc {minor}, {} {}", std::env::consts::ARCH, std::env::consts::OS)
}
