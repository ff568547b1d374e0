//! The workers of a cluster: their addresses, and which of them can be used.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use datafusion::error::DataFusionError;
use datafusion_distributed::{ChannelResolver, GetWorkerInfoRequest, WorkerResolver};
use futures::future::join_all;
use tokio::net::lookup_host;
use url::Url;

use crate::channels::{Channels, host, with_causes};
use crate::error::ClusterError;
use crate::file::read;

/// How long a worker may take to answer whether it can be used.
const ANSWER: Duration = Duration::from_secs(10);

/// How long an answer counts. A worker that stops in between fails the query, which asks again.
const FRESH: Duration = Duration::from_secs(10);

/// Where the addresses of workers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Workers {
    /// In this list, as `HOST:PORT`.
    List(Vec<String>),
    /// In a file, one address a line; `#` begins a comment.
    File(PathBuf),
    /// All addresses of a name, with a port.
    Dns(String),
}

impl FromStr for Workers {
    type Err = ClusterError;

    /// Parses `HOST:PORT,…`, `file:PATH` or `dns:NAME:PORT`.
    fn from_str(text: &str) -> Result<Self, ClusterError> {
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::File(path.into()));
        }
        let is_address = |text: &str| {
            text.rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        if let Some(name) = text.strip_prefix("dns:").filter(|name| is_address(name)) {
            return Ok(Self::Dns(name.to_owned()));
        }
        let list: Vec<_> = text.split(',').map(|address| address.trim().to_owned()).collect();
        if list.iter().all(|address| is_address(address)) {
            return Ok(Self::List(list));
        }
        Err(ClusterError::Workers(text.to_owned()))
    }
}

impl fmt::Display for Workers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(list) => formatter.write_str(&list.join(",")),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Dns(name) => formatter.write_str(name),
        }
    }
}

impl Workers {
    async fn addresses(&self) -> Result<Vec<String>, ClusterError> {
        let mut addresses = match self {
            Self::List(list) => list.clone(),
            Self::File(path) => {
                let text = read(path)?;
                let lines =
                    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
                lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
            }
            Self::Dns(name) => {
                let found = lookup_host(name).await;
                let found =
                    found.map_err(|source| ClusterError::Resolve { name: name.clone(), source })?;
                found.map(|address| address.to_string()).collect()
            }
        };
        addresses.sort();
        addresses.dedup();
        if addresses.is_empty() {
            return Err(ClusterError::NoWorkers(self.to_string()));
        }
        Ok(addresses)
    }
}

/// The workers that answered last.
#[derive(Debug)]
pub(crate) struct Roster {
    workers: Workers,
    version: String,
    answered: Mutex<Option<(Instant, Usable)>>,
}

/// The workers that can be used, and why the others cannot.
#[derive(Debug, Clone)]
pub(crate) struct Usable {
    pub(crate) urls: Vec<Url>,
    pub(crate) refused: Vec<String>,
}

impl Roster {
    pub(crate) fn new(workers: Workers, version: String) -> Self {
        Self { workers, version, answered: Mutex::new(None) }
    }

    /// Asks again before the next query.
    pub(crate) fn forget(&self) {
        *self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Returns the workers that can be used: they answer, and run this build.
    ///
    /// # Errors
    /// If the addresses cannot be read, or no worker can be used.
    pub(crate) async fn usable(&self, channels: &Channels) -> Result<Usable, ClusterError> {
        let known = self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some((time, usable)) = known
            && time.elapsed() < FRESH
        {
            return Ok(usable);
        }
        let mut urls = Vec::new();
        for address in self.workers.addresses().await? {
            urls.push(channels.access().url(&address)?);
        }
        let answers = join_all(urls.iter().map(|url| self.ask(channels, url))).await;
        let mut usable = Usable { urls: Vec::new(), refused: Vec::new() };
        for (url, answer) in urls.into_iter().zip(answers) {
            match answer {
                Ok(()) => usable.urls.push(url),
                Err(reason) => usable.refused.push(format!("worker {}: {reason}", host(&url))),
            }
        }
        if usable.urls.is_empty() {
            return Err(ClusterError::NoneAnswers(usable.refused.join("; ")));
        }
        let known = Some((Instant::now(), usable.clone()));
        *self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = known;
        Ok(usable)
    }

    async fn ask(&self, channels: &Channels, url: &Url) -> Result<(), String> {
        let ask = async {
            let mut client = channels.get_worker_client_for_url(url).await?;
            client.get_worker_info(GetWorkerInfoRequest {}).await
        };
        match tokio::time::timeout(ANSWER, ask).await {
            Err(_) => Err(format!("does not answer within {} s", ANSWER.as_secs())),
            Ok(Err(error)) => Err(reason(&error)),
            Ok(Ok(info)) if info.version != self.version => {
                Err(format!("another build ({}, this is {})", info.version, self.version))
            }
            Ok(Ok(_)) => Ok(()),
        }
    }
}

/// Returns the message of an error that a connection reports.
pub(crate) fn reason(error: &DataFusionError) -> String {
    if let DataFusionError::External(cause) = error.find_root() {
        if let Some(status) = cause.downcast_ref::<tonic::Status>() {
            return match status.message() {
                "" => with_causes(status),
                message => message.to_owned(),
            };
        }
        return with_causes(cause.as_ref());
    }
    error.find_root().strip_backtrace()
}

/// The workers of one query.
pub(crate) struct Chosen(pub(crate) Vec<Url>);

impl WorkerResolver for Chosen {
    fn get_urls(&self) -> Result<Vec<Url>, DataFusionError> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_a_list_a_file_or_a_name() {
        let parse = |text: &str| text.parse::<Workers>();
        let list = Workers::List(vec!["a:1".to_owned(), "[::1]:2".to_owned()]);
        assert_eq!(parse("a:1, [::1]:2").unwrap(), list);
        assert_eq!(parse("file:/etc/workers").unwrap(), Workers::File("/etc/workers".into()));
        assert_eq!(
            parse("dns:workers.ns.svc:5000").unwrap(),
            Workers::Dns("workers.ns.svc:5000".to_owned())
        );
        for wrong in ["", "a", "a:x", "a:1,", "dns:name", "file:", ":1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
