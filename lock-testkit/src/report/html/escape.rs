//! Text that stays text wherever it stands in the page.

use serde::Serialize;

/// For element content and quoted attributes.
pub(super) fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// JSON for a `<script>` element. Outside of strings JSON has none of these letters, so escaping them keeps it the
/// same JSON, and no tag, comment or entity can begin in it.
pub(super) fn json(value: &impl Serialize) -> String {
    // Plain data with string keys: serializing it can't fail.
    let plain = serde_json::to_string(value).unwrap_or_default();
    let mut safe = String::with_capacity(plain.len());
    for letter in plain.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            other => safe.push(other),
        }
    }
    safe
}
