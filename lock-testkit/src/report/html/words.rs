//! Long times in a unit that people read.

/// The text with every time of five or more digits of nanoseconds in a greater unit, to the last digit: `1200000
/// ns` becomes `1.2 ms`. Quoted parts are names and stay as they are.
pub(super) fn readable(text: &str) -> String {
    let quoted = text.split('"').enumerate();
    let parts: Vec<String> = quoted
        .map(|(index, part)| if index % 2 == 0 { times(part) } else { part.to_owned() })
        .collect();
    parts.join("\"")
}

fn times(text: &str) -> String {
    let mut pieces = text.split(" ns");
    let mut told = String::with_capacity(text.len());
    let mut piece = pieces.next().unwrap_or_default();
    for next in pieces {
        let start = piece
            .rfind(|letter: char| !letter.is_ascii_digit())
            .map_or(0, |at| at + piece[at..].chars().next().map_or(1, char::len_utf8));
        let ends = !next.starts_with(|letter: char| letter.is_alphanumeric());
        let (before, digits) = piece.split_at(start);
        // A name such as `c1` is not a number.
        let number = !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '.');
        told.push_str(before);
        match digits.len() {
            5..=20 if ends && number => told.push_str(&in_unit(digits)),
            _ => told.push_str(&format!("{digits} ns")),
        }
        piece = next;
    }
    told + piece
}

fn in_unit(digits: &str) -> String {
    let (unit, places) = match digits.len() {
        10.. => ("s", 9),
        7.. => ("ms", 6),
        _ => ("µs", 3),
    };
    let (whole, rest) = digits.split_at(digits.len() - places);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { format!("{whole} {unit}") } else { format!("{whole}.{rest} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn long_times_are_written_in_a_greater_unit_and_stay_exact() {
        let cases = [
            ("in [81000000 ns, 100000000 ns)", "in [81 ms, 100 ms)"),
            ("at 12345 ns", "at 12.345 µs"),
            ("at 9999 ns", "at 9999 ns"),
            ("at 1000000001 ns.", "at 1.000000001 s."),
            ("\"12345 ns\" at 12300 ns", "\"12345 ns\" at 12.3 µs"),
            ("c12345 ns, 12345 nsx", "c12345 ns, 12345 nsx"),
            ("é12345 ns é", "é12345 ns é"),
        ];
        for (text, expected) in cases {
            assert_eq!(readable(text), expected);
        }
    }
}
