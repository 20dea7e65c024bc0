//! The rows as a table, between two marks of a page.

use std::path::Path;

use super::{Machine, Row};
use crate::Outcome;

const BEGIN: &str = "<!-- figures: written by leasehold-benches, don't edit -->";
const END: &str = "<!-- end of figures -->";

pub(super) fn write(rows: &[Row], machine: &Machine, file: &Path) -> Outcome<()> {
    let page = std::fs::read_to_string(file)
        .map_err(|error| format!("can't read {}: {error}", file.display()))?;
    std::fs::write(file, put_into(&page, &table(rows, machine))?)?;
    Ok(())
}

/// The page with this text between its marks.
fn put_into(page: &str, text: &str) -> Outcome<String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_old, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("the page lacks `{BEGIN}` or `{END}`"))?;
    Ok(format!("{before}{BEGIN}\n\n{text}\n{END}{after}"))
}

fn table(rows: &[Row], machine: &Machine) -> String {
    let mut text = machine.lines().join("  \n") + "\n";
    let mut section = "";
    for row in rows {
        let (first, rest) = row.name.split_once('/').unwrap_or((&row.name, ""));
        if first != section {
            section = first;
            text += &format!(
                "\n### {first}\n\n| | figure | unit | target | |\n|---|---|---|---|---|\n"
            );
        }
        let why = row.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        text += &format!(
            "| {rest} | {} | {} | {} | {}{why} |\n",
            row.figure(),
            row.unit,
            row.target(),
            row.verdict.word()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_stood_between_the_marks_is_replaced_and_the_rest_stays() {
        let page = format!("# Title\n{BEGIN}\nold\n{END}\nfoot\n");
        let once = put_into(&page, "new").unwrap();
        assert_eq!(once, format!("# Title\n{BEGIN}\n\nnew\n{END}\nfoot\n"));
        assert_eq!(put_into(&once, "new").unwrap(), once);
    }

    #[test]
    fn a_page_without_the_marks_is_refused() {
        assert!(put_into("# Title\n", "new").is_err());
    }
}
