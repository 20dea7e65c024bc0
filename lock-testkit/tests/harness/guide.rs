//! The guide shows what is tested.

/// The code of the guide's part on services, piece by piece.
fn pieces(guide: &str) -> Vec<&str> {
    let (_, part) = guide.split_once("## Your own service").expect("the part");
    part.split("```rust\n").skip(1).filter_map(|piece| piece.split("```").next()).collect()
}

#[test]
fn the_code_of_the_guide_is_that_of_the_inventory() {
    let guide = include_str!("../../../docs/simulator.md");
    let inventory = include_str!("../../examples/services/inventory.rs");
    let services = include_str!("services.rs");
    let pieces = pieces(guide);
    assert!(pieces.len() >= 3, "{}", pieces.len());
    for piece in pieces {
        let known = inventory.contains(piece) || services.contains(piece);
        assert!(known, "not in the tested files:\n{piece}");
    }
}

/// The lines of code after this comment.
fn lines_after(file: &str, comment: &str) -> usize {
    let (_, rest) = file.split_once(comment).expect("the comment");
    let code = rest.lines().map(str::trim);
    code.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn a_user_writes_at_most_40_lines_for_the_harness() {
    let services = [
        include_str!("../../examples/services/inventory.rs"),
        include_str!("../../examples/services/payment.rs"),
        include_str!("../../examples/services/store.rs"),
    ];
    for service in services {
        let lines = lines_after(service, "// What the harness needs.");
        assert!((1..=40).contains(&lines), "{lines}");
    }
}
