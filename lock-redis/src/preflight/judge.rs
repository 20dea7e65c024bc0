//! What the facts mean for locks.

use std::time::Duration;

use super::{
    facts::{Facts, Offset},
    finding::{Check, Finding, Severity},
};

/// From here on the two clocks are worth a word.
const NOTED: Duration = Duration::from_secs(1);
/// From here on somebody should look: more than a clock that is looked after ever shows.
const FAR_APART: Duration = Duration::from_secs(60);

fn finding(
    check: Check,
    severity: Severity,
    reason: impl Into<String>,
    remedy: impl Into<String>,
) -> Finding {
    Finding { check, severity, reason: reason.into(), remedy: remedy.into() }
}

/// What `INFO` alone shows.
pub(super) fn by_info(facts: &Facts) -> Vec<Finding> {
    let all = [version(facts), cluster(facts), role(facts), eviction(facts), replicas(facts)];
    all.into_iter().flatten().collect()
}

/// The rest.
pub(super) fn by_settings(facts: &Facts) -> Vec<Finding> {
    [unread(facts), persistence(facts), clock(facts)].into_iter().flatten().collect()
}

fn version(facts: &Facts) -> Option<Finding> {
    let reason = facts.unserved.as_ref()?;
    Some(finding(
        Check::Version,
        Severity::Refuse,
        reason,
        "use 64-bit Redis from 6.2 on, or Valkey from 7.2 on",
    ))
}

fn cluster(facts: &Facts) -> Option<Finding> {
    facts.cluster.then(|| {
        finding(
            Check::Role,
            Severity::Refuse,
            "the server is one node of a Cluster: it refuses the keys of other nodes",
            "use a server of its own for locks",
        )
    })
}

fn role(facts: &Facts) -> Option<Finding> {
    facts.replica.then(|| {
        finding(
            Check::Role,
            Severity::Refuse,
            "the server is a replica: it refuses every lock until it is promoted",
            "connect to its primary",
        )
    })
}

fn eviction(facts: &Facts) -> Option<Finding> {
    let policy = facts.maxmemory_policy.as_deref()?;
    if policy == "noeviction" {
        return None;
    }
    let remedy = "set `maxmemory-policy noeviction`, and keep caches on another server";
    Some(if facts.maxmemory == Some(0) {
        let reason = format!(
            "maxmemory-policy is `{policy}`: as soon as a limit is set, held locks can be thrown away"
        );
        finding(Check::Eviction, Severity::Warn, reason, remedy)
    } else {
        let reason = format!(
            "maxmemory-policy is `{policy}`: when memory is short the server throws held locks away, and grants them to others"
        );
        finding(Check::Eviction, Severity::Refuse, reason, remedy)
    })
}

fn replicas(facts: &Facts) -> Option<Finding> {
    (facts.replicas > 0 && !facts.min_replicas && !facts.replica).then(|| {
        finding(
            Check::Replicas,
            Severity::Warn,
            format!(
                "{} replica(s) and no min-replicas-to-write: a primary that was cut off goes on granting what the promoted replica grants too",
                facts.replicas
            ),
            "set `min-replicas-to-write 1` and `min-replicas-max-lag 1`, and a quarantine_margin above that lag",
        )
    })
}

fn unread(facts: &Facts) -> Option<Finding> {
    (facts.append_sync.is_none() || facts.snapshots.is_none()).then(|| {
        finding(
            Check::Persistence,
            Severity::Warn,
            "could not read `appendfsync` and `save`: what a restart forgets is not known",
            "allow `+config|get` to the user of the preflight, or look yourself",
        )
    })
}

