//! What stands in a template: text and places. Plain functions over text, so that the fuzz targets can include this
//! file too: a macro crate exports nothing but macros.

use std::fmt;

/// One part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text as it will stand in the result, its braces written once.
    Text(String),
    /// The value of an argument or of a field: `order.id` is the names `order` and `id`. Never empty.
    Place(Vec<&'a str>),
}

/// Why a template is none, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flaw<'a> {
    pub(crate) at: usize,
    pub(crate) kind: FlawKind<'a>,
}

/// Why a template is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlawKind<'a> {
    Empty,
    Unclosed,
    Unopened,
    EmptyPlace,
    Position(&'a str),
    Format(&'a str),
    NoPath(&'a str),
}

impl fmt::Display for Flaw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        match self.kind {
            FlawKind::Empty => f.write_str("it is empty"),
            FlawKind::Unclosed => write!(f, "`{{` at byte {at} is not closed (`{{{{` is a brace)"),
            FlawKind::Unopened => write!(f, "`}}` at byte {at} closes nothing (`}}}}` is a brace)"),
            FlawKind::EmptyPlace => write!(f, "`{{}}` at byte {at} names no argument"),
            FlawKind::Position(place) => {
                write!(f, "`{{{place}}}` is a position: use the argument's name")
            }
            FlawKind::Format(place) => {
                write!(f, "`{{{place}}}` has a format: values are written as `Display` does")
            }
            FlawKind::NoPath(place) => {
                write!(f, "`{{{place}}}` is not the name of an argument, or of a field of one")
            }
        }
    }
}

/// Reads a template: `{name.field}` is a place, `{{` and `}}` are braces, all else is text.
pub(crate) fn parse(template: &str) -> Result<Vec<Piece<'_>>, Flaw<'_>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(found) = rest.find(['{', '}']) {
        let at = template.len() - rest.len() + found;
        let (before, brace) = rest.split_at(found);
        text.push_str(before);
        if let Some(after) = brace.strip_prefix("{{") {
            text.push('{');
            rest = after;
        } else if let Some(after) = brace.strip_prefix("}}") {
            text.push('}');
            rest = after;
        } else if let Some(opened) = brace.strip_prefix('{') {
            let Some((inside, after)) =
                opened.split_once('}').filter(|(inside, _)| !inside.contains('{'))
            else {
                return Err(Flaw { at, kind: FlawKind::Unclosed });
            };
            push_text(&mut pieces, &mut text);
            pieces.push(Piece::Place(place(inside).map_err(|kind| Flaw { at, kind })?));
            rest = after;
        } else {
            return Err(Flaw { at, kind: FlawKind::Unopened });
        }
    }
    text.push_str(rest);
    push_text(&mut pieces, &mut text);
    if pieces.is_empty() { Err(Flaw { at: 0, kind: FlawKind::Empty }) } else { Ok(pieces) }
}

fn push_text(pieces: &mut Vec<Piece<'_>>, text: &mut String) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}

/// The names in `order.id`: an argument, then fields, which may be those of a tuple.
fn place(inside: &str) -> Result<Vec<&str>, FlawKind<'_>> {
    if inside.trim().is_empty() {
        return Err(FlawKind::EmptyPlace);
    }
    if inside.contains(':') {
        return Err(FlawKind::Format(inside));
    }
    let names: Vec<_> = inside.split('.').collect();
    match names.split_first() {
        Some((argument, _)) if is_index(argument) => Err(FlawKind::Position(inside)),
        Some((argument, fields))
            if is_name(argument)
                && fields.iter().all(|field| is_name(field) || is_index(field)) =>
        {
            Ok(names)
        }
        _ => Err(FlawKind::NoPath(inside)),
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    text != "_"
        && characters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && characters.all(|next| next == '_' || next.is_alphanumeric())
}

fn is_index(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|index| index.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece<'_> {
        Piece::Text(text.to_owned())
    }

    fn flaw(template: &str) -> (usize, FlawKind<'_>) {
        let flaw = parse(template).unwrap_err();
        (flaw.at, flaw.kind)
    }

    #[test]
    fn places_and_braces_stand_where_they_were_written() {
        assert_eq!(parse("report:daily"), Ok(vec![text("report:daily")]));
        assert_eq!(
            parse("a:{order.id}:{pair.0.r_1}}}{{b"),
            Ok(vec![
                text("a:"),
                Piece::Place(vec!["order", "id"]),
                text(":"),
                Piece::Place(vec!["pair", "0", "r_1"]),
                text("}{b"),
            ])
        );
        assert_eq!(parse("{müller}"), Ok(vec![Piece::Place(vec!["müller"])]));
    }

    #[test]
    fn what_is_no_template_is_refused_where_it_goes_wrong() {
        assert_eq!(flaw(""), (0, FlawKind::Empty));
        assert_eq!(flaw("ä{order"), (2, FlawKind::Unclosed));
        assert_eq!(flaw("{order:{id}"), (0, FlawKind::Unclosed));
        assert_eq!(flaw("order}"), (5, FlawKind::Unopened));
        assert_eq!(flaw("{{order}"), (7, FlawKind::Unopened));
        assert_eq!(flaw("a:{}"), (2, FlawKind::EmptyPlace));
        assert_eq!(flaw("{ }"), (0, FlawKind::EmptyPlace));
        assert_eq!(flaw("{0.id}"), (0, FlawKind::Position("0.id")));
        assert_eq!(flaw("{id:?}"), (0, FlawKind::Format("id:?")));
        for place in
            ["order.id()", "order.", ".id", "a b", "order.01", "order.4294967296", "a-b", "_", "1a"]
        {
            let template = format!("{{{place}}}");
            assert_eq!(flaw(&template), (0, FlawKind::NoPath(place)));
        }
    }
}
