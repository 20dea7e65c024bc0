//! Durations as the configuration reads them: `"30s"`, `"1m 30s"`.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Error, Expr, Result};

use crate::options::{OnContention, Options, string_literal};

/// Every duration of a request, as an expression.
pub(crate) struct Times {
    pub(crate) ttl: Option<TokenStream>,
    pub(crate) wait: Option<TokenStream>,
    pub(crate) min_hold: Option<TokenStream>,
    pub(crate) max_lifetime: Option<TokenStream>,
}

impl Times {
    /// Reads them all. Who skips does not wait, unless it is said.
    pub(crate) fn read(options: &Options) -> Result<Self> {
        let ttl = Given::read("ttl", options.ttl.as_ref())?;
        let wait = Given::read("wait", options.wait.as_ref())?;
        let min_hold = Given::read("min_hold", options.min_hold.as_ref())?;
        let max_lifetime = Given::read("max_lifetime", options.max_lifetime.as_ref())?;
        for time in [&ttl, &min_hold, &max_lifetime].into_iter().flatten() {
            time.above_zero()?;
        }
        if let (Some(min_hold), Some(ttl)) = (&min_hold, &ttl) {
            min_hold.at_most(ttl)?;
        }
        let skips =
            matches!(options.on_contention()?, OnContention::Skip | OnContention::SkipWith(_));
        let no_wait = || skips.then(|| quote! { ::core::time::Duration::ZERO });
        let tokens = |time: Option<Given<'_>>| time.map(ToTokens::into_token_stream);
        Ok(Self {
            ttl: tokens(ttl),
            wait: tokens(wait).or_else(no_wait),
            min_hold: tokens(min_hold),
            max_lifetime: tokens(max_lifetime),
        })
    }
}

/// A duration that was written as text is checked here; an expression stands as it is.
struct Given<'a> {
    option: &'static str,
    given: &'a Expr,
    known: Option<Duration>,
}

impl<'a> Given<'a> {
    fn read(option: &'static str, given: Option<&'a Expr>) -> Result<Option<Self>> {
        let Some(given) = given else { return Ok(None) };
        let refuse = |why: String| Error::new_spanned(given, format!("invalid {option}: {why}"));
        let known = match string_literal(given) {
            None if matches!(given, Expr::Lit(_)) => {
                return Err(refuse("must be text such as \"30s\", or a `Duration`".to_owned()));
            }
            None => None,
            Some(literal) => {
                let text = literal.value();
                let parsed = humantime::parse_duration(text.trim());
                let unreadable = |why| refuse(format!("must be readable ({why}), value=`{text}`"));
                Some(parsed.map_err(unreadable)?)
            }
        };
        Ok(Some(Self { option, given, known }))
    }

    fn above_zero(&self) -> Result<()> {
        match self.known {
            Some(Duration::ZERO) => Err(self.refuse("must be above zero", Duration::ZERO)),
            _ => Ok(()),
        }
    }

    fn at_most(&self, other: &Self) -> Result<()> {
        match (self.known, other.known) {
            (Some(own), Some(bound)) if own > bound => {
                Err(self.refuse(&format!("must be at most the {} of {bound:?}", other.option), own))
            }
            _ => Ok(()),
        }
    }

    fn refuse(&self, bound: &str, value: Duration) -> Error {
        let message = format!("invalid {}: {bound}, value=`{value:?}`", self.option);
        Error::new_spanned(self.given, message)
    }
}

impl ToTokens for Given<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self.known {
            None => self.given.to_tokens(tokens),
            Some(duration) => {
                let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
                tokens.extend(quote! { ::core::time::Duration::new(#seconds, #nanos) });
            }
        }
    }
}
