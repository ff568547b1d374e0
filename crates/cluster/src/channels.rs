//! Connections to workers: with time limits, TLS, the token, and the version of this build.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::error::{DataFusionError, Result};
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use tokio::runtime::{Handle, Id};
use tonic::transport::{Channel, Endpoint};
use tower::ServiceExt;
use url::Url;

use crate::access::Access;
use crate::error::ClusterError;

/// The header with the version of the build.
pub(crate) const VERSION_HEADER: &str = "podtrail-build";

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);

/// The interval at which a silent peer is probed, and how long its answer may take: a stopped process, or a machine
/// that is gone, ends a query within the sum of both. A busy one may answer late, because its threads compute.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(10);
pub(crate) const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);

/// The connections of a process to workers. They are kept open between queries.
#[derive(Debug, Clone)]
pub(crate) struct Channels(Arc<Inner>);

struct Inner {
    access: Access,
    version: HeaderValue,
    /// A connection belongs to the threads that opened it, which may be abandoned with their query.
    open: Mutex<HashMap<(Id, Url), Channel>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Channels").field(&self.access).finish()
    }
}

impl Channels {
    /// Creates connections for this access, of a build with this version.
    ///
    /// # Errors
    /// If the version cannot be sent in a header.
    pub(crate) fn new(access: Access, version: &str) -> Result<Self, ClusterError> {
        let version = HeaderValue::from_str(version);
        let version = version.map_err(|error| ClusterError::Transport(error.to_string()))?;
        Ok(Self(Arc::new(Inner { access, version, open: Mutex::default() })))
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    /// Closes the connections to workers, so that the next query opens new ones.
    pub(crate) fn forget(&self) {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn channel(&self, url: &Url) -> Result<Channel, ClusterError> {
        let key = (Handle::current().id(), url.clone());
        let known = self.0.open.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(channel) = known {
            return Ok(channel);
        }
        // A plan names the workers: this process connects only where its own rules allow it.
        self.0.access.check(url)?;
        let failed = |error: tonic::transport::Error| {
            ClusterError::Transport(format!("{}: {}", host(url), with_causes(&error)))
        };
        let endpoint = Endpoint::from_shared(url.to_string()).map_err(failed)?;
        let mut endpoint = endpoint
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_ANSWER)
            .keep_alive_while_idle(true);
        if url.scheme() == "https"
            && let Some(tls) = self.0.access.client_tls()
        {
            endpoint = endpoint.tls_config(tls).map_err(failed)?;
        }
        let channel = endpoint.connect().await.map_err(failed)?;
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).insert(key, channel.clone());
        Ok(channel)
    }
}

#[async_trait]
impl ChannelResolver for Channels {
    async fn get_worker_client_for_url(&self, url: &Url) -> Result<Box<dyn WorkerChannel>> {
        let channel = self.channel(url).await;
        let channel = channel.map_err(|error| DataFusionError::External(error.into()))?;
        let (token, version) = (self.0.access.token().cloned(), self.0.version.clone());
        let channel = channel.map_request(move |mut request: http::Request<tonic::body::Body>| {
            if let Some(token) = &token {
                request.headers_mut().insert(AUTHORIZATION, token.clone());
            }
            request.headers_mut().insert(VERSION_HEADER, version.clone());
            request
        });
        Ok(create_worker_client(BoxCloneSyncChannel::new(channel)))
    }
}

/// Returns the host and port of a worker, as a user wrote them.
pub(crate) fn host(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

/// Returns the messages of an error and of its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
