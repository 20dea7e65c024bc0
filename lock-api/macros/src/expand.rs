//! Puts a function's body under a lock.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Error, Expr, ItemFn, Result, ReturnType, Stmt, Type,
    ext::IdentExt,
    parse_quote,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use crate::{
    names::Names,
    options::{OnContention, Options},
    text::text,
    times::Times,
};

/// The same function, whose body runs under the lock that `options` say.
///
/// The request is made first, so that the key can be read from arguments which the body then takes.
pub(crate) fn expand(options: &Options, mut function: ItemFn) -> Result<ItemFn> {
    let ItemFn { sig, block, .. } = &function;
    if sig.asyncness.is_none() {
        let message = "`with_lock` is for async functions; under `#[async_trait]`, put it on a method of the type itself";
        return Err(Error::new_spanned(sig.fn_token, message));
    }
    let Some(returned) = returned(&sig.output) else {
        let message = "the function must return a `Result`, because taking a lock can fail";
        return Err(Error::new_spanned(&sig.ident, message));
    };
    let names = Names::of(sig);
    let request = request(options, &names)?;
    let lease = lease(options, &names)?;
    let contended = contended(options, &returned)?;
    let failed = failed(&returned);
    let body = quote_spanned! {Span::mixed_site()=>
        async move |#lease: ::leasehold::Lease<_>| -> #returned {
            // So that a body of the wrong type is reported at its last expression.
            let output: #returned = #block;
            #[allow(unreachable_code)]
            output
        }
    };
    let ran = quote_spanned! {at(&returned)=> ::leasehold::__private::run(guard, #body).await };
    let locked = quote_spanned! {Span::mixed_site()=>
        match ::leasehold::__private::take(#request).await {
            ::core::result::Result::Ok(::leasehold::__private::Turn::Ours(guard)) => #ran,
            ::core::result::Result::Ok(::leasehold::__private::Turn::Theirs(error)) => #contended,
            ::core::result::Result::Err(error) => #failed,
        }
    };
    function.block.stmts = vec![Stmt::Expr(Expr::Verbatim(locked), None)];
    Ok(function)
}

/// The request, from the locker on.
fn request(options: &Options, names: &Names) -> Result<TokenStream> {
    let mixed = Span::mixed_site();
    let locker = options.locker()?;
    let key = text("key", options.key()?, names)?;
    let locker = quote_spanned! {at(locker)=> ::leasehold::__private::locker(&(#locker)) };
    let mut request = quote_spanned! {mixed=> #locker.lock(#key) };
    let mut step = |name: &str, value: Option<TokenStream>| {
        let method = Ident::new(name, mixed);
        if let Some(value) = value {
            request.extend(quote_spanned! {mixed=> .#method(#value) });
        }
    };
    let times = Times::read(options)?;
    step("ttl", times.ttl);
    step("wait", times.wait);
    step("min_hold", times.min_hold);
    step("max_lifetime", times.max_lifetime);
    step("label", options.label.as_ref().map(|label| text("label", label, names)).transpose()?);
    match options.keep_alive()? {
        None => {}
        Some(true) => step("keep_alive", Some(TokenStream::new())),
        Some(false) => step("without_keep_alive", Some(TokenStream::new())),
    }
    Ok(request)
}

/// The name that the body sees the lease under.
fn lease(options: &Options, names: &Names) -> Result<TokenStream> {
    let Some(lease) = options.lease()? else { return Ok(quote!(_)) };
    if names.get(&lease.unraw().to_string()).is_some() {
        let message = format!("invalid lease: `{lease}` is an argument already");
        return Err(Error::new(lease.span(), message));
    }
    Ok(lease.to_token_stream())
}

/// What the function returns if somebody else holds the key, who is said by `error`.
fn contended(options: &Options, returned: &Type) -> Result<TokenStream> {
    let mixed = Span::mixed_site();
    Ok(match options.on_contention()? {
        OnContention::Fail => failed(returned),
        OnContention::Skip => quote_spanned! {at(returned)=>
            ::core::result::Result::Ok(::leasehold::__private::Skipped::skipped())
        },
        OnContention::SkipWith(value) => quote_spanned! {mixed=> {
            ::core::mem::drop(error);
            ::core::result::Result::Ok(#value)
        }},
        OnContention::Handle(handler) => quote_spanned! {at(handler)=>
            ::leasehold::__private::handle(#handler, error).await
        },
    })
}

/// What the function returns if the lock failed.
fn failed(returned: &Type) -> TokenStream {
    quote_spanned! {at(returned)=>
        ::core::result::Result::Err(::core::convert::From::from(error))
    }
}

/// Where the compiler reports what does not fit: at what the user wrote, with names of our own.
fn at(written: &impl Spanned) -> Span {
    Span::mixed_site().located_at(written.span())
}

/// The function's return type, with what can't be written in a closure's left to inference.
fn returned(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, returned) = output else { return None };
    let mut returned = Type::clone(returned);
    Inferred.visit_type_mut(&mut returned);
    Some(returned)
}

struct Inferred;

impl VisitMut for Inferred {
    fn visit_type_mut(&mut self, node: &mut Type) {
        if matches!(node, Type::ImplTrait(_)) {
            *node = parse_quote!(_);
        } else {
            visit_mut::visit_type_mut(self, node);
        }
    }
}
