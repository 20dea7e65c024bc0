//! `list`: which keys are in use.

use std::collections::BTreeSet;

use leasehold::{ListRequest, ListedKey, LockBackend, LockKey, Release};

use crate::suite::trial::{Trial, world};

/// Names that a server could take for something else than text.
const AWKWARD: [&str; 14] = [
    "plain",
    "{tag}",
    "{",
    "}",
    "a*",
    "a?b",
    "[ab]",
    "\\",
    "\\*",
    "100%",
    "100%25",
    "with space",
    "ключ",
    "日本",
];

async fn page(trial: &Trial, request: &ListRequest) -> leasehold::KeyPage {
    let Some(admin) = trial.backend.admin() else {
        panic!("the backend declares `revoke` but has no admin()");
    };
    world(admin.list(request).await)
}

/// All pages, in the order in which they came.
async fn list(trial: &Trial, prefix: &str, page_size: usize) -> Vec<ListedKey> {
    let first = world(ListRequest::new(prefix).and_then(|request| request.page_size(page_size)));
    let (mut listed, mut request) = (Vec::new(), first.clone());
    let mut cursors = BTreeSet::new();
    loop {
        let page = page(trial, &request).await;
        listed.extend(page.keys);
        match page.next {
            Some(next) => {
                assert!(cursors.insert(next.to_string()), "the listing goes round in circles");
                request = first.clone().after(next);
            }
            None => return listed,
        }
    }
}

async fn names(trial: &Trial, prefix: &str, page_size: usize) -> BTreeSet<LockKey> {
    list(trial, prefix, page_size).await.into_iter().map(|listed| listed.key).collect()
}

pub(crate) async fn g8_a_listing_has_exactly_the_held_keys_of_its_prefix(trial: &Trial) {
    let mut held = BTreeSet::new();
    for name in ["a:1", "a:2", "a", "ab", "b:1"] {
        held.insert(trial.hold(&trial.key(name)).await.key);
    }
    for prefix in ["", "a", "a:", "a:1", "a:12", "b", "c"] {
        let prefix = trial.key_text(prefix);
        let expected: BTreeSet<_> =
            held.iter().filter(|key| key.as_str().starts_with(&prefix)).cloned().collect();
        assert_eq!(names(trial, &prefix, 100).await, expected, "under {prefix:?}");
    }
}

/// No character of a prefix or of a key is a pattern.
pub(crate) async fn g8_a_prefix_is_taken_literally(trial: &Trial) {
    let mut held = BTreeSet::new();
    for name in AWKWARD {
        held.insert(trial.hold(&trial.key(name)).await.key);
    }
    for prefix in AWKWARD.iter().chain(&["*", "?", "[a-z]", "a", "1", "日"]) {
        let prefix = trial.key_text(prefix);
        let expected: BTreeSet<_> =
            held.iter().filter(|key| key.as_str().starts_with(&prefix)).cloned().collect();
        assert_eq!(names(trial, &prefix, 100).await, expected, "under {prefix:?}");
    }
}

pub(crate) async fn g8_pages_together_have_every_held_key(trial: &Trial) {
    let mut held = BTreeSet::new();
    for number in 0..25 {
        held.insert(trial.hold(&trial.key(&format!("page:{number}"))).await.key);
    }
    for page_size in [1, 2, 7, 25, 1_000] {
        assert_eq!(names(trial, &trial.key_text("page:"), page_size).await, held, "by {page_size}");
    }
}

pub(crate) async fn g8_a_key_that_is_free_again_is_not_listed(trial: &Trial) {
    let released = trial.hold(&trial.key("released")).await;
    assert_eq!(trial.release(&released).await, Release::Released);
    trial.grant(&trial.request(&trial.key("over"), trial.short())).await;
    trial.pass(trial.short().get()).await;
    let kept = trial.hold(&trial.key("kept")).await;
    assert_eq!(names(trial, &trial.key_text(""), 100).await, BTreeSet::from([kept.key]));
}

pub(crate) async fn g8_a_listed_key_says_who_holds_it_and_who_waits(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    let waiting = trial.queue(&trial.request(&lease.key, trial.long()), 1).await;
    let listed = list(trial, lease.key.as_str(), 100).await.remove(0);
    let read = trial.inspect(&lease.key).await;
    assert_eq!(listed.key, lease.key);
    let facts = |state: &leasehold::KeyState| {
        let leases: Vec<_> = state.leases.iter().map(|it| (it.holder.clone(), it.token)).collect();
        let waiters: Vec<_> = state.waiters.iter().map(|it| it.holder.clone()).collect();
        (leases, waiters)
    };
    assert_eq!(facts(&listed.state), facts(&read));
    assert_eq!((listed.state.leases.len(), listed.state.waiters.len()), (1, 1));
    trial.cancel(waiting).await;
}

pub(crate) async fn g8_a_listing_changes_nothing(trial: &Trial) {
    let lease = trial.hold(&trial.key("a")).await;
    for _ in 0..3 {
        assert_eq!(list(trial, lease.key.as_str(), 1).await.len(), 1);
    }
    assert_eq!(trial.release(&lease).await, Release::Released);
}
