//! How a backend is started for a case.

use std::{any::Any, fmt, future::Future, sync::Arc, time::Duration};

use leasehold::{LockBackend, VirtualClock};

/// Starts a backend for one case. Every case gets a start of its own.
///
/// ```
/// use leasehold_testkit::suite::{Fixture, Running};
/// # use leasehold::LockBackend;
/// # trait Open { fn open() -> Self; }
///
/// struct MyFixture;
/// # struct MyBackend;
///
/// # #[cfg(any())]
/// impl Fixture for MyFixture {
///     type Backend = MyBackend;
///
///     async fn start(&self) -> Running<MyBackend> {
///         let server = Server::start();
///         Running::on_real_time(MyBackend::connect(server.url())).with_guard(server)
///     }
/// }
/// ```
pub trait Fixture: Send + Sync {
    /// The backend that is put to the test.
    type Backend: LockBackend;

    /// Starts it. This runs on a single-threaded tokio runtime that lives as long as the case.
    ///
    /// A server may be shared between cases: their keys are random, and nothing is ever flushed.
    fn start(&self) -> impl Future<Output = Running<Self::Backend>> + Send;
}

/// The time that a backend under test lives in.
#[derive(Clone, Debug)]
pub enum TestTime {
    /// This clock: the cases turn it, and look at exact instants.
    Virtual(VirtualClock),
    /// Tokio's time: the cases wait, and look only where the contract is certain. A fixture that calls
    /// [`tokio::time::pause`] belongs here too.
    Real,
}

/// A started backend.
pub struct Running<B> {
    pub(crate) backend: B,
    pub(crate) time: TestTime,
    pub(crate) patience: Option<Duration>,
    pub(crate) guard: Option<Box<dyn Any + Send>>,
}

impl<B> Running<B> {
    /// A backend that lives on this clock.
    #[must_use]
    pub const fn on_virtual_time(backend: B, clock: VirtualClock) -> Self {
        Self::new(backend, TestTime::Virtual(clock))
    }

    /// A backend that lives in real time.
    #[must_use]
    pub const fn on_real_time(backend: B) -> Self {
        Self::new(backend, TestTime::Real)
    }

    const fn new(backend: B, time: TestTime) -> Self {
        Self { backend, time, patience: None, guard: None }
    }

    /// Cleans up when it is dropped, after the backend: the server that the fixture started.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    /// How long after a key became free a waiter may still wait (G7).
    ///
    /// Otherwise it is 30 s in real time, where a case must not fail because the machine is busy; on
    /// a virtual clock nothing with a queue, 2 s without.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The same run of a backend made from this one.
    #[must_use]
    pub fn map<C>(self, wrap: impl FnOnce(B) -> C) -> Running<C> {
        Running {
            backend: wrap(self.backend),
            time: self.time,
            patience: self.patience,
            guard: self.guard,
        }
    }
}

impl<B: fmt::Debug> fmt::Debug for Running<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("backend", &self.backend)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// The fixture's backend as `Arc<T>`.
#[derive(Clone, Copy, Debug)]
pub struct InArc<F>(pub F);

impl<F: Fixture> Fixture for InArc<F> {
    type Backend = Arc<F::Backend>;

    async fn start(&self) -> Running<Self::Backend> {
        self.0.start().await.map(Arc::new)
    }
}

/// The fixture's backend as `Box<T>`.
#[derive(Clone, Copy, Debug)]
pub struct InBox<F>(pub F);

impl<F: Fixture> Fixture for InBox<F> {
    type Backend = Box<F::Backend>;

    async fn start(&self) -> Running<Self::Backend> {
        self.0.start().await.map(Box::new)
    }
}

/// The fixture's backend as `Arc<dyn LockBackend>`.
#[derive(Clone, Copy, Debug)]
pub struct Erased<F>(pub F);

impl<F: Fixture> Fixture for Erased<F> {
    type Backend = Arc<dyn LockBackend>;

    async fn start(&self) -> Running<Self::Backend> {
        let erase = |backend| Arc::new(backend) as Arc<dyn LockBackend>;
        self.0.start().await.map(erase)
    }
}
