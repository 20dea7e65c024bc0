//! The mocks do what they are told.

#![expect(clippy::unwrap_used, reason = "a bad value fails the test")]

use std::time::Duration;

use leasehold::{
    AcquireRequest, Clock as _, Effect, ErrorKind, Extension, LockBackend, LockKey, Runtime,
    TryAcquire, Ttl, timeout_at,
};
use leasehold_testkit::mock::{Answer, Call, MockLockBackend, ScriptedBackend};

fn request(backend: &dyn LockBackend) -> AcquireRequest {
    let key = LockKey::new("job").unwrap();
    AcquireRequest::new(key, backend.runtime().lease_id(), Ttl::MIN)
}

#[tokio::test]
async fn each_operation_gets_its_own_answers_in_order() {
    let (runtime, _clock) = Runtime::manual(7);
    let backend = ScriptedBackend::new(
        runtime,
        [
            Answer::held(),
            Answer::Extend(Ok(Extension::Lost)),
            Answer::Grant,
            Answer::Grant,
            Answer::unknown_extend(),
        ],
    );
    let request = request(&backend);
    let (key, id) = (request.key(), request.id());
    assert!(matches!(backend.try_acquire(&request).await, Ok(TryAcquire::Held(_))));
    let Ok(TryAcquire::Granted(first)) = backend.try_acquire(&request).await else {
        panic!("not granted");
    };
    assert_eq!(backend.extend(key, id, Ttl::MIN).await.unwrap(), Extension::Lost);
    let lost = backend.extend(key, id, Ttl::MIN).await.unwrap_err();
    assert_eq!((lost.kind(), lost.effect()), (ErrorKind::Unavailable, Effect::Unknown));
    let Ok(TryAcquire::Granted(second)) = backend.try_acquire(&request).await else {
        panic!("not granted");
    };
    assert!(first.token < second.token);
    assert_eq!(backend.answers_left(), 0);
    assert_eq!(backend.calls().len(), 5);
    assert_eq!(backend.calls()[2], Call::Extend(key.clone(), id, Ttl::MIN));
}

#[tokio::test]
async fn a_script_that_has_ended_says_so() {
    let (runtime, _clock) = Runtime::manual(7);
    let backend = ScriptedBackend::new(runtime, []);
    let request = request(&backend);
    let error = backend.try_acquire(&request).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Internal, Effect::None));
    assert_eq!(error.operation(), Some("try_acquire"));
    assert!(backend.release(request.key(), request.id()).await.is_err());
    assert!(backend.inspect(request.key()).await.is_err());
    assert_eq!(backend.calls().len(), 3);
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_the_caller_to_its_own_timeout() {
    let (runtime, clock) = Runtime::manual(7);
    let backend = ScriptedBackend::new(runtime, [Answer::TryAcquireNever]);
    let request = request(&backend);
    let deadline = clock.now() + Duration::from_secs(5);
    let (waited, ()) =
        tokio::join!(timeout_at(&clock, deadline, backend.try_acquire(&request)), async {
            clock.jump_to(deadline);
        },);
    assert!(waited.is_none(), "it answered: {waited:?}");
}

#[tokio::test]
async fn the_mock_is_a_backend_with_expectations() {
    let (runtime, _clock) = Runtime::manual(7);
    let mut backend = MockLockBackend::on(runtime);
    backend.expect_extend().times(2).returning(|_, _, _| Ok(Extension::Extended));
    assert!(backend.admin().is_none() && backend.batch().is_none());
    let backend: std::sync::Arc<dyn LockBackend> = std::sync::Arc::new(backend);
    let request = request(&*backend);
    for _ in 0..2 {
        let extended = backend.extend(request.key(), request.id(), Ttl::MIN).await;
        assert_eq!(extended.unwrap(), Extension::Extended);
    }
}
