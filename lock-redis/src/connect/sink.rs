//! Why a pool has no connection: it only says that it waited in vain.

use std::sync::Arc;

use bb8_redis::bb8::ErrorSink;
use leasehold::Error;
use tokio::sync::watch;

/// The last failure to connect, for those who wait for a connection.
#[derive(Clone, Debug)]
pub(super) struct Failures(Arc<watch::Sender<Option<Arc<Error>>>>);

impl Failures {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::channel(None).0))
    }

    /// Waits for a failure that comes after this call.
    pub(super) async fn next(&self) -> Arc<Error> {
        let mut last = self.0.subscribe();
        loop {
            // The sender lives in `self`.
            let _changed = last.changed().await;
            if let Some(error) = &*last.borrow_and_update() {
                return Arc::clone(error);
            }
        }
    }
}

impl ErrorSink<Error> for Failures {
    fn sink(&self, error: Error) {
        self.0.send_replace(Some(Arc::new(error)));
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<Error>> {
        Box::new(self.clone())
    }
}
