//! What this user may do: each command is offered in a transaction that is then thrown away, so nothing is done.

use leasehold::{Effect, ErrorKind, Result};
use redis::Cmd;

use super::finding::{Check, Finding, Severity};
use crate::{connect::Link, key::Keyspace};

/// What locks need, with words that do no harm: `k` stands for a key under the prefix, `c` for a channel.
const NEEDED: &[&[&str]] = &[
    &["ping"],
    &["eval", "return 0", "1", "k"],
    &["evalsha", "0000000000000000000000000000000000000000", "1", "k"],
    &["time"],
    &["get", "k"],
    &["set", "k", ""],
    &["setrange", "k", "0", ""],
    &["del", "k"],
    &["hget", "k", "f"],
    &["hset", "k", "f", ""],
    &["hdel", "k", "f"],
    &["zadd", "k", "0", "m"],
    &["zrem", "k", "m"],
    &["zscore", "k", "m"],
    &["zrange", "k", "0", "0"],
    &["zrangebyscore", "k", "0", "0"],
    &["zremrangebyscore", "k", "0", "0"],
    &["pexpire", "k", "1"],
    &["info", "server"],
    &["publish", "c", ""],
    &["subscribe", "c"],
    &["unsubscribe", "c"],
];

/// What only administration needs.
const ADMINISTRATION: &[&[&str]] = &[&["scan", "0"]];

/// Asks on a connection that nobody else uses: a transaction would take in their commands.
pub(super) async fn check(link: &mut Link, names: &Keyspace, user: &str) -> Result<Vec<Finding>> {
    match link.command(&redis::cmd("MULTI")).await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::Denied => {
            return Ok(vec![Finding {
                check: Check::Permissions,
                severity: Severity::Warn,
                reason: "could not check what this user may do: it may not begin a transaction"
                    .to_owned(),
                remedy: "allow `+multi +discard` to the user of the preflight".to_owned(),
            }]);
        }
        Err(error) => return Err(error),
    }
    let needed = denied(link, names, NEEDED).await;
    let administration = denied(link, names, ADMINISTRATION).await;
    link.command(&redis::cmd("DISCARD")).await?;
    let findings = [
        (needed?, Severity::Refuse, "locks need"),
        (administration?, Severity::Warn, "listing needs"),
    ];
    let findings = findings.into_iter().filter(|(denied, ..)| !denied.is_empty());
    Ok(findings
        .map(|(denied, severity, what)| Finding {
            check: Check::Permissions,
            severity,
            reason: format!("this user may not do what {what}: {}", denied.join(", ")),
            remedy: format!(
                "ACL SETUSER {user} ~{prefix}:* &{prefix}:* {}",
                denied.iter().map(|name| format!("+{name}")).collect::<Vec<_>>().join(" "),
                prefix = names.prefix(),
            ),
        })
        .collect())
}

/// The names of the commands that are refused.
async fn denied(
    link: &mut Link,
    names: &Keyspace,
    commands: &[&[&'static str]],
) -> Result<Vec<&'static str>> {
    let probe = names.probe();
    let mut denied = Vec::new();
    for words in commands {
        let mut command = Cmd::new();
        for word in *words {
            command.arg(if matches!(*word, "k" | "c") { &probe } else { *word });
        }
        match link.command(&command).await {
            Ok(_queued) => {}
            Err(error) if error.kind() == ErrorKind::Denied => denied.extend(words.first()),
            // Refused for another reason (a replica, no memory): permissions come first.
            Err(error) if error.effect() == Effect::None => {}
            Err(error) => return Err(error),
        }
    }
    Ok(denied)
}
