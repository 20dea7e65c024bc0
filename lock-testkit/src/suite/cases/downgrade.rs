//! A writer becomes a reader, and nobody writes in between.

use leasehold::{Downgrade, Effect, ErrorKind, Extension, HeldReason, Mode, Release};

use crate::suite::trial::{Lease, Trial, holding};

pub(crate) async fn g2_a_downgraded_lease_keeps_its_token_and_age(trial: &Trial) {
    let writer = trial.hold(&trial.key("a")).await;
    trial.pass(trial.short().get()).await;
    assert_eq!(trial.downgrade(&writer).await, Downgrade::Downgraded);
    let state = trial.inspect(&writer.key).await;
    let shown: Vec<_> = state.leases.iter().map(|it| (it.token, it.mode, it.permits)).collect();
    assert_eq!(shown, [(writer.grant.token, Mode::READ, 1)]);
    assert!(state.leases[0].age >= trial.short().get() * 19 / 20, "counted from the downgrade");
}

/// It neither shortens nor lengthens.
pub(crate) async fn g3_a_downgraded_lease_ends_when_it_would_have(trial: &Trial) {
    let long = trial.hold(&trial.key("long")).await;
    for ttl in trial.scales() {
        let asked = trial.now();
        let brief = trial.grant(&trial.request(&trial.key("brief"), ttl)).await;
        let downgraded = trial.downgrade(&brief).await;
        if trial.too_late(asked, ttl) {
            trial.pass(ttl.get()).await;
            continue;
        }
        assert_eq!(downgraded, Downgrade::Downgraded);
        trial.is_taken(&brief.key).await;
        assert_eq!(trial.downgrade(&long).await, Downgrade::Downgraded);
        trial.pass(ttl.get()).await;
        trial.is_free(&brief.key).await;
        trial.is_taken(&long.key).await;
        return;
    }
}

pub(crate) async fn g1_a_downgraded_writer_lets_readers_in_and_no_writer(trial: &Trial) {
    let writer = trial.hold(&trial.key("a")).await;
    trial.held(&trial.read(&writer.key)).await;
    assert_eq!(trial.downgrade(&writer).await, Downgrade::Downgraded);
    let reader = trial.grant(&trial.read(&writer.key)).await;
    assert!(reader.grant.token > writer.grant.token);
    for lease in [&reader, &writer] {
        trial.is_taken(&writer.key).await;
        assert_eq!(trial.release(lease).await, Release::Released);
    }
    let next = trial.is_free(&writer.key).await;
    assert!(next.grant.token > reader.grant.token);
}

pub(crate) async fn g7_readers_that_wait_come_in_when_the_writer_is_downgraded(trial: &Trial) {
    let writer = trial.hold(&trial.key("a")).await;
    let reads = [trial.read(&writer.key), trial.read(&writer.key)];
    let first = trial.queue(&reads[0], 1).await;
    let second = trial.queue(&reads[1], 2).await;
    assert_eq!(trial.downgrade(&writer).await, Downgrade::Downgraded);
    let first = trial.soon_granted(first, &reads[0]).await;
    let second = trial.soon_granted(second, &reads[1]).await;
    assert!(writer.grant.token < first.grant.token && first.grant.token < second.grant.token);
    assert_eq!(trial.inspect(&writer.key).await.leases.len(), 3);
}

/// The waiting writer is let in only when the last reader is gone, and is not overtaken until then.
pub(crate) async fn g6_a_writer_that_waits_stays_first_when_the_writer_is_downgraded(
    trial: &Trial,
) {
    let writer = trial.hold(&trial.key("a")).await;
    let (write, read) = (trial.request(&writer.key, trial.long()), trial.read(&writer.key));
    let writer_waits = trial.queue(&write, 1).await;
    let reader_waits = trial.queue(&read, 2).await;
    assert_eq!(trial.downgrade(&writer).await, Downgrade::Downgraded);
    assert_eq!(trial.held(&trial.read(&writer.key)).await.reason, HeldReason::Queue);
    let state = trial.inspect(&writer.key).await;
    assert_eq!((state.leases.len(), state.waiters.len()), (1, 2), "{state:?}");
    assert_eq!(trial.release(&writer).await, Release::Released);
    let next = trial.soon_granted(writer_waits, &write).await;
    assert!(!reader_waits.is_finished(), "a reader beside a writer");
    assert_eq!(trial.release(&next).await, Release::Released);
    trial.soon_granted(reader_waits, &read).await;
}

