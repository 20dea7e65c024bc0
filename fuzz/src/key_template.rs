//! The key templates of `#[with_lock]`: what is one, and that it reads as it was written.

// A macro crate exports macros only.
#[path = "../../lock-api/macros/src/template.rs"]
mod template;

use template::{Piece, parse};

/// Any text is either refused with a readable reason that points into it, or taken apart so that it can be put together.
pub fn key_template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match parse(text) {
        Ok(pieces) => {
            assert!(!pieces.is_empty(), "made nothing of {text:?}");
            assert_eq!(written(&pieces), text);
        }
        Err(flaw) => {
            assert!(text.is_char_boundary(flaw.at), "byte {} of {text:?}", flaw.at);
            assert!(!flaw.to_string().is_empty());
            let braces = text.contains(['{', '}']);
            assert!(braces || text.is_empty(), "refused plain text {text:?}: {flaw}");
        }
    }
}

/// The template that these pieces come from; there is only one.
fn written(pieces: &[Piece<'_>]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(&plain.replace('{', "{{").replace('}', "}}")),
            Piece::Place(names) => {
                assert!(
                    names
                        .iter()
                        .all(|name| !name.is_empty() && !name.contains(char::is_whitespace))
                );
                text.push_str(&format!("{{{}}}", names.join(".")));
            }
        }
    }
    text
}
