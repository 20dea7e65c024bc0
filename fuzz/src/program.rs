//! Programs as text.

use leasehold_testkit::generate::Program;

/// Any text is refused, or a program that is written as it was read.
pub fn program(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(program) = text.parse::<Program>() {
        let written = program.to_string();
        assert_eq!(written.parse::<Program>().as_ref(), Ok(&program), "{written}");
    }
}
