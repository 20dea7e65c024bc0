//! What stands between the parentheses of `#[with_lock(…)]`.

use proc_macro2::{Ident, Span};
use syn::{
    Error, Expr, ExprCall, ExprLit, ExprPath, Lit, LitBool, LitStr, Result, Token,
    parse::{Parse, ParseStream},
    parse_quote,
};

/// Every option, each at most once.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) locker: Option<Expr>,
    pub(crate) key: Option<Expr>,
    pub(crate) label: Option<Expr>,
    pub(crate) ttl: Option<Expr>,
    pub(crate) wait: Option<Expr>,
    pub(crate) min_hold: Option<Expr>,
    pub(crate) max_lifetime: Option<Expr>,
    pub(crate) keep_alive: Option<Expr>,
    pub(crate) lease: Option<Expr>,
    pub(crate) on_contention: Option<Expr>,
}

/// What is done when somebody else holds the key.
pub(crate) enum OnContention<'a> {
    /// The function returns the error.
    Fail,
    /// The function returns `Ok(())` or `Ok(None)`.
    Skip,
    /// The function returns this in `Ok`.
    SkipWith(&'a Expr),
    /// The function returns what this one does, given the error.
    Handle(&'a Expr),
}

impl Options {
    const NAMES: &'static str = "`locker`, `key`, `ttl`, `wait`, `keep_alive`, `min_hold`, `max_lifetime`, `label`, \
                                 `lease`, `on_contention`";

    fn slot(&mut self, name: &Ident) -> Result<&mut Option<Expr>> {
        Ok(match name.to_string().as_str() {
            "locker" => &mut self.locker,
            "key" => &mut self.key,
            "label" => &mut self.label,
            "ttl" => &mut self.ttl,
            "wait" => &mut self.wait,
            "min_hold" => &mut self.min_hold,
            "max_lifetime" => &mut self.max_lifetime,
            "keep_alive" => &mut self.keep_alive,
            "lease" => &mut self.lease,
            "on_contention" => &mut self.on_contention,
            other => {
                let message = format!("unknown option `{other}`; there are {}", Self::NAMES);
                return Err(Error::new(name.span(), message));
            }
        })
    }

    /// The locker, which must be given.
    pub(crate) fn locker(&self) -> Result<&Expr> {
        self.locker.as_ref().ok_or_else(|| missing("locker = self.locker"))
    }

    /// The key, which must be given.
    pub(crate) fn key(&self) -> Result<&Expr> {
        self.key.as_ref().ok_or_else(|| missing("key = \"order:{id}\""))
    }

    /// Whether the lease is renewed, if it was said.
    pub(crate) fn keep_alive(&self) -> Result<Option<bool>> {
        match &self.keep_alive {
            None => Ok(None),
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(yes), .. })) => Ok(Some(yes.value)),
            Some(other) => {
                Err(Error::new_spanned(other, "invalid keep_alive: must be `true` or `false`"))
            }
        }
    }

    /// The name under which the body sees the lease.
    pub(crate) fn lease(&self) -> Result<Option<&Ident>> {
        let Some(given) = &self.lease else { return Ok(None) };
        let name = name(given)
            .ok_or_else(|| Error::new_spanned(given, "invalid lease: must be a name"))?;
        Ok(Some(name))
    }

    /// What is done when somebody else holds the key.
    pub(crate) fn on_contention(&self) -> Result<OnContention<'_>> {
        let Some(given) = &self.on_contention else { return Ok(OnContention::Fail) };
        if let Some(word) = name(given) {
            if word == "fail" {
                return Ok(OnContention::Fail);
            }
            if word == "skip" {
                return Ok(OnContention::Skip);
            }
        }
        match given {
            Expr::Call(ExprCall { func, args, .. })
                if name(func).is_some_and(|word| word == "skip") =>
            {
                match args.first() {
                    Some(value) if args.len() == 1 => Ok(OnContention::SkipWith(value)),
                    _ => Err(Error::new_spanned(given, "`skip(…)` takes the one value to return")),
                }
            }
            Expr::Lit(_) => {
                let message = "invalid on_contention: must be `fail`, `skip`, `skip(value)` or an async handler";
                Err(Error::new_spanned(given, message))
            }
            handler => Ok(OnContention::Handle(handler)),
        }
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            let slot = options.slot(&name)?;
            if slot.is_some() {
                return Err(Error::new(name.span(), format!("`{name}` is given twice")));
            }
            *slot = Some(if name == "keep_alive" && !input.peek(Token![=]) {
                let yes = LitBool::new(true, name.span());
                parse_quote!(#yes)
            } else if !input.peek(Token![=]) {
                return Err(Error::new(name.span(), format!("`{name}` needs a value")));
            } else {
                input.parse::<Token![=]>()?;
                input.parse()?
            });
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

fn missing(example: &str) -> Error {
    Error::new(Span::call_site(), format!("say it: `{example}`"))
}

/// The expression, if it is a single name.
fn name(given: &Expr) -> Option<&Ident> {
    match given {
        Expr::Path(ExprPath { path, qself: None, .. }) => path.get_ident(),
        _ => None,
    }
}

/// The expression, if it is a plain string literal.
pub(crate) fn string_literal(given: &Expr) -> Option<&LitStr> {
    match given {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Some(literal),
        _ => None,
    }
}
