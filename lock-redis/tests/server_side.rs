//! What stands on the server, and what an operation costs there.

#![allow(clippy::unwrap_used, reason = "helpers of tests too")]

mod support;

use std::time::Duration;

use leasehold::{AcquireRequest, Downgrade, ErrorKind, LockBackend, Ttl};
use support::{
    RedisServer, builder, exclusive, fixture, granted, held, id, key, long, shared, ttl,
};

/// Every name has a time to live, and it is at least `least`.
fn all_expire(server: &RedisServer, after: &str, least: Duration) {
    for name in server.names() {
        let left = server.command(&["PTTL", &name]).int();
        let least =
            if name.ends_with(":t") { 1 } else { i64::try_from(least.as_millis()).unwrap() };
        assert!(left >= least, "{name} has {left} ms after {after}");
    }
}

#[tokio::test]
async fn every_structure_expires_and_outlives_its_leases_after_every_operation() {
    let (server, backend) = fixture().await;
    let hours = Duration::from_secs(23 * 3_600);
    let month = Ttl::MAX;
    let requests = [
        exclusive("x"),
        shared("s", 2, 4),
        AcquireRequest::new(key("far"), id(), month),
        AcquireRequest::new(key("far-shared"), id(), month)
            .with_mode(shared("s", 1, 2).mode(), 1)
            .unwrap(),
        exclusive("hold").with_min_hold(Duration::from_secs(20)).unwrap(),
        AcquireRequest::for_keys([key("a"), key("b")], id(), long()).unwrap(),
    ];
    for request in &requests {
        let least = hours.max(request.ttl().get() - Duration::from_secs(60));
        let check = |after: &str| {
            for key in request.keys() {
                for name in
                    server.names().iter().filter(|name| name.contains(&format!("{{{key}}}")))
                {
                    let left = server.command(&["PTTL", name]).int();
                    let least = if name.ends_with(":t") {
                        1
                    } else {
                        i64::try_from(least.as_millis()).unwrap()
                    };
                    assert!(left >= least, "{name} has {left} ms after {after}");
                }
            }
            all_expire(&server, after, hours);
        };
        granted(&backend, request).await;
        check("acquire");
        granted(&backend, request).await;
        check("acquire again");
        let other = exclusive(request.key().as_str());
        held(&backend, &other).await;
        check("a try in vain");
        if let Ok(beside) =
            AcquireRequest::new(request.key().clone(), id(), ttl(10)).with_mode(request.mode(), 1)
        {
            let _beside = backend.try_acquire(&beside).await.unwrap();
            check("a shorter one beside it");
        }
        backend.extend(request.key(), request.id(), long()).await.unwrap();
        check("extend");
        for key in request.keys() {
            let downgraded = backend.downgrader().unwrap().downgrade(key, request.id()).await;
            assert_eq!(downgraded.is_ok(), request.mode().is_exclusive());
        }
        check("downgrade");
        backend.release(request.key(), id()).await.unwrap();
        check("a release of nothing");
        for key in request.keys() {
            backend.release(key, request.id()).await.unwrap();
        }
        all_expire(&server, "release", hours);
        backend.inspect(request.key()).await.unwrap();
        all_expire(&server, "inspect", hours);
    }
}

#[tokio::test]
async fn an_operation_is_one_command() {
    let (server, backend) = fixture().await;
    let request = exclusive("k");
    // The first call of each script may be sent twice: the server does not know it yet.
    let warm = exclusive("warm");
    granted(&backend, &warm).await;
    backend.extend(&key("warm"), warm.id(), long()).await.unwrap();
    backend.inspect(&key("warm")).await.unwrap();
    backend.release(&key("warm"), warm.id()).await.unwrap();

    server.command(&["CONFIG", "RESETSTAT"]);
    granted(&backend, &request).await;
    held(&backend, &exclusive("k")).await;
    backend.extend(&key("k"), request.id(), long()).await.unwrap();
    backend.inspect(&key("k")).await.unwrap();
    backend.release(&key("k"), request.id()).await.unwrap();
    assert_eq!(server.calls("evalsha"), 5);
    let stats = server.command(&["INFO", "commandstats"]).text();
    let mut called: Vec<_> =
        stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split(':').next()).collect();
    called.sort_unstable();
    let own = ["config", "config|resetstat", "info"];
    // Servers without script flags are asked for a write that changes nothing.
    called.retain(|command| !own.contains(command) && *command != "del");
    assert_eq!(called, ["evalsha", "get", "set", "setrange", "time"], "{called:?}");
}

