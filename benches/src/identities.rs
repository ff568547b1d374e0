//! The objects of requests: workloads that appear, receive requests for a while, and disappear.

use std::collections::VecDeque;

use fastrand::Rng;

/// The number of workloads that receive requests at the same time. In real logs, a workload appears in a few dozen
/// lines and rarely later. With 256, the log compresses 6 % worse under zstd -1, with 16 3 % better.
const LIVE: usize = 48;

/// The probability that a request is the first for a new workload. Fitted: 0.63 new UUIDs per line, including audit
/// ids; 0.66 in cluster-1.20, 1.36-main and 1.36-all-bodies together.
const NEW_WORKLOAD: f64 = 0.05;

/// The alphabet of names that Kubernetes generates (`k8s.io/apimachinery/pkg/util/rand`).
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

const TEAMS: [&str; 24] = [
    "shop",
    "search",
    "payments",
    "ml-batch",
    "data",
    "ci",
    "argocd",
    "monitoring",
    "logging",
    "web",
    "mobile",
    "checkout",
    "identity",
    "billing",
    "preview-pr",
    "staging",
    "reports",
    "ingest",
    "edge",
    "support",
    "fraud",
    "catalog",
    "media",
    "platform",
];

const SERVICES: [&str; 40] = [
    "api", "web", "worker", "cache", "cron", "proxy", "gateway", "auth", "cart", "orders",
    "invoice", "mailer", "search", "indexer", "feed", "thumbs", "upload", "notify", "ledger",
    "pricing", "stock", "ship", "track", "train", "predict", "etl", "export", "import", "report",
    "audit", "session", "profile", "rating", "review", "metrics", "alerts", "backup", "migrate",
    "sync", "canary",
];

const PEOPLE: [&str; 24] = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "judy",
    "mallory",
    "niaj",
    "oscar",
    "peggy",
    "rupert",
    "sybil",
    "trent",
    "victor",
    "walter",
    "zoë.müller",
    "jürgen",
    "renée",
    "anna.smith",
    "k.tanaka",
];

/// A workload, its pod, and related objects.
pub(crate) struct Workload {
    pub(crate) app: String,
    pub(crate) namespace: String,
    pub(crate) hash: String,
    pub(crate) suffix: String,
    pub(crate) tag: String,
    pub(crate) node: u32,
    uids: [String; 8],
    ips: [String; 4],
}

impl Workload {
    fn new(rng: &mut Rng) -> Self {
        let team = pick(&TEAMS, rng);
        let namespace =
            if rng.f32() < 0.5 { team.to_owned() } else { format!("{team}-{}", rng.u32(0..20)) };
        Self {
            app: format!("{}-{}", pick(&SERVICES, rng), rng.u32(0..1000)),
            namespace,
            hash: safe(10, rng),
            suffix: safe(5, rng),
            tag: format!("{}.{}.{}", rng.u32(0..4), rng.u32(0..30), rng.u32(0..12)),
            node: rng.u32(1..60),
            uids: std::array::from_fn(|_| uuid(rng)),
            ips: std::array::from_fn(|_| {
                format!("10.{}.{}.{}", rng.u8(96..128), rng.u8(..), rng.u8(1..255))
            }),
        }
    }

    /// Returns the uid with this number of the workload.
    pub(crate) fn uid(&self, number: usize) -> &str {
        &self.uids[number % self.uids.len()]
    }

    /// Returns the address with this number of the workload.
    pub(crate) fn ip(&self, number: usize) -> &str {
        &self.ips[number % self.ips.len()]
    }
}

/// The workloads that exist at the same time.
pub(crate) struct Workloads(VecDeque<Workload>);

impl Workloads {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self((0..LIVE).map(|_| Workload::new(rng)).collect())
    }

    /// Replaces the oldest workload by a new one from time to time.
    pub(crate) fn renew(&mut self, rng: &mut Rng) {
        if rng.f64() < NEW_WORKLOAD {
            self.0.pop_front();
            self.0.push_back(Workload::new(rng));
        }
    }

    /// Returns the number of a workload, a younger one more often.
    pub(crate) fn choose(&self, rng: &mut Rng) -> usize {
        let newest = self.0.len() - 1;
        newest - rng.usize(0..=newest).min(rng.usize(0..=newest))
    }

    pub(crate) fn get(&self, number: usize) -> &Workload {
        &self.0[number % self.0.len()]
    }
}

/// Returns the local part of a person's e-mail address.
pub(crate) fn person(rng: &mut Rng) -> &'static str {
    pick(&PEOPLE, rng)
}

/// Returns a random UUID, version 4.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    let bits = rng.u128(..) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let digits = format!("{bits:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// Returns a name as Kubernetes generates them.
fn safe(length: usize, rng: &mut Rng) -> String {
    (0..length).map(|_| char::from(SAFE[rng.usize(..SAFE.len())])).collect()
}

fn pick(words: &[&'static str], rng: &mut Rng) -> &'static str {
    words[rng.usize(..words.len())]
}
