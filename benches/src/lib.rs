//! A seeded generator of Kubernetes audit logs, for measurements that anyone can repeat.
//!
//! [`Generator`] writes the JSON lines of an API server's log backend: requests whose lines interleave, identities that
//! come back, names, uids and times that vary, and bodies as API servers write them, managed fields included.
//! The requests are cut out of real logs (`templates.txt`), so verbs, stages, levels, line lengths and body sizes are
//! those of the logs they came from. `benches/shape.py` compares what comes out with what was measured.

mod clock;
mod generator;
mod identities;
mod template;

pub use generator::Generator;