pub(crate) async fn g3_what_is_over_can_not_be_downgraded(trial: &Trial) {
    let key = trial.key("a");
    let brief = trial.grant(&trial.request(&key, trial.short())).await;
    trial.pass(trial.short().get()).await;
    assert_eq!(trial.downgrade(&brief).await, Downgrade::Lost);
    let released = trial.is_free(&key).await;
    assert_eq!(trial.downgrade(&released).await, Downgrade::Lost);
    let never = Lease { id: trial.id(), ..released };
    assert_eq!(trial.downgrade(&never).await, Downgrade::Lost);
    trial.is_free(&key).await;
}

pub(crate) async fn g4_a_foreign_id_can_not_downgrade(trial: &Trial) {
    let writer = trial.hold(&trial.key("a")).await;
    let foreign = Lease { id: trial.id(), ..writer.clone() };
    assert_eq!(trial.downgrade(&foreign).await, Downgrade::Lost);
    let reader = trial.read(&writer.key);
    let waiting = trial.queue(&reader, 1).await;
    let waits = Lease { id: reader.id(), ..writer.clone() };
    assert_eq!(trial.downgrade(&waits).await, Downgrade::Lost);
    let state = trial.inspect(&writer.key).await;
    assert_eq!((state.leases[0].mode, state.waiters.len()), (Mode::Exclusive, 1), "{state:?}");
    assert!(!waiting.is_finished(), "a reader beside a writer");
}

pub(crate) async fn g8_a_repeated_downgrade_changes_nothing(trial: &Trial) {
    let writer = trial.hold(&trial.key("a")).await;
    for _ in 0..2 {
        assert_eq!(trial.downgrade(&writer).await, Downgrade::Downgraded);
    }
    let reader = trial.grant(&trial.read(&writer.key)).await;
    assert_eq!(trial.downgrade(&reader).await, Downgrade::Downgraded);
    let state = trial.inspect(&writer.key).await;
    let tokens: Vec<_> = state.leases.iter().map(|lease| lease.token).collect();
    assert_eq!(tokens, [writer.grant.token, reader.grant.token]);
    for lease in [&writer, &reader] {
        assert_eq!(trial.release(lease).await, Release::Released);
        assert_eq!(trial.downgrade(lease).await, Downgrade::Lost);
    }
    trial.is_free(&writer.key).await;
}

pub(crate) async fn g8_a_downgraded_id_has_the_terms_of_a_reader(trial: &Trial) {
    let key = trial.key("a");
    let write = trial.request(&key, trial.long());
    let writer = trial.grant(&write).await;
    assert_eq!(trial.downgrade(&writer).await, Downgrade::Downgraded);
    trial.refused(&write, ErrorKind::IdReused).await;
    let Ok(read) = write.with_mode(Mode::READ, 1) else {
        panic!("a read lock is a good request");
    };
    assert_eq!(trial.grant(&read).await.grant.token, writer.grant.token);
    assert_eq!(trial.extend(&writer, trial.long()).await, Extension::Extended);
    assert_eq!(trial.inspect(&key).await.leases.len(), 1);
    assert_eq!(trial.release(&writer).await, Release::Released);
    trial.refused(&read, ErrorKind::IdReused).await;
    trial.is_free(&key).await;
}

pub(crate) async fn g8_permits_can_not_be_downgraded(trial: &Trial) {
    let permit = trial.grant(&trial.shared(&trial.key("a"), 3, 2)).await;
    let Some(backend) = trial.backend.downgrader() else {
        panic!("the backend declares `downgrade` but has no downgrader()");
    };
    match backend.downgrade(&permit.key, permit.id).await {
        Ok(outcome) => panic!("expected an error, got {outcome:?}"),
        Err(error) => {
            assert_eq!((error.kind(), error.effect()), (ErrorKind::IdReused, Effect::None));
        }
    }
    trial.held(&trial.shared(&permit.key, 3, 2)).await;
    assert_eq!(trial.release(&permit).await, Release::Released);
}

pub(crate) async fn g1_a_downgraded_lease_keeps_its_minimum_hold(trial: &Trial) {
    let request = trial.request(&trial.key("a"), trial.long());
    let writer = trial.grant(&holding(request, trial.long().get())).await;
    assert_eq!(trial.downgrade(&writer).await, Downgrade::Downgraded);
    assert_eq!(trial.release(&writer).await, Release::Released);
    assert_eq!(trial.downgrade(&writer).await, Downgrade::Lost);
    trial.is_taken(&writer.key).await;
    trial.grant(&trial.read(&writer.key)).await;

    let request = trial.request(&trial.key("released"), trial.long());
    let released = trial.grant(&holding(request, trial.long().get())).await;
    assert_eq!(trial.release(&released).await, Release::Released);
    assert_eq!(trial.downgrade(&released).await, Downgrade::Lost);
    trial.held(&trial.read(&released.key)).await;
}
