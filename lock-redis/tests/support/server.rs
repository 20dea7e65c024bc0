//! A real `redis-server` (or `valkey-server`) of a test's own: started on a socket of its own, ended with the value,
//! also by a panic.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test's helper fails by a panic"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::resp::{Client, Reply};

/// Which binary to start; its name on the path if it is not given.
pub const BINARY: &str = "LEASEHOLD_REDIS_SERVER";

/// A running server.
pub struct RedisServer {
    dir: PathBuf,
    options: Vec<String>,
    child: Child,
}

impl RedisServer {
    /// Starts a server without persistence on a unix socket.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more options, such as `["--maxmemory", "10mb"]`.
    pub fn start_with(options: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Short: a socket's path holds some hundred bytes at most.
        let dir = env::temp_dir().join(format!("lh-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        let child = spawn(&dir, &options);
        Self { dir, options, child }
    }

    /// Starts a server that replicates `primary`, and waits until it has caught up.
    pub fn replica_of(primary: &Self) -> Self {
        let port = primary.listen();
        primary.command(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]);
        let replica = Self::start_with(&["--replicaof", "127.0.0.1", &port.to_string()]);
        until("the replica has caught up", || {
            replica.info("replication", "master_link_status").is_some_and(|status| status == "up")
        });
        replica
    }

    /// The url of the socket.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// The url of the socket, for this user and password.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("{}?user={user}&pass={password}", self.url())
    }

    /// Opens a TCP port on the loopback, and says which.
    pub fn listen(&self) -> u16 {
        let port = free_port();
        self.command(&["CONFIG", "SET", "protected-mode", "no"]);
        self.command(&["CONFIG", "SET", "port", &port.to_string()]);
        port
    }

    /// One command, over a connection of its own; an error is a panic.
    pub fn command(&self, words: &[&str]) -> Reply {
        match self.try_command(words) {
            Reply::Error(error) => panic!("{words:?}: {error}"),
            reply => reply,
        }
    }

    /// One command, over a connection of its own.
    pub fn try_command(&self, words: &[&str]) -> Reply {
        self.client().call(words).unwrap()
    }

    /// A connection to say more over.
    pub fn client(&self) -> Client {
        Client::connect(&self.socket()).unwrap()
    }

    /// One field of a section of `INFO`.
    pub fn info(&self, section: &str, field: &str) -> Option<String> {
        let info = self.command(&["INFO", section]).text();
        let mut values =
            info.lines().filter_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        values.next().map(|value| value.trim().to_owned())
    }

    /// How often a command was called by clients and scripts together.
    pub fn calls(&self, command: &str) -> u64 {
        let stats = self.info("commandstats", &format!("cmdstat_{command}"));
        let calls = stats.and_then(|stats| {
            let first = stats.split(',').next()?.strip_prefix("calls=")?.to_owned();
            first.parse().ok()
        });
        calls.unwrap_or(0)
    }

    /// Every name in the database.
    pub fn names(&self) -> Vec<String> {
        let names = self.command(&["KEYS", "*"]).list();
        let mut names: Vec<_> = names.into_iter().map(Reply::text).collect();
        names.sort();
        names
    }

    /// Stops the process (SIGSTOP); time goes on without it.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets the process go on (SIGCONT).
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Ends the process without a word (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after [`kill`](Self::kill), with what was last saved.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.dir, &self.options);
    }

    /// As [`start_again`](Self::start_again), with more options from now on.
    pub fn start_again_with(&mut self, options: &[&str]) {
        self.options.extend(options.iter().map(|&option| option.to_owned()));
        self.start_again();
    }

    /// Kills and restarts the server; all data is lost.
    pub fn restart_empty(&mut self) {
        self.kill();
        let _none = fs::remove_file(self.dir.join("dump.rdb"));
        self.start_again();
    }

    /// Kills and restarts the server; its data stays.
    pub fn restart_with_data(&mut self) {
        self.command(&["SAVE"]);
        self.kill();
        self.start_again();
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("s")
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(status.success(), "kill {signal} {pid}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // SIGKILL ends a stopped process too.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        let _gone = fs::remove_dir_all(&self.dir);
    }
}

/// A port that nobody listened on just now.
pub fn free_port() -> u16 {
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    held.local_addr().unwrap().port()
}

fn spawn(dir: &Path, options: &[String]) -> Child {
    let socket = dir.join("s");
    let _none = fs::remove_file(&socket);
    let log = fs::File::create(dir.join("log")).unwrap();
    let child = Command::new(binary())
        .args(["--port", "0", "--save", "", "--daemonize", "no"])
        .args(["--unixsocket".as_ref(), socket.as_os_str()])
        .args(["--dir".as_ref(), dir.as_os_str()])
        .args(options)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "can't start {}: {error}. Install redis-server (Debian: `apt-get install redis-server`) \
                 or valkey-server, or name one in {BINARY}",
                binary().display()
            )
        });
    until("the server answers", || {
        Client::connect(&socket)
            .and_then(|mut client| client.call(&["PING"]))
            .is_ok_and(|reply| reply != Reply::Nil)
    });
    child
}

fn binary() -> PathBuf {
    if let Some(given) = env::var_os(BINARY) {
        return given.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = ["redis-server", "valkey-server"]
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |dir| dir.join(name)))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| "redis-server".into())
}

/// Waits until something is true of another process, which tells nobody when it becomes so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        #[allow(
            clippy::disallowed_methods,
            reason = "nothing but real time passes while another process starts"
        )]
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{what}: not within 10 s");
}
