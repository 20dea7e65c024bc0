//! Interpreters and packages for those that are programs, in a directory of this build.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use tokio::process::Command;

use crate::Outcome;

/// The script of a peer.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// `node`, which finds these packages.
pub(super) fn node(packages: &[&str]) -> Outcome<Command> {
    let dir = scratch("node")?;
    run(process::Command::new("node").arg("--version"))?;
    let names = packages.iter().filter_map(|package| package.split('@').next());
    if !names.clone().all(|name| dir.join("node_modules").join(name).exists()) {
        fs::write(dir.join("package.json"), "{\"private\": true}\n")?;
        let mut install = process::Command::new("npm");
        install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
        run(install.arg(&dir).args(packages))?;
    }
    let mut node = Command::new("node");
    node.env("NODE_PATH", dir.join("node_modules"));
    Ok(node)
}

/// A Python that has these packages.
pub(super) fn python(packages: &[&str]) -> Outcome<Command> {
    let dir = scratch("python")?;
    let python = dir.join("bin/python3");
    let installed = dir.join("installed");
    if !installed.exists() {
        run(process::Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
        run(process::Command::new(&python).args(["-m", "pip", "install", "-q"]).args(packages))?;
        fs::write(installed, packages.join("\n"))?;
    }
    Ok(Command::new(python))
}

/// A directory beside the binaries of this build.
fn scratch(of: &str) -> Outcome<PathBuf> {
    let binary = std::env::current_exe()?;
    let dir = binary.parent().ok_or("no directory of this program")?.join("bench-peers").join(of);
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// Runs it, and says what it said if it fails.
fn run(command: &mut process::Command) -> Outcome<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("");
    Err(format!("{program} failed: {last}").into())
}
