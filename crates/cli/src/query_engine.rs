//! The engine that the options of a command choose.

use std::sync::Arc;

use podtrail_query::QueryEngine;

use crate::args::EngineArgs;

/// An engine, and what it reports at the end.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) engine: Arc<dyn QueryEngine>,
    #[cfg(feature = "cluster")]
    cluster: Option<Arc<podtrail_cluster::Cluster>>,
}

#[cfg(not(feature = "cluster"))]
impl Chosen {
    /// Returns the engine of this process.
    #[expect(clippy::unnecessary_wraps, reason = "with the feature cluster, it can fail")]
    pub(crate) fn of(_: &EngineArgs, _: bool) -> anyhow::Result<Self> {
        Ok(Self { engine: Arc::new(podtrail_query::LocalEngine) })
    }

    /// Reports where queries ran.
    #[expect(clippy::unused_self, reason = "with the feature cluster, it is used")]
    pub(crate) fn report(&self) {}
}

#[cfg(feature = "cluster")]
mod cluster {
    use podtrail_cluster::{Access, Cluster, ClusterOptions, Message};
    use podtrail_query::LocalEngine;
    use podtrail_report::thousands;

    use super::{Arc, Chosen, EngineArgs};
    use crate::args::{AccessArgs, EngineChoice};
    use crate::exit::UsageError;
    use crate::output;

    impl Chosen {
        /// Returns the engine that the options choose. `verbose` also reports where each query runs.
        pub(crate) fn of(arguments: &EngineArgs, verbose: bool) -> anyhow::Result<Self> {
            let EngineChoice::Workers(workers) = &arguments.engine else {
                return Ok(Self { engine: Arc::new(LocalEngine), cluster: None });
            };
            let options = ClusterOptions {
                workers: workers.clone(),
                access: access(&arguments.access)?,
                strict: arguments.engine_strict,
                bytes_per_partition: arguments.engine_partition,
            };
            let cluster = Cluster::new(options, move |message| match message {
                Message::Warning(text) => output::warn(&text),
                Message::Note(text) if verbose => output::note(&text),
                Message::Note(_) => {}
            });
            let cluster = Arc::new(cluster?);
            Ok(Self { engine: cluster.clone(), cluster: Some(cluster) })
        }

        /// Reports where queries ran.
        pub(crate) fn report(&self) {
            let Some(cluster) = &self.cluster else { return };
            let tally = cluster.tally();
            output::note(&format!(
                "queries on workers: {}; in this process: {} (they read little, or cached rows), {} after a failure",
                thousands(tally.distributed),
                thousands(tally.small),
                thousands(tally.fallen_back),
            ));
        }
    }

    /// Reads the secrets and certificates that the options name.
    pub(crate) fn access(arguments: &AccessArgs) -> Result<Access, UsageError> {
        let read = || {
            let mut access = Access::default();
            if let Some(file) = &arguments.token_file {
                access = access.with_token(file)?;
            }
            if let Some(file) = &arguments.tls_ca {
                access = access.with_authority(file)?;
            }
            if let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) {
                access = access.with_identity(certificate, key)?;
            }
            if let Some(name) = &arguments.tls_server_name {
                access = access.with_server_name(name.clone());
            }
            Ok::<_, podtrail_cluster::ClusterError>(access)
        };
        read().map_err(|error| UsageError(error.to_string()))
    }
}

#[cfg(feature = "cluster")]
pub(crate) use cluster::access;
