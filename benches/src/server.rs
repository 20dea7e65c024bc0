//! A Redis server of this run's own.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{Outcome, measure};

/// The program: `redis-server`, or what `LEASEHOLD_REDIS_SERVER` says.
pub(crate) fn binary() -> String {
    std::env::var("LEASEHOLD_REDIS_SERVER").unwrap_or_else(|_| "redis-server".into())
}

/// A running server on a unix socket; stopped when dropped.
pub(crate) struct Server {
    child: Child,
    socket: PathBuf,
    _dir: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let socket = dir.path().join("s");
        let binary = binary();
        let child = Command::new(&binary)
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| {
                format!(
                    "can't start `{binary}` (install Redis, or set LEASEHOLD_REDIS_SERVER): {error}"
                )
            })?;
        let server = Self { child, socket, _dir: dir };
        while measure::connect(&server.url()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(server)
    }

    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket.display())
    }

    /// The url of a TCP port on the loopback, which it opens: what services use.
    pub(crate) async fn tcp_url(&self) -> Outcome<String> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut connection = measure::connect(&self.url()).await?;
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg("port").arg(port).exec_async(&mut connection).await?;
        Ok(format!("redis://127.0.0.1:{port}/"))
    }

    /// Stops (`STOP`) or continues (`CONT`) the whole process, as a frozen machine would.
    pub(crate) fn signal(&self, signal: &str) -> Outcome<()> {
        Command::new("kill").args([&format!("-{signal}"), &self.pid()]).status()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _cont = self.signal("CONT");
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
