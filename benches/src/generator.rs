//! Simulates time, arriving requests, and log lines that are written when stages end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anyhow::{Result, ensure};
use fastrand::Rng;

use crate::clock::{SECOND, push_micros, push_seconds};
use crate::identities::{Workloads, person, uuid};
use crate::template::{Part, Template, templates};

/// 2026-11-24T00:00:00Z.
const START: i64 = 1_795_478_400 * SECOND;

/// The mean time between requests: 131 requests per second in cluster-1.20 (the clocks of the others were set
/// manually).
const MEAN_GAP: f64 = 1_000_000.0 / 131.0;

/// The time from arrival to the last stage: quantiles in microseconds, the means of cluster-1.20, 1.36-main and
/// 1.36-all-bodies. As in these logs, one line in five follows a line of a later arrival.
const LATENCY: [(f64, f64); 8] = [
    (0.0, 300.0),
    (0.10, 1_750.0),
    (0.25, 2_900.0),
    (0.50, 5_100.0),
    (0.75, 9_500.0),
    (0.90, 20_000.0),
    (0.99, 100_000.0),
    (1.0, 1_000_000.0),
];

/// The minutes after which a watch ends (the API server's `min-request-timeout`, halved to doubled).
const WATCH_MINUTES: std::ops::Range<i64> = 5..10;

/// A line that waits for the end of its stage: time, order, text.
type Pending = Reverse<(i64, u64, Vec<u8>)>;

/// Writes the lines of an audit log. The same seed gives the same bytes.
///
/// ```
/// let mut generator = podtrail_benches::Generator::new(1)?;
/// let mut log = Vec::new();
/// generator.write_line(&mut log);
/// # Ok::<(), anyhow::Error>(())
/// ```
pub struct Generator {
    rng: Rng,
    templates: Vec<Template>,
    /// The cumulative weights of the templates.
    weights: Vec<u64>,
    workloads: Workloads,
    now: i64,
    version: u64,
    written: u64,
    pending: BinaryHeap<Pending>,
    spare: Vec<Vec<u8>>,
}

/// The values of the slots of one request.
struct Request {
    audit: String,
    person: &'static str,
    received: i64,
    stage: i64,
    version: u64,
    workload: usize,
}

impl Generator {
    /// Creates a log that starts at the same time for every seed.
    ///
    /// # Errors
    /// If the templates, which are compiled in, are malformed.
    pub fn new(seed: u64) -> Result<Self> {
        let mut rng = Rng::with_seed(seed);
        let templates = templates()?;
        let weights: Vec<u64> = templates
            .iter()
            .scan(0, |sum, template| {
                *sum += template.weight;
                Some(*sum)
            })
            .collect();
        ensure!(weights.last().is_some_and(|sum| *sum > 0), "no templates");
        Ok(Self {
            workloads: Workloads::new(&mut rng),
            rng,
            templates,
            weights,
            now: START,
            version: 10_000,
            written: 0,
            pending: BinaryHeap::new(),
            spare: Vec::new(),
        })
    }

    /// Appends the next line with its line feed, and returns the time it was written: microseconds since the Unix
    /// epoch.
    pub fn write_line(&mut self, out: &mut Vec<u8>) -> i64 {
        loop {
            let due = self.pending.peek().is_some_and(|Reverse((stage, ..))| *stage <= self.now);
            if due && let Some(Reverse((stage, _, mut line))) = self.pending.pop() {
                out.extend_from_slice(&line);
                line.clear();
                self.spare.push(line);
                return stage;
            }
            self.request();
        }
    }

