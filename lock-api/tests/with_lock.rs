//! What a function under `#[with_lock]` does, in every place it can stand.
#![cfg(feature = "macros")]
#![allow(clippy::unwrap_used, clippy::future_not_send, reason = "helpers of tests too")]

mod support;

use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use leasehold::{
    Acquire, AcquireRequest, AdminBackend, BatchBackend, Capabilities, Clock, DowngradeBackend,
    Error, ErrorKind, Extension, FencingToken, Held, HeldReason, KeyState, LeaseId, LockBackend,
    LockKey, Locker, Release, Runtime, Timestamp, TryAcquire, Ttl, VirtualClock, async_trait,
    with_lock,
};
use leasehold_memory::MemoryBackend;
use support::{Faults, Faulty, assert_untouched, manual, ms, secs};

#[derive(Debug)]
enum PayError {
    Lock(Error),
    Declined(u64),
}

impl From<Error> for PayError {
    fn from(error: Error) -> Self {
        Self::Lock(error)
    }
}

impl PayError {
    fn lock(self) -> Error {
        match self {
            Self::Lock(error) => error,
            Self::Declined(order) => panic!("order {order} was declined"),
        }
    }
}

#[derive(Clone, Debug)]
struct Order {
    id: u64,
    customer: Customer,
}

#[derive(Clone, Debug)]
struct Customer {
    name: String,
    r#type: &'static str,
}

fn order(id: u64) -> Order {
    Order { id, customer: Customer { name: "ann".to_owned(), r#type: "new" } }
}

struct Shop {
    tenant: &'static str,
    locker: Locker<Faulty>,
    bodies: AtomicUsize,
}

impl Shop {
    fn new() -> (Self, Arc<Faults>, VirtualClock) {
        let (locker, faults, clock) = manual();
        (Self { tenant: "t1", locker, bodies: AtomicUsize::new(0) }, faults, clock)
    }

    fn bodies(&self) -> usize {
        self.bodies.load(Ordering::SeqCst)
    }

    fn began(&self) {
        self.bodies.fetch_add(1, Ordering::SeqCst);
    }

    /// The keys that are locked while a body runs.
    async fn sees(&self, key: &str) -> bool {
        self.locker.is_locked(key).await.unwrap()
    }

    #[with_lock(locker = self.locker, key = "payment:{order.id}", ttl = "30s", wait = "5s")]
    async fn pay(&self, order: &Order) -> Result<u64, PayError> {
        self.began();
        if order.id == 13 {
            return Err(PayError::Declined(order.id));
        }
        assert!(self.sees(&format!("payment:{}", order.id)).await);
        Ok(order.id)
    }

    #[with_lock(locker = self.locker, key = "slow", ttl = "10s", lease = lease)]
    async fn slow(&self, body: Duration) -> Result<FencingToken, PayError> {
        self.began();
        self.locker.runtime().sleep(body).await;
        Ok(lease.token())
    }

    #[with_lock(locker = self.locker, key = "kept", ttl = "3s", keep_alive, max_lifetime = "20s")]
    async fn kept(&self, body: Duration) -> Result<(), PayError> {
        self.locker.runtime().sleep(body).await;
        Ok(())
    }

    #[with_lock(locker = self.locker, key = "tick", on_contention = skip)]
    async fn tick(&self) -> Result<(), PayError> {
        self.began();
        Ok(())
    }

    #[with_lock(locker = self.locker, key = "tick", on_contention = skip)]
    async fn tick_or_none(&self) -> Result<Option<usize>, PayError> {
        self.began();
        Ok(Some(self.bodies()))
    }

    #[with_lock(locker = self.locker, key = "tick", wait = "4s", on_contention = skip(note.len()))]
    async fn tick_or(&self, note: String) -> Result<usize, PayError> {
        self.began();
        drop(note);
        Ok(0)
    }

    #[with_lock(
        locker = self.locker,
        key = "tick",
        wait = Duration::ZERO,
        on_contention = async |busy: Error| Ok(format!("{note} {}", busy.held().unwrap().holders[0])),
    )]
    async fn tick_or_tell(&self, note: String) -> Result<String, PayError> {
        self.began();
        Ok(note)
    }

    #[with_lock(locker = self.locker, key = "tick", wait = "0s", on_contention = busy)]
    async fn tick_or_busy(&self) -> Result<String, PayError> {
        self.began();
        Ok(String::new())
    }
}

