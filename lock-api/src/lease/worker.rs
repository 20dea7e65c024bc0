//! A background task of a locker: started when first needed, started again if its executor went away.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::Runtime;

/// Whether the task runs. A locker may outlive the executor it was first used on (a `static` in tests,
/// for one): the task dies with it and is started on the next.
#[derive(Debug, Default)]
pub(crate) struct Worker(Arc<AtomicBool>);

impl Worker {
    /// Starts `task` unless it runs.
    pub(crate) fn ensure<F>(&self, runtime: &Runtime, task: impl FnOnce() -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.0.load(Ordering::Acquire) || self.0.swap(true, Ordering::AcqRel) {
            return;
        }
        let running = Running(Arc::clone(&self.0));
        let task = task();
        runtime.spawn(Box::pin(async move {
            let _running = running;
            task.await;
        }));
    }
}

struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
