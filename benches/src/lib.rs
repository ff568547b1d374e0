//! A seeded generator of Kubernetes audit logs, for reproducible measurements.
//!
//! [`Generator`] writes the JSON lines of an API server's log backend: requests with interleaved lines, recurring
//! identities, varying names, uids and times, and bodies as API servers write them, including managed fields. The
//! requests come from real logs (`templates.txt`), so verbs, stages, levels, line lengths and body sizes match those
//! logs. `benches/shape.py` compares the output with the measured logs.

mod clock;
mod generator;
mod identities;
mod template;

pub use generator::Generator;