async fn busy(error: Error) -> Result<String, PayError> {
    Ok(error.key().unwrap().to_string())
}

/// Turns the clock from deadline to deadline until the future is ready.
async fn run<F: Future>(clock: &VirtualClock, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let Some(output) = support::poll_times(future.as_mut(), 50).await {
            return output;
        }
        let next = clock.next_deadline().unwrap();
        clock.advance(next.since(clock.now())).await;
    }
}

#[tokio::test]
async fn the_body_runs_under_the_key_of_its_arguments_and_gives_it_back() {
    let (shop, _, _clock) = Shop::new();
    assert_eq!(shop.pay(&order(7)).await.unwrap(), 7);
    assert_untouched(&shop.locker, "payment:7").await;
}

#[tokio::test]
async fn the_bodys_own_error_comes_back_as_it_is() {
    let (shop, _, _clock) = Shop::new();
    assert!(matches!(shop.pay(&order(13)).await, Err(PayError::Declined(13))));
    assert_untouched(&shop.locker, "payment:13").await;
}

#[tokio::test]
async fn the_body_never_runs_when_others_hold_the_key_for_all_of_the_wait() {
    let (shop, _, clock) = Shop::new();
    let _held = shop.locker.lock("payment:7").label("other").ttl(secs(60)).await.unwrap();
    let began = shop.locker.runtime().now();
    let paid = run(&clock, shop.pay(&order(7))).await;
    assert_eq!(shop.locker.runtime().now().since(began), secs(5), "the wait of the attribute");
    let error = paid.unwrap_err().lock();
    assert_eq!((error.kind(), error.key().unwrap().as_str()), (ErrorKind::Timeout, "payment:7"));
    assert_eq!(shop.bodies(), 0);
}

#[tokio::test]
async fn the_body_never_runs_when_the_backend_does_not_answer() {
    let (shop, faults, clock) = Shop::new();
    faults.freeze(true);
    let error = run(&clock, shop.pay(&order(7))).await.unwrap_err().lock();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = run(&clock, shop.tick()).await.unwrap_err().lock();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "an outage is not skipped");
    let error = run(&clock, shop.tick_or_busy()).await.unwrap_err().lock();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "and no handler hides it");
    assert_eq!(shop.bodies(), 0);
}

#[tokio::test]
async fn a_lost_lease_drops_the_body_at_the_local_deadline_and_is_returned() {
    let (shop, _, clock) = Shop::new();
    let began = shop.locker.runtime().now();
    let error = run(&clock, shop.slow(secs(60))).await.unwrap_err().lock();
    assert!(error.is_lease_lost());
    assert_eq!(shop.locker.runtime().now().since(began), ms(9_898), "10 s less 1 % and 2 ms");
    assert_eq!(shop.bodies(), 1);
}

#[tokio::test]
async fn the_body_sees_its_lease_under_the_name_that_was_asked_for() {
    let (shop, _, clock) = Shop::new();
    let first = run(&clock, shop.slow(secs(1))).await.unwrap();
    let second = run(&clock, shop.slow(secs(1))).await.unwrap();
    assert!(second > first);
}

#[tokio::test]
async fn a_kept_lease_lasts_until_its_maximum_lifetime() {
    let (shop, _, clock) = Shop::new();
    run(&clock, shop.kept(secs(19))).await.unwrap();
    assert_untouched(&shop.locker, "kept").await;
    let error = run(&clock, shop.kept(secs(30))).await.unwrap_err().lock();
    assert!(error.is_lease_lost());
}

