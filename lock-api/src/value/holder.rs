//! Who holds a lease, for people to read.

use std::{fmt, sync::Arc};

use crate::Error;

/// A description of who holds or waits: label, host and process. For diagnosis; never proof.
///
/// ```
/// use leasehold::Holder;
///
/// let holder = Holder::new("worker-7")?.with_host("web-1")?.with_pid(42);
/// assert_eq!(holder.to_string(), "worker-7@web-1:42");
/// # Ok::<(), leasehold::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Holder(Option<Arc<Parts>>);

/// At least one of them is there. Behind one pointer: every lease and every waiter has a holder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
struct Parts {
    label: Option<Arc<str>>,
    host: Option<Arc<str>>,
    pid: Option<u32>,
}

impl Holder {
    /// The longest label and the longest host name, in bytes.
    pub const MAX_LEN: usize = 256;

    /// Nobody in particular.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self(None)
    }

    /// A holder with this label.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the label is empty, longer than
    /// [`MAX_LEN`](Self::MAX_LEN) bytes, or holds a control character.
    pub fn new(label: impl AsRef<str>) -> Result<Self, Error> {
        Self::anonymous().with_label(label)
    }

    /// This process on this host, without a label.
    #[must_use]
    pub fn this_process() -> Self {
        let host = gethostname::gethostname();
        let anonymous = Self::anonymous().with_pid(std::process::id());
        let nameless = anonymous.clone();
        anonymous.with_host(host.to_string_lossy()).unwrap_or(nameless)
    }

    /// The same holder under another label.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_label(mut self, label: impl AsRef<str>) -> Result<Self, Error> {
        self.parts().label = Some(checked("label", label.as_ref())?);
        Ok(self)
    }

    /// The same holder on this host.
    ///
    /// # Errors
    /// As [`new`](Self::new), for the host.
    pub fn with_host(mut self, host: impl AsRef<str>) -> Result<Self, Error> {
        self.parts().host = Some(checked("host", host.as_ref())?);
        Ok(self)
    }

    /// The same holder in this process.
    #[must_use]
    pub fn with_pid(mut self, pid: u32) -> Self {
        self.parts().pid = Some(pid);
        self
    }

    /// What the holder calls itself.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.0.as_ref()?.label.as_deref()
    }

    /// The machine.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.0.as_ref()?.host.as_deref()
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.0.as_ref()?.pid
    }

    /// One line that [`decode`](Self::decode) reads back: `label`, `host` and `pid` with tabs
    /// between, which none of them can hold.
    #[must_use]
    pub fn encode(&self) -> String {
        // Put together by hand: every acquisition on a server is sent with one.
        let (label, host) = (self.label().unwrap_or(""), self.host().unwrap_or(""));
        let mut line = String::with_capacity(label.len() + host.len() + 12);
        line.extend([label, "\t", host, "\t"]);
        if let Some(pid) = self.pid() {
            line.push_str(&pid.to_string());
        }
        line
    }

    /// Reads what [`encode`](Self::encode) wrote. What can't be read is left out: a description is
    /// never worth a failed operation.
    #[must_use]
    pub fn decode(text: &str) -> Self {
        let mut parts = text.split('\t');
        let mut text = || parts.next().filter(|part| !part.is_empty());
        let label = text().and_then(|label| checked("label", label).ok());
        let host = text().and_then(|host| checked("host", host).ok());
        let pid = text().and_then(|pid| pid.parse().ok());
        let parts = Parts { label, host, pid };
        Self((parts != Parts::default()).then(|| Arc::new(parts)))
    }

    /// Its own, to be changed.
    fn parts(&mut self) -> &mut Parts {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holder")
            .field("label", &self.label())
            .field("host", &self.host())
            .field("pid", &self.pid())
            .finish()
    }
}

fn checked(field: &'static str, text: &str) -> Result<Arc<str>, Error> {
    if text.is_empty() {
        return Err(Error::invalid(field, "\"\"", "at least 1 byte"));
    }
    if text.len() > Holder::MAX_LEN {
        let bound = format!("at most {} bytes", Holder::MAX_LEN);
        return Err(Error::invalid(field, format_args!("{} bytes", text.len()), bound));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, format_args!("{text:?}"), "free of control characters"));
    }
    Ok(Arc::from(text))
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label().unwrap_or("anonymous"))?;
        if let Some(host) = self.host() {
            write!(f, "@{host}")?;
        }
        if let Some(pid) = self.pid() {
            write!(f, ":{pid}")?;
        }
        Ok(())
    }
}