#[tokio::test]
async fn a_downgrade_is_one_command() {
    let (server, backend) = fixture().await;
    let downgrader = backend.downgrader().unwrap();
    // The server does not know the script yet.
    downgrader.downgrade(&key("warm"), id()).await.unwrap();
    let writer = exclusive("k");
    granted(&backend, &writer).await;
    server.command(&["CONFIG", "RESETSTAT"]);
    let downgraded = downgrader.downgrade(&key("k"), writer.id()).await;
    assert_eq!(downgraded.unwrap(), Downgrade::Downgraded);
    assert_eq!(server.calls("evalsha"), 1);
}

#[tokio::test]
async fn an_uncontended_pair_is_three_commands_each_inside_the_scripts() {
    let (server, backend) = fixture().await;
    // The third finds what the second wrote: the first of a stretch of time writes all of the record.
    for _ in 0..3 {
        let request = exclusive("k");
        server.command(&["CONFIG", "RESETSTAT"]);
        granted(&backend, &request).await;
        backend.release(&key("k"), request.id()).await.unwrap();
    }
    let inside = ["time", "get", "set", "setrange"].map(|command| server.calls(command));
    assert_eq!(inside[..2], [2, 2]);
    // A server without script flags is asked for a write that changes nothing, once per script.
    let old = server.info("server", "redis_version").unwrap().starts_with("6.");
    assert_eq!(inside[2] + inside[3], 2 + u64::from(old), "{inside:?}");
}

#[tokio::test]
async fn scripts_are_loaded_again_after_they_were_flushed() {
    let (server, backend) = fixture().await;
    let request = exclusive("k");
    granted(&backend, &request).await;
    server.command(&["SCRIPT", "FLUSH"]);
    server.command(&["CONFIG", "RESETSTAT"]);
    held(&backend, &exclusive("k")).await;
    held(&backend, &exclusive("k")).await;
    assert_eq!((server.calls("evalsha"), server.calls("eval")), (2, 1));
}

#[tokio::test]
async fn a_foreign_value_is_named_and_left_as_it_is() {
    let (server, backend) = fixture().await;
    server.command(&["SET", "lh:{text}", "somebody else's"]);
    server.command(&["RPUSH", "lh:{list}", "a"]);
    server.command(&["SET", "lh:{almost}", "lh1 - but not quite"]);
    let request = AcquireRequest::for_keys([key("fine"), key("list")], id(), long()).unwrap();
    let error = backend.try_acquire(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Foreign, "{error}");
    assert!(error.to_string().contains("lh:{list}"), "{error}");
    for name in ["text", "list", "almost"] {
        let before = server.command(&["DUMP", &format!("lh:{{{name}}}")]);
        let key = key(name);
        let errors = [
            backend.try_acquire(&exclusive(name)).await.unwrap_err(),
            backend.try_acquire(&shared(name, 1, 2)).await.unwrap_err(),
            backend.extend(&key, id(), long()).await.unwrap_err(),
            backend.release(&key, id()).await.unwrap_err(),
            backend.inspect(&key).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Foreign, "{error}");
            assert_eq!(error.effect(), leasehold::Effect::None, "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
        assert_eq!(server.command(&["DUMP", &format!("lh:{{{name}}}")]), before);
    }
}

#[tokio::test]
async fn awkward_keys_do_not_collide() {
    let (server, backend) = fixture().await;
    let names = [
        "a", "a}:t", "{a}", "}a", "a:t", "a*", "a?", "[a]", "a\\", "100%", "100%25", "ключ", "a b",
    ];
    for name in names {
        granted(&backend, &exclusive(name)).await;
        granted(&backend, &shared(&format!("shared {name}"), 1, 2)).await;
    }
    for name in names {
        held(&backend, &exclusive(name)).await;
        assert_eq!(backend.inspect(&key(name)).await.unwrap().leases.len(), 1);
    }
    assert_eq!(server.names().len(), names.len() * 4);
}

#[tokio::test]
async fn prefixes_are_apart() {
    let server = RedisServer::start();
    let one = builder(&server).prefix("one").connect().await.unwrap();
    let two = builder(&server).prefix("two").connect().await.unwrap();
    granted(&one, &exclusive("k")).await;
    granted(&two, &exclusive("k")).await;
    assert_eq!(server.names(), ["one:{k}", "two:{k}"]);
}
