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