#[tokio::test]
async fn skip_does_not_wait_and_returns_nothing_that_was_not_computed() {
    let (shop, _, clock) = Shop::new();
    let held = shop.locker.lock("tick").await.unwrap();
    let began = clock.now();
    run(&clock, shop.tick()).await.unwrap();
    assert_eq!(run(&clock, shop.tick_or_none()).await.unwrap(), None);
    assert_eq!((clock.now(), shop.bodies()), (began, 0));
    held.release().await.unwrap();
    shop.tick().await.unwrap();
    assert_eq!(shop.tick_or_none().await.unwrap(), Some(2));
}

#[tokio::test]
async fn skip_with_a_value_can_use_the_arguments_and_waits_when_told_to() {
    let (shop, _, clock) = Shop::new();
    let held = shop.locker.lock("tick").await.unwrap();
    let began = shop.locker.runtime().now();
    assert_eq!(run(&clock, shop.tick_or("four".to_owned())).await.unwrap(), 4);
    assert_eq!(shop.locker.runtime().now().since(began), secs(4));
    held.release().await.unwrap();
    assert_eq!(shop.tick_or("four".to_owned()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_handler_learns_the_key_and_who_holds_it_and_answers_for_the_function() {
    let (shop, _, _clock) = Shop::new();
    let held = shop.locker.lock("tick").label("cron").await.unwrap();
    let told = shop.tick_or_tell("taken by".to_owned()).await.unwrap();
    assert!(told.starts_with("taken by ") && told.contains("cron"), "{told}");
    assert_eq!(shop.tick_or_busy().await.unwrap(), "tick");
    assert_eq!(shop.bodies(), 0);
    held.release().await.unwrap();
    assert_eq!(shop.tick_or_busy().await.unwrap(), "");
}

/// A server that has just lost its data.
#[derive(Debug)]
struct Quarantined(MemoryBackend);

#[async_trait]
impl LockBackend for Quarantined {
    async fn try_acquire(&self, _: &AcquireRequest) -> leasehold::Result<TryAcquire> {
        Ok(TryAcquire::Held(Held::because(HeldReason::Quarantine)))
    }

    async fn acquire(&self, _: &AcquireRequest, _: Timestamp) -> leasehold::Result<Acquire> {
        Ok(Acquire::TimedOut(Held::because(HeldReason::Quarantine)))
    }

    async fn extend(&self, key: &LockKey, id: LeaseId, ttl: Ttl) -> leasehold::Result<Extension> {
        self.0.extend(key, id, ttl).await
    }

    async fn release(&self, key: &LockKey, id: LeaseId) -> leasehold::Result<Release> {
        self.0.release(key, id).await
    }

    async fn inspect(&self, key: &LockKey) -> leasehold::Result<KeyState> {
        self.0.inspect(key).await
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn runtime(&self) -> &Runtime {
        self.0.runtime()
    }

    fn batch(&self) -> Option<&dyn BatchBackend> {
        self.0.batch()
    }

    fn admin(&self) -> Option<&dyn AdminBackend> {
        self.0.admin()
    }

    fn downgrader(&self) -> Option<&dyn DowngradeBackend> {
        self.0.downgrader()
    }
}

/// A quarantined server has nobody at work: what is skipped then would not be done at all.
#[tokio::test]
async fn a_quarantine_is_an_error_and_not_contention() {
    let locker = Locker::new(Quarantined(MemoryBackend::new()));
    let ran = AtomicBool::new(false);
    let error = nightly(&locker, &ran).await.unwrap_err();
    assert_eq!(error.held().unwrap().reason, HeldReason::Quarantine);
    assert!(!ran.load(Ordering::SeqCst));
}

#[with_lock(locker = locker, key = "nightly", on_contention = skip)]
async fn nightly(locker: &Locker, ran: &AtomicBool) -> leasehold::Result<()> {
    ran.store(true, Ordering::SeqCst);
    Ok(())
}

/// Which key a call takes, by who holds it while its body runs.
async fn key_of(locker: &Locker<Faulty>, key: &str) -> leasehold::Result<usize> {
    Ok(locker.inspect(key).await?.leases.len())
}

#[with_lock(locker = locker, key = "{{{who}}}:{order.customer.name}/{order.customer.type}")]
async fn braces(
    locker: &Locker<Faulty>,
    who: u8,
    Order { id: _, customer }: &Order,
    order: &Order,
) -> leasehold::Result<usize> {
    key_of(locker, &format!("{{{who}}}:{}/new", customer.name)).await
}

#[with_lock(locker = locker, key = "{x}:{y}:{pair.1.0}:{type}", label = "tester {x}")]
async fn patterns(
    locker: &Locker<Faulty>,
    (x, y): (i32, &str),
    pair: (u8, (u8, u8)),
    r#type: char,
) -> leasehold::Result<String> {
    let state = locker.inspect(format!("{x}:{y}:{}:{type}", pair.1.0, r#type = r#type)).await?;
    Ok(state.leases[0].holder.label().unwrap_or_default().to_owned())
}

#[with_lock(locker = locker, key = format!("orders:{}", orders.len()), label = String::from("l"))]
async fn expressions(locker: &Locker<Faulty>, orders: &[Order]) -> leasehold::Result<usize> {
    key_of(locker, &format!("orders:{}", orders.len())).await
}

#[with_lock(locker = locker, key = "fixed:{{}}")]
async fn fixed(locker: &Locker<Faulty>) -> leasehold::Result<usize> {
    key_of(locker, "fixed:{}").await
}

#[tokio::test]
async fn templates_name_arguments_fields_and_names_within_patterns() {
    let (locker, _, _clock) = manual();
    assert_eq!(braces(&locker, 3, &order(1), &order(2)).await.unwrap(), 1);
    assert_eq!(patterns(&locker, (-1, "y"), (0, (5, 6)), 'c').await.unwrap(), "tester -1");
    assert_eq!(expressions(&locker, &[order(1), order(2)]).await.unwrap(), 1);
    assert_eq!(fixed(&locker).await.unwrap(), 1);
}

#[with_lock(locker = locker, key = "take:{order.id}")]
async fn takes(locker: &Locker<Faulty>, order: Order) -> leasehold::Result<Order> {
    locker.runtime().sleep(Duration::ZERO).await;
    Ok(order)
}

#[with_lock(locker = locker, key = "generic:{name}", ttl = Duration::from_secs(2))]
async fn generic<'a, B, T>(
    locker: &Locker<B>,
    name: impl Display + Send,
    values: &'a mut Vec<T>,
    value: T,
) -> Result<&'a T, PayError>
where
    B: LockBackend + ?Sized,
    T: Clone + Send + Sync,
{
    values.push(value);
    let place = values.len() - 1;
    locker.is_locked("generic").await?;
    Ok(&values[place])
}

#[with_lock(locker = locker, key = "elided:{count}")]
async fn elided(
    locker: &Locker<Faulty>,
    mut count: u32,
    text: &str,
) -> leasehold::Result<impl Display> {
    while count > 0 {
        count -= 1;
        locker.is_locked(text).await?;
    }
    Ok(count)
}

impl Shop {
    #[with_lock(locker = self.locker, key = "{self.tenant}:names")]
    async fn name_of(&self, names: &BTreeMap<u32, String>, id: u32) -> Result<&str, PayError> {
        assert!(self.sees("t1:names").await);
        Ok(if names.contains_key(&id) { self.tenant } else { "nobody" })
    }

    #[with_lock(locker = self.locker, key = "diverges")]
    async fn diverges(&mut self) -> Result<std::convert::Infallible, PayError> {
        *self.bodies.get_mut() += 1;
        loop {
            self.locker.is_locked("k").await?;
            self.locker.revoke("diverges").await?;
            self.locker.runtime().sleep(secs(1)).await;
        }
    }
}

trait Service {
    /// Both a default and an implementation can be locked.
    async fn serve(&self, id: u32) -> leasehold::Result<u32>;

    fn shop(&self) -> &Shop;

    #[with_lock(locker = self.shop().locker, key = "default:{id}")]
    async fn serve_by_default(&self, id: u32) -> leasehold::Result<bool> {
        Ok(self.shop().sees(&format!("default:{id}")).await)
    }
}

impl Service for Arc<Shop> {
    #[with_lock(locker = self.locker, key = "trait:{id}")]
    async fn serve(&self, id: u32) -> leasehold::Result<u32> {
        assert!(self.sees(&format!("trait:{id}")).await);
        Ok(id)
    }

    fn shop(&self) -> &Shop {
        self
    }
}

#[tokio::test]
async fn arguments_can_be_taken_borrowed_changed_and_generic() {
    let (locker, _, _clock) = manual();
    assert_eq!(takes(&locker, order(3)).await.unwrap().id, 3);
    let mut values = vec!["a"];
    assert_eq!(*generic(&locker, 5_u8, &mut values, "b").await.unwrap(), "b");
    assert_eq!(elided(&locker, 2, "k").await.unwrap().to_string(), "0");
    let erased = Locker::new(MemoryBackend::new());
    assert_eq!(*generic(&erased, "x", &mut values, "c").await.unwrap(), "c");
}

#[tokio::test]
async fn methods_and_traits_can_be_locked() {
    let (mut shop, _, clock) = Shop::new();
    assert_eq!(shop.name_of(&BTreeMap::new(), 1).await.unwrap(), "nobody");
    let lost = run(&clock, shop.diverges()).await.unwrap_err().lock();
    assert!(lost.is_lease_lost());
    let shop = Arc::new(shop);
    assert_eq!(shop.serve(4).await.unwrap(), 4);
    assert!(shop.serve_by_default(4).await.unwrap());
}

#[tokio::test]
async fn a_locked_call_can_be_spawned() {
    let (shop, _, _clock) = Shop::new();
    let shop = Arc::new(shop);
    let spawned = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { shop.pay(&order(1)).await }
    });
    assert_eq!(spawned.await.unwrap().unwrap(), 1);
    let locker = shop.locker.clone();
    let taken = tokio::spawn(async move { takes(&locker, order(2)).await.map(|order| order.id) });
    assert_eq!(taken.await.unwrap().unwrap(), 2);
    let spawned = tokio::spawn(async move { shop.tick_or_tell("x".to_owned()).await });
    assert_eq!(spawned.await.unwrap().unwrap(), "x");
}

#[tokio::test]
async fn a_dropped_call_drops_its_body_and_leaves_nothing() {
    let (shop, _, clock) = Shop::new();
    assert!(support::poll_times(shop.slow(secs(5)), 50).await.is_none());
    assert_eq!(shop.bodies(), 1);
    clock.settle().await;
    assert_untouched(&shop.locker, "slow").await;
}

#[tokio::test]
async fn a_minimum_hold_keeps_the_key_taken_after_the_body() {
    let (locker, _, clock) = manual();
    daily(&locker).await.unwrap();
    assert!(locker.is_locked("daily").await.unwrap());
    clock.advance(secs(20)).await;
    assert!(!locker.is_locked("daily").await.unwrap());
}

#[with_lock(locker = locker, key = "daily", ttl = "30s", min_hold = "20s", keep_alive = false)]
async fn daily(locker: &Locker<Faulty>) -> leasehold::Result<()> {
    locker.is_locked("daily").await.map(drop)
}
