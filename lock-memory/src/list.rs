//! Listing the keys in use.

use leasehold::{Clock, Cursor, KeyPage, ListRequest, ListedKey};

use crate::{keys::Keys, waiters::Wakers};

/// One page, in the order of the keys; the cursor is the last key looked at.
///
/// Each page walks over the names of all keys: they have no order in the map.
pub(crate) fn list(keys: &Keys, clock: &dyn Clock, request: &ListRequest) -> KeyPage {
    let after = request.cursor().map(Cursor::as_str);
    let mut names = keys
        .names(|name| name.starts_with(request.prefix()) && after.is_none_or(|after| name > after));
    names.sort_unstable();
    let mut page = KeyPage::default();
    let mut names = names.into_iter();
    while page.keys.len() < request.page() {
        let Some(key) = names.next() else {
            return page;
        };
        let state = keys
            .with_known(clock, &key, |entry, now| (entry.state.inspect(now), Wakers::default()));
        if let Some(state) = state.filter(leasehold::KeyState::is_in_use) {
            page.keys.push(ListedKey { key, state });
        }
    }
    if names.next().is_some() {
        let last = page.keys.last().map(|listed: &ListedKey| listed.key.as_str());
        page.next = last.map(Cursor::new);
    }
    page
}
