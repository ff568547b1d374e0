//! The errors of clusters.

use std::path::PathBuf;

/// Why a worker or an engine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The list of workers is not written as it must be.
    #[error("'{0}' is not a list of workers; use HOST:PORT,…, file:PATH or dns:NAME:PORT")]
    Workers(String),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A token is missing or cannot be sent in a header.
    #[error("{}: the token must be one line of 16 to 1024 visible ASCII characters", .0.display())]
    Token(PathBuf),
    /// TLS or a token is missing where other machines can connect.
    #[error("{0} is not a loopback address: TLS and a token are required ({1})")]
    Unprotected(String, &'static str),
    /// A name cannot be resolved.
    #[error("cannot resolve {name}: {source}")]
    Resolve {
        /// The name and port.
        name: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The list of workers is empty.
    #[error("{0} lists no worker")]
    NoWorkers(String),
    /// No worker can be used.
    #[error("no worker can be used: {0}")]
    NoneAnswers(String),
    /// The worker cannot listen.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The transport failed.
    #[error("{0}")]
    Transport(String),
    /// The query engine reported an error.
    #[error("{0}")]
    Engine(String),
    /// The program itself cannot be read, so its version is unknown.
    #[error("cannot read this program to compute its version: {0}")]
    Version(std::io::Error),
    /// A query may only run on workers, and cannot.
    #[error(
        "the query cannot run on the workers: {0}; without --engine-strict it runs in this process"
    )]
    Strict(String),
    /// The workers failed after rows were returned.
    #[error("a worker failed after rows were returned, the rows are incomplete: {0}")]
    Incomplete(String),
}
