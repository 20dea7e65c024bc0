//! The scenarios.

use std::pin::pin;

use futures::{future::try_join, poll};
use leasehold::TryAcquire;

use super::{Scenario, Told, World, ensure, in_time, ms, said, shared};

macro_rules! scenarios {
    ($($name:ident $guarantee:literal,)*) => {
        &[$(Scenario {
            name: stringify!($name),
            guarantee: $guarantee,
            run: |world| Box::pin($name(world)),
        }),*]
    };
}

pub(super) const ALL: &[Scenario] = scenarios! {
    retry_after_a_lost_reply "G8",
    wake_up_on_release "G7",
    wake_up_on_expiry "G7",
    wake_up_after_a_reconnect "G7",
    all_that_fit_are_granted "G7",
    all_or_nothing "G7",
    first_come_first_served "G6",
    a_writer_is_not_starved "G6",
    a_dropped_wait_leaves_nothing "G5",
    a_wait_ends_at_its_deadline "G8",
    validity_is_never_longer_than_the_lease "G3",
};

/// The reply to an acquire is lost; the same call again gets the lease that the first one made.
async fn retry_after_a_lost_reply(world: World) -> Told {
    let request = world.ask(1, 1, &["job"])?;
    let first = world.take(&request).await?;
    match world.backend.try_acquire(&request).await.map_err(said)? {
        TryAcquire::Granted(again) => ensure(again.token == first.token, "two grants of one id"),
        TryAcquire::Held(_) => Err("the retry is kept out by its own lease".to_owned()),
    }
}

async fn wake_up_on_release(world: World) -> Told {
    handed_over(&world, 50).await
}

/// The release falls into a time in which the waiter's subscription may be down.
async fn wake_up_after_a_reconnect(world: World) -> Told {
    handed_over(&world, 20).await
}

/// One waits, the other releases after so long.
async fn handed_over(world: &World, after: u64) -> Told {
    let (holder, waiter) = (world.ask(1, 1, &["job"])?, world.ask(2, 1, &["job"])?);
    world.take(&holder).await?;
    let releasing = async {
        world.pass(after).await;
        world.give_back(&holder).await?;
        Ok(world.now())
    };
    let (granted, free) = try_join(world.wait(&waiter, 30_000), releasing).await?;
    in_time(granted, free)
}

/// The holder is gone for good; its lease runs out, and nobody says so.
async fn wake_up_on_expiry(world: World) -> Told {
    let (holder, waiter) = (world.ask_for(1, 100, &["job"])?, world.ask(2, 1, &["job"])?);
    world.take(&holder).await?;
    let free = world.now() + ms(100);
    in_time(world.wait(&waiter, 30_000).await?, free)
}

/// Two readers wait for a writer: both go in when it leaves.
async fn all_that_fit_are_granted(world: World) -> Told {
    let writer = world.ask(1, 1, &["job"])?;
    let readers = (shared(world.ask(2, 1, &["job"])?)?, shared(world.ask(3, 1, &["job"])?)?);
    world.take(&writer).await?;
    let releasing = async {
        world.pass(50).await;
        world.give_back(&writer).await?;
        Ok(world.now())
    };
    let waiting = try_join(world.wait(&readers.0, 30_000), world.wait(&readers.1, 30_000));
    let ((one, other), free) = try_join(waiting, releasing).await?;
    in_time(one, free)?;
    in_time(other, free)
}

/// Two clients want both of two keys; neither may keep one while it lacks the other.
async fn all_or_nothing(world: World) -> Told {
    let (one, other) = (world.ask(1, 1, &["from", "to"])?, world.ask(2, 1, &["to", "from"])?);
    let use_both = async |request| {
        let granted = world.wait(request, 30_000).await?;
        ensure(granted.is_some(), "two clients keep each other out")?;
        world.pass(10).await;
        world.give_back(request).await
    };
    let start = world.now();
    try_join(use_both(&one), use_both(&other)).await?;
    in_time_since(&world, start)
}

fn in_time_since(world: &World, start: leasehold::Timestamp) -> Told {
    let took = world.now().since(start);
    ensure(took <= super::PATIENCE, &format!("it took {took:?}"))
}

