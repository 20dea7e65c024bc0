//! A key or a label: a template, or an expression.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Error, Expr, Index, LitStr, Result, ext::IdentExt};

use crate::{
    names::Names,
    options::string_literal,
    template::{self, Piece},
};

/// An expression for the text: a string literal is a template, everything else stands as it is.
pub(crate) fn text(option: &str, given: &Expr, names: &Names) -> Result<TokenStream> {
    let Some(literal) = string_literal(given) else {
        return Ok(given.to_token_stream());
    };
    let template = literal.value();
    let pieces = template::parse(&template)
        .map_err(|flaw| Error::new(literal.span(), format!("invalid {option}: {flaw}")))?;
    if let [Piece::Text(text)] = pieces.as_slice() {
        return Ok(LitStr::new(text, literal.span()).into_token_stream());
    }
    let mut format = String::new();
    let mut values = Vec::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => format.push_str(&text.replace('{', "{{").replace('}', "}}")),
            Piece::Place(path) => {
                format.push_str("{}");
                values.push(value(option, path, names, literal.span())?);
            }
        }
    }
    let mut format = Literal::string(&format);
    format.set_span(Span::mixed_site());
    Ok(quote_spanned! {Span::mixed_site()=> ::std::format!(#format, #(#values),*) })
}

/// `order.id`, as if it were written where the template is, so that the compiler's errors about it point there.
fn value(option: &str, path: &[&str], names: &Names, span: Span) -> Result<TokenStream> {
    let [argument, fields @ ..] = path else {
        return Err(Error::new(span, format!("invalid {option}: a place without a name")));
    };
    let Some(name) = names.get(argument) else {
        let list = names.list();
        return Err(Error::new(
            span,
            format!("invalid {option}: unknown name `{argument}`; {list}"),
        ));
    };
    let mut name = name.clone();
    name.set_span(span);
    let mut value = name.into_token_stream();
    for field in fields {
        let field = member(option, field, span)?;
        value = quote_spanned! {span=> #value.#field };
    }
    Ok(value)
}

fn member(option: &str, field: &str, span: Span) -> Result<TokenStream> {
    if let Ok(index) = field.parse::<u32>() {
        return Ok(Index { index, span }.into_token_stream());
    }
    let parsed = syn::parse_str::<Ident>(field)
        .or_else(|_keyword| syn::parse_str::<Ident>(&format!("r#{field}")))
        .map_err(|_| Error::new(span, format!("invalid {option}: `{field}` is not a field")))?;
    let mut member =
        if parsed == field { parsed } else { Ident::new_raw(&parsed.unraw().to_string(), span) };
    member.set_span(span);
    Ok(member.into_token_stream())
}
