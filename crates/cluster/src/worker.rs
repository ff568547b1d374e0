//! A worker: a server that runs parts of plans.

use std::net::SocketAddr;
use std::path::PathBuf;

use datafusion::error::DataFusionError;
use datafusion_distributed::{DistributedExt, WorkerQueryContext};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use podtrail_query::{worker_runtime, worker_state};
use tokio::net::TcpListener;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};

use crate::access::Access;
use crate::channels::{Channels, KEEPALIVE, KEEPALIVE_ANSWER, VERSION_HEADER, with_causes};
use crate::error::ClusterError;
use crate::version::build_version;

/// The options of a worker.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The address to listen on; port 0 for any.
    pub listen: SocketAddr,
    /// Memory of all operators of all queries, in bytes; sorts and aggregates that exceed it spill to disk.
    pub memory: usize,
    /// The folder for what does not fit into memory; `None` for the temporary folder of the system.
    pub spill_dir: Option<PathBuf>,
    /// The token that requests must have, and the certificates.
    pub access: Access,
    /// Whether clients need a certificate of the authority, too.
    pub client_certificates: bool,
}

/// A worker that listens.
pub struct Worker {
    listener: TcpListener,
    options: WorkerOptions,
}

impl Worker {
    /// Listens on the address of the options.
    ///
    /// # Errors
    /// If the address is in use, or other machines can reach it and it is not protected.
    pub async fn listen(options: WorkerOptions) -> Result<Self, ClusterError> {
        let tls = options.access.server_tls(options.listen.ip(), options.client_certificates)?;
        if tls.is_some() {
            // The build has two providers, and a server does not choose one. It fails if one was chosen before.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        // It takes a while, and the first request would wait for it.
        build_version()?;
        let listener = TcpListener::bind(options.listen).await;
        let listener = listener.map_err(|source| ClusterError::Listen {
            address: options.listen.to_string(),
            source,
        })?;
        Ok(Self { listener, options })
    }

    /// Returns the address that it listens on.
    ///
    /// # Errors
    /// If the system does not report it.
    pub fn address(&self) -> Result<SocketAddr, ClusterError> {
        self.listener.local_addr().map_err(|source| ClusterError::Listen {
            address: self.options.listen.to_string(),
            source,
        })
    }

    /// Runs parts of plans until `stop` is ready; queries that are running then fail.
    ///
    /// # Errors
    /// If the folder for spilled data cannot be used, a certificate is invalid, or the server fails.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), ClusterError> {
        let version = build_version()?;
        let Self { listener, options } = self;
        let of_engine = |error: DataFusionError| ClusterError::Engine(error.strip_backtrace());
        let of_transport =
            |error: tonic::transport::Error| ClusterError::Transport(with_causes(&error));
        let tls = options.access.server_tls(options.listen.ip(), options.client_certificates)?;
        let gate = Gate {
            token: options.access.token().cloned(),
            version: HeaderValue::from_str(&version)
                .map_err(|error| ClusterError::Transport(error.to_string()))?,
        };
        let channels = Channels::new(options.access, &version)?;
        let runtime =
            worker_runtime(options.memory, options.spill_dir.as_deref()).map_err(of_engine)?;
        let worker = datafusion_distributed::Worker::from_session_builder(
            move |context: WorkerQueryContext| {
                let builder = context.builder.with_distributed_channel_resolver(channels.clone());
                async move { worker_state(builder) }
            },
        );
        let worker = worker.with_runtime_env(runtime).with_version(version);
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER));
        if let Some(tls) = tls {
            server = server.tls_config(tls).map_err(of_transport)?;
        }
        let service = InterceptedService::new(worker.into_worker_server(), gate);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let serve = server.add_service(service).serve_with_incoming(incoming);
        tokio::select! {
            result = serve => result.map_err(of_transport),
            () = stop => Ok(()),
        }
    }
}

/// Rejects requests without the token, and of other builds, before they are read.
#[derive(Clone)]
struct Gate {
    token: Option<HeaderValue>,
    version: HeaderValue,
}

impl tonic::service::Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let headers = request.metadata().as_ref();
        if let Some(token) = &self.token {
            let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
            if !is_equal(given, token.as_bytes()) {
                return Err(Status::unauthenticated(
                    "the token is missing or wrong (see --token-file)",
                ));
            }
        }
        let version = headers.get(VERSION_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        if version != self.version.as_bytes() {
            return Err(Status::failed_precondition(format!(
                "another build ({}, not {})",
                String::from_utf8_lossy(self.version.as_bytes()),
                String::from_utf8_lossy(version).escape_debug(),
            )));
        }
        Ok(request)
    }
}

/// Compares secrets in a time that depends on their length only.
fn is_equal(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given.iter().zip(expected).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