    /// Advances to the next request, and queues its lines.
    fn request(&mut self) {
        self.now += micros(-MEAN_GAP * (1.0 - self.rng.f64()).ln()) + 1;
        self.workloads.renew(&mut self.rng);
        self.version += self.rng.u64(1..3);
        let mut request = Request {
            audit: uuid(&mut self.rng),
            person: person(&mut self.rng),
            received: self.now,
            stage: self.now,
            version: self.version,
            workload: self.workloads.choose(&mut self.rng),
        };
        let last = self.weights.last().copied().unwrap_or(1);
        let drawn = self.rng.u64(0..last);
        let template = &self.templates[self.weights.partition_point(|sum| *sum <= drawn)];
        for (stage, parts) in template.lines.iter().enumerate() {
            let arrival = stage == 0 && template.lines.len() > 1;
            if stage == 2 {
                request.stage += self.rng.i64(WATCH_MINUTES) * 60 * SECOND;
            } else if !arrival {
                request.stage = request.received + micros(latency(self.rng.f64()));
            }
            let mut line = self.spare.pop().unwrap_or_default();
            render(parts, &request, &self.workloads, &mut self.rng, &mut line);
            line.push(b'\n');
            self.pending.push(Reverse((request.stage, self.written, line)));
            self.written += 1;
        }
    }
}

fn render(
    parts: &[Part],
    request: &Request,
    workloads: &Workloads,
    rng: &mut Rng,
    out: &mut Vec<u8>,
) {
    let workload = workloads.get(request.workload);
    for part in parts {
        match part {
            Part::Text(text) => out.extend_from_slice(text.as_bytes()),
            Part::Audit => out.extend_from_slice(request.audit.as_bytes()),
            Part::Received => push_micros(request.received, out),
            Part::Stage => push_micros(request.stage, out),
            Part::Seconds(ago) => push_seconds(request.received - ago * SECOND, out),
            Part::Micros(ago) => {
                push_micros(request.received - ago * SECOND - rng.i64(0..SECOND), out);
            }
            Part::Uid(number) => out.extend_from_slice(workload.uid(*number).as_bytes()),
            Part::Version(ago) => push_number(request.version - ago, out),
            Part::Ip(number) => out.extend_from_slice(workload.ip(*number).as_bytes()),
            Part::Hex(length) => push_random(b"0123456789abcdef", *length, rng, out),
            Part::Base64(length) => push_random(BASE64, *length, rng, out),
            Part::Number(below) => push_number(rng.u64(1..=*below), out),
            Part::App => out.extend_from_slice(workload.app.as_bytes()),
            Part::Namespace => out.extend_from_slice(workload.namespace.as_bytes()),
            Part::Hash => out.extend_from_slice(workload.hash.as_bytes()),
            Part::Suffix => out.extend_from_slice(workload.suffix.as_bytes()),
            Part::Node => push_number(workload.node.into(), out),
            Part::Tag => out.extend_from_slice(workload.tag.as_bytes()),
            Part::Human => out.extend_from_slice(request.person.as_bytes()),
            Part::Repeat(about, item) => {
                for number in 0..rng.usize(about / 2..=about + about / 2) {
                    if number > 0 {
                        out.push(b',');
                    }
                    let of_item = Request {
                        audit: String::new(),
                        workload: workloads.choose(rng),
                        ..*request
                    };
                    render(item, &of_item, workloads, rng, out);
                }
            }
        }
    }
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn push_random(alphabet: &[u8], length: usize, rng: &mut Rng, out: &mut Vec<u8>) {
    out.extend((0..length).map(|_| alphabet[rng.usize(..alphabet.len())]));
}

fn push_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(number.to_string().as_bytes());
}

/// Returns the value at quantile `at` of [`LATENCY`], linearly interpolated.
fn latency(at: f64) -> f64 {
    let next = LATENCY.partition_point(|(quantile, _)| *quantile <= at).clamp(1, LATENCY.len() - 1);
    let ((from, low), (to, high)) = (LATENCY[next - 1], LATENCY[next]);
    low + (high - low) * (at - from) / (to - from)
}

/// Returns the whole microseconds of a duration.
#[expect(clippy::cast_possible_truncation, reason = "durations here are at most minutes")]
fn micros(duration: f64) -> i64 {
    duration as i64
}