fn persistence(facts: &Facts) -> Option<Finding> {
    let appends = facts.appends?;
    let every_write = appends && facts.append_sync.as_deref() == Some("always");
    let snapshots = facts.snapshots.as_deref().is_some_and(|save| !save.is_empty());
    let forgets = match (appends, facts.append_sync.as_deref(), snapshots) {
        (true, None, _) => return None,
        (true, ..) if every_write => return None,
        (true, ..) => "the last second when its machine crashes (appendfsync is not `always`)",
        (false, _, true) => "everything since its last snapshot when it restarts",
        (false, ..) if facts.snapshots.is_none() => return None,
        (false, ..) => "every lock when it restarts (no appendonly, no save)",
    };
    Some(match facts.quarantine {
        Some(time) => finding(
            Check::Persistence,
            if appends { Severity::Note } else { Severity::Warn },
            format!("the server forgets {forgets}: it then grants nothing for {time:?}"),
            "set `appendonly yes` if that is too long, and `appendfsync always` to forget nothing",
        ),
        None => finding(
            Check::Persistence,
            Severity::Warn,
            format!(
                "the server forgets {forgets}, and without quarantine grants what is still held: only fencing tokens protect then"
            ),
            "connect with a quarantine, or set `appendonly yes` and `appendfsync always`",
        ),
    })
}

fn clock(facts: &Facts) -> Option<Finding> {
    let (by, direction) = match facts.clock? {
        Offset::Ahead(by) => (by, "ahead of"),
        Offset::Behind(by) => (by, "behind"),
    };
    if by < NOTED {
        return None;
    }
    let severity = if by >= FAR_APART { Severity::Warn } else { Severity::Note };
    Some(finding(
        Check::Clock,
        severity,
        format!(
            "the server's clock is {by:?} {direction} this machine's: leases are not affected, but a successor with another clock mints tokens by it"
        ),
        "run a time service on the servers and on their successors",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Facts {
        Facts {
            maxmemory: Some(1),
            maxmemory_policy: Some("noeviction".to_owned()),
            appends: Some(true),
            append_sync: Some("always".to_owned()),
            snapshots: Some(String::new()),
            quarantine: Some(Duration::from_secs(62)),
            ..Facts::default()
        }
    }

    fn found(facts: &Facts) -> Vec<(Check, Severity)> {
        let all = [by_info(facts), by_settings(facts)].concat();
        assert!(all.iter().all(|it| !it.reason.is_empty() && !it.remedy.is_empty()));
        all.into_iter().map(|finding| (finding.check, finding.severity)).collect()
    }

    #[test]
    fn nothing_is_found_where_all_is_well() {
        assert_eq!(found(&fit()), []);
    }

    #[test]
    fn a_server_that_is_not_served_is_refused() {
        let facts = Facts { unserved: Some("Redis 6.0 is older".to_owned()), ..fit() };
        assert_eq!(found(&facts), [(Check::Version, Severity::Refuse)]);
    }

    #[test]
    fn clocks_are_told_by_how_far_they_are_apart() {
        let apart = |offset| found(&Facts { clock: Some(offset), ..fit() });
        assert_eq!(apart(Offset::Ahead(Duration::from_millis(900))), []);
        assert_eq!(apart(Offset::Behind(Duration::from_secs(2))), [(Check::Clock, Severity::Note)]);
        assert_eq!(apart(Offset::Ahead(Duration::from_secs(90))), [(Check::Clock, Severity::Warn)]);
    }

    #[test]
    fn what_a_restart_forgets_weighs_more_without_quarantine() {
        let persistence = |appends, sync: &str, save: &str, quarantine| {
            let facts = Facts {
                appends: Some(appends),
                append_sync: Some(sync.to_owned()),
                snapshots: Some(save.to_owned()),
                quarantine,
                ..fit()
            };
            found(&facts).first().map(|(_, severity)| *severity)
        };
        let quarantine = fit().quarantine;
        assert_eq!(persistence(true, "always", "", None), None);
        assert_eq!(persistence(true, "everysec", "", quarantine), Some(Severity::Note));
        assert_eq!(persistence(true, "everysec", "", None), Some(Severity::Warn));
        assert_eq!(persistence(false, "everysec", "60 1", quarantine), Some(Severity::Warn));
        assert_eq!(persistence(false, "everysec", "", None), Some(Severity::Warn));
    }
}
