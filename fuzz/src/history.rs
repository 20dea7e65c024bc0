//! Recorded histories: reading, writing, and checking what was read.

use leasehold_testkit::{
    check::{
        Limits,
        lock::{Options, check},
    },
    history::{History, HistoryError},
};

/// Any bytes are either refused with the place in the text, or a history that is written as it was read, and that
/// the checker comes to an end with.
pub fn history(data: &[u8]) {
    let history = match History::read_from(data) {
        Ok(history) => history,
        Err(HistoryError::Syntax { line, .. }) => {
            assert!(line >= 1 && line <= data.split(|byte| *byte == b'\n').count());
            return;
        }
        Err(_) => return,
    };
    let mut text = Vec::new();
    history.write_to(&mut text).expect("a vector takes what is written");
    let again = History::read_from(&*text).expect("what was written can be read");
    assert_eq!(again, history, "{}", String::from_utf8_lossy(&text));

    let limits = Limits { explored: 2_000, alive: 200 };
    let checked = check(&history, &Options { limits, ..Options::default() });
    assert!(checked.explored <= 2 * limits.explored, "explored {}", checked.explored);
}
