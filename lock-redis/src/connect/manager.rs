//! How a connection is made.

use std::{sync::Arc, time::Duration};

use bb8_redis::bb8::ManageConnection;
use leasehold::{Effect, Error, ErrorKind, Result, Runtime, observe, timeout_at};
use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo,
    aio::{MultiplexedConnection, PubSubSink, PubSubStream},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use super::{epoch::Epoch, link::Link, server::Server, url};
use crate::{
    error,
    key::Keyspace,
    scripts::{Scripts, Settings},
};

/// How many commands may queue up before a sender waits.
const BUFFERED_COMMANDS: usize = 1024;

/// The server to connect to, and with which settings.
#[derive(Clone)]
pub(crate) struct Target {
    client: Client,
    response_timeout: Duration,
    connection_timeout: Duration,
    with_flags: Arc<Scripts>,
    without_flags: Arc<Scripts>,
    names: Keyspace,
    quarantine: Option<Duration>,
    runtime: Runtime,
}

/// What the connections of one backend have in common.
pub(crate) struct Dial<'a> {
    pub(crate) url: &'a str,
    pub(crate) root_certificate: Option<&'a [u8]>,
    pub(crate) response_timeout: Duration,
    pub(crate) connection_timeout: Duration,
    pub(crate) user_timeout: Duration,
    pub(crate) scripts: &'a Settings,
    pub(crate) names: Keyspace,
    pub(crate) quarantine: Option<Duration>,
    pub(crate) runtime: Runtime,
}

impl Target {
    pub(crate) fn new(dial: &Dial<'_>) -> Result<Self> {
        // A dead peer is noticed by the kernel: by unanswered data, or by probes where nothing was sent.
        let probes =
            TcpKeepalive::new().with_time(dial.user_timeout).with_interval(dial.user_timeout / 3);
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(probes)
            .set_user_timeout(dial.user_timeout);
        let info = url::parse(dial.url)?.set_tcp_settings(tcp);
        Ok(Self {
            client: client(info, dial.root_certificate)?,
            response_timeout: dial.response_timeout,
            connection_timeout: dial.connection_timeout,
            with_flags: Arc::new(Scripts::new(dial.scripts, true)),
            without_flags: Arc::new(Scripts::new(dial.scripts, false)),
            names: dial.names.clone(),
            quarantine: dial.quarantine,
            runtime: dial.runtime.clone(),
        })
    }

    pub(crate) const fn connection_timeout(&self) -> Duration {
        self.connection_timeout
    }

    /// A connection that is nobody else's.
    pub(crate) async fn dial_once(&self) -> Result<Link> {
        self.dial().await
    }

    /// How long a server that may have lost data is not believed.
    pub(crate) const fn quarantine(&self) -> Option<Duration> {
        self.quarantine
    }

    /// As whom it connects.
    pub(crate) fn user(&self) -> &str {
        self.client.get_connection_info().redis_settings().username().unwrap_or("default")
    }

    /// Connects, and learns what kind of server it is.
    pub(super) async fn dial(&self) -> Result<Link> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connection_timeout))
            .set_response_timeout(Some(self.response_timeout))
            .set_pipeline_buffer_size(BUFFERED_COMMANDS);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await.map_err(error::connecting)?;
        let info: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut connection)
            .await
            .map_err(error::connecting)?;
        let server = Server::read(&info)?;
        let scripts = if server.script_flags {
            Arc::clone(&self.with_flags)
        } else {
            Arc::clone(&self.without_flags)
        };
        let epoch = self.learn_epoch(&mut connection).await?;
        Ok(Link::new(connection, server, scripts, epoch))
    }

    /// Asks again in which epoch the server is.
    pub(super) async fn learn_again(&self, link: &mut Link) -> Result<()> {
        let epoch = self.learn_epoch(link.connection()).await?;
        link.set_epoch(epoch);
        Ok(())
    }

    async fn learn_epoch(&self, connection: &mut MultiplexedConnection) -> Result<Epoch> {
        match self.quarantine {
            None => Ok(Epoch::unasked()),
            Some(quarantine) => {
                Epoch::learn(connection, &self.names, quarantine, self.runtime.now()).await
            }
        }
    }

    /// Makes a connection that listens on these channels; returns once the server has confirmed them.
    pub(crate) async fn subscribe(
        &self,
        runtime: &Runtime,
        channels: &[String],
    ) -> Result<(PubSubSink, PubSubStream)> {
        let subscribing = async {
            let (mut sink, stream) = self.client.get_async_pubsub().await?.split();
            for channel in channels {
                sink.subscribe(channel).await?;
            }
            Ok((sink, stream))
        };
        let deadline = runtime.now() + self.connection_timeout;
        match timeout_at(runtime.clock(), deadline, subscribing).await {
            Some(subscribed) => subscribed.map_err(error::connecting),
            None => {
                let message = "the server did not confirm the subscription in time";
                Err(Error::new(ErrorKind::Unavailable, Effect::None, message))
            }
        }
    }
}

#[cfg(feature = "tls")]
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

#[cfg(feature = "tls")]
fn client(info: redis::ConnectionInfo, root_certificate: Option<&[u8]>) -> Result<Client> {
    // The first provider of a process wins; that it was installed already is no failure.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let tls = matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. });
    let not_pem = || Error::invalid("root_certificate", "…", "a certificate in PEM form");
    match root_certificate.filter(|_| tls) {
        None => open(info),
        // Text without a certificate would be no root at all.
        Some(pem) if !pem.windows(PEM.len()).any(|part| part == PEM) => Err(not_pem()),
        Some(pem) => Client::build_with_tls(
            info,
            redis::TlsCertificates { client_tls: None, root_cert: Some(pem.to_vec()) },
        )
        .map_err(|error| not_pem().with_source(error)),
    }
}

#[cfg(not(feature = "tls"))]
fn client(info: redis::ConnectionInfo, _root_certificate: Option<&[u8]>) -> Result<Client> {
    open(info)
}

fn open(info: impl IntoConnectionInfo) -> Result<Client> {
    Client::open(info).map_err(|error| {
        Error::new(ErrorKind::Invalid, Effect::None, "the url can't be used").with_source(error)
    })
}

impl ManageConnection for Target {
    type Connection = Link;
    type Error = Error;

    /// Only ever called for a successor: the first connection is made before there is a pool.
    async fn connect(&self) -> Result<Link> {
        let connected = self.dial().await;
        observe::backend::reconnected(observe::backend::Link::Commands, connected.is_ok());
        connected
    }

    /// Never asked: a connection is not tested when it is taken, which would cost a round trip each time.
    async fn is_valid(&self, _link: &mut Link) -> Result<()> {
        Ok(())
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.is_broken()
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let info = self.client.get_connection_info();
        f.debug_struct("Target")
            .field("address", &info.addr().to_string())
            .field("response_timeout", &self.response_timeout)
            .field("connection_timeout", &self.connection_timeout)
            .finish_non_exhaustive()
    }
}
