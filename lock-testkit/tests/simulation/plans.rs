//! Plans as values and as text.

use leasehold_testkit::sim::{FaultPlan, Kinds, plans};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_plan_survives_its_text(plan in plans(Kinds::All, 3, 8, &["write", "read-2"])) {
        let text = plan.to_string();
        prop_assert_eq!(text.parse::<FaultPlan>(), Ok(plan.clone()), "{}", text);
        let lines = text.replace("; ", "\n");
        prop_assert_eq!(lines.parse::<FaultPlan>(), Ok(plan), "{}", lines);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z0-9 .;#+\\-\n\u{e4}]{0,60}") {
        let _read = text.parse::<FaultPlan>();
    }
}
