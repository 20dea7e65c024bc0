//! Pages: self-contained, true to the history, safe whatever the labels say, bounded.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::*;
use crate::check::differential::{Shape, busy_history, random_history};
use crate::check::lock::{Options, check};
use crate::history::{Call, HistoryBuilder, LeaseRequest, Outcome};
use crate::report::Replay;

mod bars;

const OPENING: &str = "<script type=\"application/json\" id=\"data\">";

fn page_of(history: &History, options: &Options, faults: &[FaultBand]) -> (String, Report) {
    let report = Report::new(history, options, &check(history, options), Replay::default());
    (html(history, &report, faults), report)
}

fn embedded(page: &str) -> Data {
    let (_, after) = page.split_once(OPENING).unwrap();
    serde_json::from_str(after.split_once("</script>").unwrap().0).unwrap()
}

/// The history that the page carries, read as a history file is.
fn carried(data: &Data) -> History {
    let mut lines: Vec<(usize, serde_json::Value)> = Vec::new();
    for (number, op) in data.ops.iter().enumerate() {
        let mut say = |moment: (usize, u64), extra: serde_json::Value| {
            let mut line = serde_json::json!({ "t": moment.1, "op": number });
            line.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            lines.push((moment.0, line));
        };
        say(op.invoked, serde_json::json!({ "client": op.client, "invoke": op.call }));
        if let Some(moment) = op.enqueued {
            say(moment, serde_json::json!({ "enqueued": true }));
        }
        if let Some(moment) = op.returned {
            say(moment, serde_json::json!({ "return": op.outcome }));
        }
        if let Some(moment) = op.settled {
            say(moment, serde_json::json!({ "settled": true }));
        }
    }
    lines.sort_by_key(|(index, _)| *index);
    let mut text = String::from("{\"leasehold_history\":1}\n");
    for (_, line) in lines {
        text.push_str(&format!("{line}\n"));
    }
    History::read_from(text.as_bytes()).unwrap()
}

fn sample(name: &str) -> History {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    History::read_from(BufReader::new(File::open(path).unwrap())).unwrap()
}

const SAMPLES: [&str; 6] = [
    "ok.jsonl",
    "queue.jsonl",
    "shared.jsonl",
    "violation-double-grant.jsonl",
    "violation-late-extend.jsonl",
    "violation-order.jsonl",
];

/// Two clients on one key, both granted, with this text wherever a text can be.
fn named(text: &str) -> History {
    let mut builder = HistoryBuilder::new();
    for token in 1..=2 {
        let (client, lease) = (format!("{text}{token}"), format!("{text}.{token}"));
        let call = Call::TryAcquire(LeaseRequest::exclusive(lease, text, 1_000));
        let op = builder.invoke(token, client.as_str(), call).unwrap();
        builder.returned(token, op, Outcome::Granted { token, ttl_ns: 1_000 }).unwrap();
    }
    let op = builder.invoke(9, text, Call::Revoke { key: text.into() }).unwrap();
    let kind = Some(text.into());
    let effect = crate::history::Effect::Unknown;
    builder.returned(9, op, Outcome::Error { effect, kind }).unwrap();
    builder.finish()
}

#[test]
fn a_page_asks_nothing_of_the_network() {
    for name in SAMPLES {
        let (page, _) = page_of(&sample(name), &Options::default(), &[]);
        let page = page.to_lowercase();
        let outside =
            ["http:", "https:", "//www", "src=", "@import", "url(", "<link", "fetch(", "import("];
        for outside in outside {
            assert!(!page.contains(outside), "{name}: {outside}");
        }
        assert!(page.contains("content-security-policy\" content=\"default-src 'none'"), "{name}");
        assert!(!page.contains("{{"), "{name}: something was not filled in");
    }
}

#[test]
fn a_page_carries_the_whole_history() {
    let mut seen = 0;
    for name in SAMPLES {
        let history = sample(name);
        let (page, report) = page_of(&history, &Options::default(), &[]);
        let data = embedded(&page);
        assert_eq!(carried(&data), history, "{name}");
        assert_eq!(data.word, report.word, "{name}");
    }
    for seed in 0..400 {
        let case = random_history(seed, 9);
        let (page, _) = page_of(&case.history, &case.options, &[]);
        assert_eq!(carried(&embedded(&page)), case.history, "seed {seed}");
        seen += usize::from(case.history.operations().iter().any(|op| op.settled.is_some()));
    }
    assert!(seen > 50, "{seen} with unknown outcomes");
}

#[test]
fn a_page_marks_the_operations_of_the_core_and_says_what_is_wrong() {
    for name in SAMPLES {
        let (page, report) = page_of(&sample(name), &Options::default(), &[]);
        let data = embedded(&page);
        let marked: Vec<usize> = data.core.iter().map(|told| told.op).collect();
        let core = report.core.as_ref().map(|core| &core.operations);
        let core: Vec<usize> = core.into_iter().flatten().map(|op| op.0).collect();
        assert_eq!(marked, core, "{name}");
        assert_eq!(marked.is_empty(), !name.starts_with("violation"), "{name}");
        let headline = report.sentence.as_deref().map_or_else(
            || "<h1>The specification of leases allows this history</h1>".to_owned(),
            |sentence| format!("<h1>{}</h1>", text(&readable(sentence))),
        );
        assert!(page.contains(&headline), "{name}: {headline}");
        if let Some(impasse) = data.impasse {
            assert!(data.core.iter().any(|told| told.op == impasse.op), "{name}");
        }
    }
}

#[test]
fn a_limit_that_was_reached_is_said() {
    let mut options = Options::default();
    options.limits.explored = 1;
    let (page, report) = page_of(&sample("queue.jsonl"), &options, &[]);
    assert_eq!(report.word, "unknown");
    assert!(page.contains("<h1>No verdict: the limit was reached ("), "no headline");
}

#[test]
fn labels_never_become_markup() {
    let hostile = [
        "</script><script>hit()</script>",
        "<!--<script>",
        "]]><img onerror=hit()>",
        "'\" onload='hit()' x=\"",
        "{{data}}{{scripts}}",
        "&lt;b&gt;",
        "\u{2028}\u{2029}\\\"",
        "${hit()}`",
        "<\u{0}\u{1b}[31m\n\r\t",
    ];
    let tags = |page: &str| [page.matches('<').count(), page.matches('>').count()];
    let told = |text: &str| {
        let faults = [FaultBand::new(0, 9, text).on(text)];
        let history = named(text);
        let (page, _) = page_of(&history, &Options::default(), &faults);
        let data = embedded(&page);
        assert_eq!(carried(&data), history, "{text:?}");
        assert_eq!(data.faults, faults, "{text:?}");
        page
    };
    let harmless = tags(&told("harmless"));
    for text in hostile {
        let page = told(text);
        assert_eq!(tags(&page), harmless, "{text:?}");
        let (_, json) = page.split_once(OPENING).unwrap();
        let json = json.split_once("</script>").unwrap().0;
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text:?}");
    }
}

#[test]
fn a_page_of_ten_thousand_operations_is_bounded_in_size() {
    let shape = Shape { operations: 10_000, clients: 12, ttl_ns: 2_000, lost: 10, waits: true };
    let history = busy_history(shape, 1).unwrap();
    let (page, _) = page_of(&history, &Options::default(), &[]);
    let empty = page_of(&HistoryBuilder::new().finish(), &Options::default(), &[]).0.len();
    assert!(empty < 64 << 10, "{empty} bytes of page");
    let each = (page.len() - empty) / history.len();
    assert!(each < 400, "{each} bytes for each operation");
}
