//! The trait serves static generics and trait objects alike, and its futures can be spawned: proven by compiling.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fmt::Debug, future::Future, sync::Arc};

use leasehold::{
    AcquireRequest, LeaseId, LockBackend, LockKey, Locker, Release, Timestamp, TryAcquire, Ttl,
    poll_acquire,
};
use leasehold_memory::MemoryBackend;

fn request(name: &str) -> AcquireRequest {
    let id = LeaseId::from_bytes([7; 16]);
    AcquireRequest::new(LockKey::new(name).unwrap(), id, Ttl::MAX)
}

/// A user that knows the backend's type.
async fn through_generics<B: LockBackend>(backend: B) -> Release {
    let request = request("generic");
    let TryAcquire::Granted(_) = backend.try_acquire(&request).await.unwrap() else {
        panic!("not granted");
    };
    backend.release(request.key(), request.id()).await.unwrap()
}

/// A user that takes any backend by reference, sized or not.
async fn through_reference(backend: &(impl LockBackend + ?Sized)) -> Release {
    let request = request("reference");
    poll_acquire(backend, &request, Timestamp::MAX).await.unwrap();
    backend.release(request.key(), request.id()).await.unwrap()
}

/// A user that knows nothing.
async fn through_object(backend: &dyn LockBackend) -> Release {
    through_reference(backend).await
}

fn is_backend<B: LockBackend>() {}

fn is_shared<T: Debug + Send + Sync + 'static>() {}

const fn is_spawnable<F: Future + Send>(future: F) -> F {
    future
}

#[test]
fn pointers_to_backends_are_backends() {
    is_backend::<MemoryBackend>();
    is_backend::<Arc<MemoryBackend>>();
    is_backend::<Box<MemoryBackend>>();
    is_backend::<Arc<dyn LockBackend>>();
    is_backend::<Box<dyn LockBackend>>();
    is_backend::<Arc<Box<Arc<dyn LockBackend>>>>();
}

#[test]
fn objects_and_lockers_are_send_and_sync() {
    is_shared::<Arc<dyn LockBackend>>();
    is_shared::<Locker>();
    is_shared::<Locker<MemoryBackend>>();
}

#[tokio::test]
async fn every_shape_works() {
    let backend = MemoryBackend::new();
    let erased: Arc<dyn LockBackend> = Arc::new(backend.clone());
    assert_eq!(through_generics(backend).await, Release::Released);
    assert_eq!(through_reference(&erased).await, Release::Released);
    assert_eq!(through_generics(fresh()).await, Release::Released);
    assert_eq!(through_object(&*fresh()).await, Release::Released);
    let boxed: Box<dyn LockBackend> = Box::new(MemoryBackend::new());
    assert_eq!(through_generics(boxed).await, Release::Released);
}

#[tokio::test]
async fn the_futures_can_be_spawned() {
    let erased = fresh();
    let task = async move {
        let request = request("spawned");
        is_spawnable(erased.try_acquire(&request)).await.unwrap();
        is_spawnable(erased.acquire(&request, Timestamp::MAX)).await.unwrap();
        is_spawnable(erased.extend(request.key(), request.id(), Ttl::MIN)).await.unwrap();
        is_spawnable(erased.inspect(request.key())).await.unwrap();
        is_spawnable(erased.release(request.key(), request.id())).await.unwrap()
    };
    assert_eq!(tokio::spawn(task).await.unwrap(), Release::Released);
    let task = tokio::spawn(through_generics(fresh()));
    assert_eq!(task.await.unwrap(), Release::Released);
}

fn fresh() -> Arc<dyn LockBackend> {
    Arc::new(MemoryBackend::new())
}
