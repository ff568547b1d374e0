//! Waits for requests to a store from code that blocks.
//!
//! Parquet files are read and written by threads that compute, and some of the interface of a lake is not asynchronous.
//! Their requests run on threads of their own: the caller may be a thread of any runtime, or of none, and a runtime
//! that ends does not take the connections of others with it.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::sync::LazyLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use object_store::Error;
use tokio::runtime::{Builder, Handle, Runtime};

/// The longest that a caller waits: longer than all retries of a request, which give up after three minutes.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Longest error message: the answer of a server may be a page of HTML.
const LONGEST_MESSAGE: usize = 600;

/// Requests only wait for the network, so a few threads serve all of them.
static REQUESTS: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("podtrail-requests")
        .enable_all()
        .build()
});

/// Returns the runtime of requests to stores.
pub(crate) fn requests() -> io::Result<&'static Handle> {
    match &*REQUESTS {
        Ok(runtime) => Ok(runtime.handle()),
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot start threads: {error}"))),
    }
}

/// Runs a request and waits for its result, but not forever.
pub(crate) fn wait<T: Send + 'static>(
    request: impl Future<Output = object_store::Result<T>> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let task = requests()?.spawn(async move {
        // The caller may have stopped waiting.
        let _ = sender.send(request.await);
    });
    match receiver.recv_timeout(LONGEST_WAIT) {
        Ok(result) => result.map_err(plain),
        Err(RecvTimeoutError::Timeout) => {
            task.abort();
            let seconds = LONGEST_WAIT.as_secs();
            Err(io::Error::new(
                ErrorKind::TimedOut,
                format!("the store did not answer in {seconds} s"),
            ))
        }
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the request was cancelled")),
    }
}

/// Returns the error of a store as one of the operating system, with a message on one line.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(crate) fn plain(error: Error) -> io::Error {
    let kind = match &error {
        Error::NotFound { .. } => ErrorKind::NotFound,
        Error::AlreadyExists { .. } | Error::Precondition { .. } => ErrorKind::AlreadyExists,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            ErrorKind::PermissionDenied
        }
        Error::NotSupported { .. } | Error::NotImplemented { .. } => ErrorKind::Unsupported,
        _ => ErrorKind::Other,
    };
    let text = error.to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    };
    io::Error::new(kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_of_a_runtime_may_wait() {
        assert_eq!(wait(async { Ok(1) }).unwrap(), 1);
        let missing = || Error::NotFound { path: "x".to_owned(), source: "a\n  b".into() };
        let error = wait::<()>(async move { Err(missing()) }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "Object at location x not found: a b");
    }
}
