//! The attribute `#[with_lock]` of [Leasehold](https://docs.rs/leasehold), which re-exports it: depend on `leasehold`,
//! not on this crate.

mod expand;
mod names;
mod options;
mod template;
mod text;
mod times;

use proc_macro::TokenStream;
use quote::{ToTokens, quote};
use syn::{ItemFn, parse_macro_input};

use crate::options::Options;

/// Runs the body of an async function under a lock.
///
/// ```
/// use leasehold::{Error, Locker, with_lock};
/// # use leasehold_memory::MemoryBackend;
///
/// struct Order {
///     id: u64,
/// }
///
/// struct Payments {
///     locker: Locker,
/// }
///
/// impl Payments {
///     #[with_lock(locker = self.locker, key = "payment:{order.id}", ttl = "30s", wait = "5s", lease = lease)]
///     async fn pay(&self, order: &Order) -> Result<String, Error> {
///         Ok(format!("order {} is paid under token {}", order.id, lease.token()))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// let payments = Payments { locker: Locker::new(MemoryBackend::new()) };
/// let receipt = payments.pay(&Order { id: 7 }).await?;
/// assert!(receipt.starts_with("order 7 is paid"));
/// # Ok(()) }
/// ```
///
/// # Options
///
/// | Option | Default | Meaning |
/// |---|---|---|
/// | `locker = self.locker` | must be given | a `Locker`, a reference to one, or something like an `Arc` of one; it may name arguments |
/// | `key = "payment:{order.id}"` | must be given | a template, or an expression for the key |
/// | `ttl = "30s"` | the locker's | how long the lease lasts |
/// | `wait = "5s"` | the locker's; none with `skip` | how long to wait for the lock at the most; `"0s"` is one try |
/// | `keep_alive`, `keep_alive = false` | the locker's | whether the lease is renewed while the body runs |
/// | `min_hold = "20s"` | none | how long the key stays taken at the least, also if the body ends sooner |
/// | `max_lifetime = "10m"` | the locker's | after this the lease is not renewed any more |
/// | `label = "worker {self.id}"` | the locker's | who holds, for people: a template, or an expression for text |
/// | `lease = name` | none | the name of the `Lease` in the body, for its fencing token and its validity |
/// | `on_contention = …` | `fail` | what to do if somebody else has the key for all of the wait |
///
/// Durations are text as in the configuration (`"1m 30s"`), or expressions of type `Duration`.
///
/// # Templates
///
/// `{order}` and `{order.customer.id}` are an argument and a field of one, written as `Display` does, also `{self.id}` and
/// the names within a pattern; `{{` and `}}` are braces. All of it is checked when it is compiled. There are no
/// positions, formats or calls: for these, give an expression, `key = format!("order:{}", order.id())`.
///
/// The key is made before the body gets the arguments, so the body may take them by value. A value that may hold the
/// separator of the template should stand last in it, or two different calls can mean the same key.
///
/// # Contention
///
/// Contention is that others hold the key, or wait for it ahead of this call, until the wait is over.
///
/// - `fail`: the function returns the lock's error, `ErrorKind::Timeout`, which names the holder.
/// - `skip`: it returns `Ok(None)` or `Ok(())`. Nothing else is made up: for another type say `skip(value)`.
/// - `handler`: an async function or closure from `leasehold::Error` (with the key, and who holds it) to what the
///   function returns. A closure can use the arguments: `|busy| self.queue(order, busy)`.
///
/// A backend that can't answer, or that is in quarantine, is no contention: the function returns the error, whatever
/// stands here.
///
/// # Semantics
///
/// Those of `LockRequest::with`. The body never runs without the lock. If the lease is lost while it runs, it is dropped at its
/// next await and the function returns the loss. A body that got to its end is never overruled: its value or its own
/// error is what the caller gets, also if the release fails. The lock's errors are turned into the function's error by
/// `From<leasehold::Error>`.
///
/// # Where it can stand
///
/// On async free functions, methods, and async functions in traits and their implementations; generics, `impl Trait`,
/// attributes and documentation are kept. The function must return a `Result`, under any name. Not on functions that
/// `#[async_trait]` rewrites: there, let the function call a method that has the lock.
///
/// # Cancellation safety
///
/// Dropping the call drops the body and releases the lease in the background.
#[proc_macro_attribute]
pub fn with_lock(options: TokenStream, function: TokenStream) -> TokenStream {
    let function = parse_macro_input!(function as ItemFn);
    let expanded = syn::parse::<Options>(options)
        .and_then(|options| expand::expand(&options, function.clone()));
    match expanded {
        Ok(expanded) => expanded.into_token_stream().into(),
        Err(error) => {
            // The function stays, so that its callers and arguments are not reported too.
            let error = error.into_compile_error();
            quote! { #error #[allow(unused)] #function }.into()
        }
    }
}
