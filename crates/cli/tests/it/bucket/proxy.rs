//! A proxy that counts requests and fails them as networks and servers do.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::http::{Message, serve};

/// A proxy to a local port.
pub(super) struct Proxy {
    pub(super) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    upstream: u16,
    counts: Mutex<BTreeMap<String, usize>>,
    /// One in this many requests fails; 0 for none.
    one_in: AtomicU64,
    random: AtomicU64,
    faults: AtomicU64,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It is applied, and answered with this status.
    Applied(&'static str),
    /// It is not applied, and answered with this status.
    Refused(&'static str),
    /// It is applied, and the connection ends.
    Dropped,
    /// Half of the answer arrives, and the connection ends.
    CutOff,
    /// The answer takes a second.
    Slow,
}

const OF_READS: &[Fault] = &[
    Fault::Refused("503 Slow Down"),
    Fault::Refused("500 Internal Server Error"),
    Fault::CutOff,
    Fault::Slow,
];
const OF_WRITES: &[Fault] =
    &[Fault::Refused("503 Slow Down"), Fault::Applied("500 Internal Server Error"), Fault::Dropped];
const OF_CREATIONS: &[Fault] = &[
    Fault::Refused("503 Slow Down"),
    Fault::Applied("500 Internal Server Error"),
    Fault::Applied("412 Precondition Failed"),
    Fault::Refused("409 Conflict"),
    Fault::Dropped,
];

impl Proxy {
    pub(super) fn to(upstream: u16) -> Self {
        let state = Arc::new(State { upstream, ..State::default() });
        let shared = state.clone();
        Self { port: serve(move |client| shared.pass(client)), state }
    }

    /// Lets one in `one_in` requests fail, in an order that follows from a seed; none with 0.
    pub(super) fn fail_one_in(&self, one_in: u64, seed: u64) {
        self.state.random.store(seed | 1, Ordering::Relaxed);
        self.state.one_in.store(one_in, Ordering::Relaxed);
    }

    /// Returns the number of requests that failed.
    pub(super) fn faults(&self) -> u64 {
        self.state.faults.load(Ordering::Relaxed)
    }

    /// Returns the number of requests by kind since the last call.
    pub(super) fn take_counts(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut *self.state.counts.lock().unwrap())
    }
}

impl State {
    fn random(&self) -> u64 {
        let step = |mut x: u64| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            Some(x)
        };
        self.random.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap()
    }

    fn fault(&self, request: &Message) -> Option<Fault> {
        let one_in = self.one_in.load(Ordering::Relaxed);
        if one_in == 0 || !self.random().is_multiple_of(one_in) {
            return None;
        }
        let is_conditional = request.header("if-none-match").is_some();
        let faults = match request.method() {
            "PUT" if is_conditional => OF_CREATIONS,
            "PUT" => OF_WRITES,
            "GET" => OF_READS,
            _ => &OF_READS[..2],
        };
        self.faults.fetch_add(1, Ordering::Relaxed);
        Some(faults[usize::try_from(self.random()).unwrap() % faults.len()])
    }

    fn pass(&self, client: &TcpStream) {
        let Ok(Some(request)) = Message::read(client) else { return };
        let is_list = request.target().contains("list-type=2");
        let kind = if is_list { "LIST" } else { request.method() }.to_owned();
        *self.counts.lock().unwrap().entry(kind).or_default() += 1;
        let fault = self.fault(&request);
        if let Some(Fault::Refused(status)) = fault {
            let answer = Message::new(&format!("HTTP/1.1 {status}"), &[], b"<Error/>");
            drop(answer.answer(client));
            return;
        }
        let Ok(answer) = request.send(self.upstream) else { return };
        let passed = match fault {
            None | Some(Fault::Refused(_)) => write(client, &answer),
            Some(Fault::Applied(status)) => {
                Message::new(&format!("HTTP/1.1 {status}"), &[], b"<Error/>").answer(client)
            }
            Some(Fault::Dropped) => client.shutdown(Shutdown::Both),
            Some(Fault::CutOff) => write(client, &answer[..answer.len() / 2]),
            Some(Fault::Slow) => {
                std::thread::sleep(Duration::from_secs(1));
                write(client, &answer)
            }
        };
        // The client may have been killed.
        drop(passed);
    }
}

fn write(mut client: &TcpStream, answer: &[u8]) -> std::io::Result<()> {
    std::io::Write::write_all(&mut client, answer)
}