async fn first_come_first_served(world: World) -> Told {
    let holder = world.ask(1, 1, &["job"])?;
    let (first, second) = (world.ask(2, 1, &["job"])?, world.ask(3, 1, &["job"])?);
    world.take(&holder).await?;
    let hold_a_while = async |request, arrives| {
        world.pass(arrives).await;
        let granted = world.wait(request, 30_000).await?;
        world.pass(10).await;
        world.give_back(request).await?;
        granted.map(|(grant, _)| grant.token).ok_or_else(|| "a waiter timed out".to_owned())
    };
    let releasing = async {
        world.pass(50).await;
        world.give_back(&holder).await
    };
    let waiting = try_join(hold_a_while(&first, 1), hold_a_while(&second, 2));
    let ((one, other), ()) = try_join(waiting, releasing).await?;
    ensure(one < other, "the second to come was served first")
}

/// Readers come and go so that there is always one; a writer that waits gets its turn all the same.
async fn a_writer_is_not_starved(world: World) -> Told {
    const READERS: u8 = 100;
    let writer = world.ask(1, 1, &["job"])?;
    let reading = async {
        for number in 0..READERS {
            let (old, new) = (number, number + 1);
            let reader = shared(world.ask(2, new, &["job"])?)?;
            let _in = world.backend.try_acquire(&reader).await.map_err(said)?;
            world.pass(100).await;
            let old = world.ask(2, old, &["job"])?;
            world.backend.release(old.key(), old.id()).await.map_err(said)?;
        }
        let last = world.ask(2, READERS, &["job"])?;
        world.backend.release(last.key(), last.id()).await.map_err(said)
    };
    let start = world.now();
    let writing = async {
        world.pass(50).await;
        let granted = world.wait(&writer, 30_000).await?;
        world.give_back(&writer).await?;
        in_time(granted, start)
    };
    try_join(reading, writing).await.map(|_| ())
}

/// A waiter is dropped; what it waited for goes to the next.
async fn a_dropped_wait_leaves_nothing(world: World) -> Told {
    let (holder, gone) = (world.ask(1, 1, &["job"])?, world.ask(2, 1, &["job"])?);
    let next = world.ask(3, 1, &["job"])?;
    world.take(&holder).await?;
    {
        let mut waiting = pin!(world.wait(&gone, 30_000));
        ensure(poll!(&mut waiting).is_pending(), "a held key was granted")?;
    }
    world.give_back(&holder).await?;
    let state = world.backend.inspect(holder.key()).await.map_err(said)?;
    ensure(state.waiters.is_empty() && !state.is_locked(), "a dropped wait left something")?;
    world.take(&next).await.map(|_| ())
}

async fn a_wait_ends_at_its_deadline(world: World) -> Told {
    let (holder, waiter) = (world.ask(1, 1, &["job"])?, world.ask(2, 1, &["job"])?);
    world.take(&holder).await?;
    let start = world.now();
    let granted = world.wait(&waiter, 100).await?;
    ensure(granted.is_none(), "a held key was granted")?;
    let took = world.now().since(start);
    ensure(took == ms(100), &format!("a wait of 100ms ended after {took:?}"))
}

/// A waiter whose task is slow hears of its grant late: its validity counts from the grant all the same.
async fn validity_is_never_longer_than_the_lease(world: World) -> Told {
    let (holder, waiter) = (world.ask(1, 1, &["job"])?, world.ask(2, 1, &["job"])?);
    world.take(&holder).await?;
    let mut waiting = pin!(world.wait(&waiter, 30_000));
    ensure(poll!(&mut waiting).is_pending(), "a held key was granted")?;
    world.give_back(&holder).await?;
    world.pass(200).await;
    let Some((grant, _)) = waiting.await? else { return Err("a waiter timed out".to_owned()) };
    let state = world.backend.inspect(holder.key()).await.map_err(said)?;
    let Some(lease) = state.leases.first() else { return Err("the lease is gone".to_owned()) };
    let (believed, real) = (grant.since + grant.ttl.get(), world.now() + lease.remaining);
    ensure(believed <= real, "the holder believes in its lease for longer than it lives")
}
