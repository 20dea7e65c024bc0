//! Revoking, and extending many at once.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold::{
    AcquireRequest, AdminBackend, ErrorKind, FencingToken, LeaseId, LockBackend,
    RevocationListener, Timestamp, Ttl,
};

use crate::{
    release,
    support::{RedisServer, builder, exclusive, granted, key, process::Process, shared, ttl},
    two,
};

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<LeaseId>>);

impl RevocationListener for Heard {
    fn revoked(&self, id: LeaseId) {
        self.0.lock().unwrap().push(id);
    }

    fn clock_stepped(&self, _by: Duration, _seen: Timestamp) {}
}

#[test]
fn a_revocation_reaches_the_holders_process() {
    let (_server, holder, operator) = two(builder);
    let heard = Arc::new(Heard::default());
    let listener: Arc<dyn RevocationListener> = Arc::clone(&heard) as _;
    holder.run(async { holder.backend.watch_revocations(Arc::downgrade(&listener)) });
    holder.live(Duration::from_millis(100));
    let leases = [shared("k", 1, 0), shared("k", 1, 0)];
    for lease in &leases {
        holder.run(granted(&*holder.backend, lease));
    }
    let revoked = operator.run(operator.backend.revoke(&key("k"))).unwrap();
    assert_eq!(revoked.leases, 2);
    holder.live(Duration::from_millis(100));
    let mut told = heard.0.lock().unwrap().clone();
    told.sort();
    let mut ids: Vec<_> = leases.iter().map(AcquireRequest::id).collect();
    ids.sort();
    assert_eq!(told, ids);
}

#[test]
fn a_minimum_hold_does_not_outlive_a_revocation() {
    let (_server, holder, operator) = two(builder);
    let first = exclusive("k").with_min_hold(Duration::from_secs(50)).unwrap();
    let before = holder.run(granted(&*holder.backend, &first)).token;
    release(&holder, &first);
    assert_eq!(operator.run(operator.backend.revoke(&key("k"))).unwrap().leases, 1);
    let again = holder.run(holder.backend.try_acquire(&first)).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::IdReused, "it was released before it was revoked");
    let token: FencingToken = operator.run(granted(&*operator.backend, &exclusive("k"))).token;
    assert!(token > before);
}

#[test]
fn many_leases_are_extended_in_few_commands_each_for_itself() {
    let server = RedisServer::start();
    let process = Process::start(builder(&server).lanes(2));
    let batch = |request: &AcquireRequest, ttl: Ttl| leasehold::ExtendRequest {
        key: request.key().clone(),
        id: request.id(),
        ttl,
    };
    let requests: Vec<_> = (0..600).map(|n| exclusive(&format!("k{n}"))).collect();
    for request in &requests {
        process.run(process.backend.try_acquire(request)).map(drop).unwrap();
    }
    server.command(&["SET", "lh:{k7}", "foreign"]);
    process.run(process.backend.release(&key("k8"), requests[8].id())).unwrap();
    let leases: Vec<_> = requests.iter().map(|request| batch(request, ttl(90_000))).collect();
    let extend = || process.run(process.backend.batch().unwrap().extend_many(&leases));
    extend();
    server.command(&["CONFIG", "RESETSTAT"]);
    let outcomes = extend();
    assert!(server.calls("evalsha") <= 4, "{}", server.calls("evalsha"));
    for (index, outcome) in outcomes.iter().enumerate() {
        match (index, outcome) {
            (7, Err(error)) => {
                assert_eq!((error.kind(), error.key()), (ErrorKind::Foreign, Some(&key("k7"))));
            }
            (8, Ok(leasehold::Extension::Lost)) => {}
            (7 | 8, other) => panic!("{index}: {other:?}"),
            (_, outcome) => {
                assert!(matches!(outcome, Ok(leasehold::Extension::Extended)), "{index}");
            }
        }
    }
}
