use std::collections::{BTreeMap, HashMap, HashSet};

use podtrail_benches::Generator;
use podtrail_event::Parser;

const BYTES: usize = 4 << 20;

fn log(seed: u64) -> Vec<u8> {
    let mut generator = Generator::new(seed).unwrap();
    let mut log = Vec::new();
    while log.len() < BYTES {
        generator.write_line(&mut log);
    }
    log
}

fn lines(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert!(log(1) == log(1));
    assert!(log(1) != log(2));
}

#[test]
fn every_line_is_an_event_without_open_slots() {
    let log = log(1);
    for line in lines(&log) {
        Parser::default().parse(line, None).unwrap();
        assert!(!line.windows(2).any(|pair| pair == b"${"), "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn stages_follow_each_other_and_requests_interleave() {
    let log = log(1);
    let mut stages: HashMap<String, Vec<String>> = HashMap::new();
    let mut parser = Parser::default();
    let (mut last_stage, mut last_received, mut behind, mut count) = (None, None, 0, 0);
    for line in lines(&log) {
        let event = parser.parse(line, None).unwrap();
        assert!(event.stage_at >= last_stage, "lines are written in the order of their stages");
        behind += i32::from(event.received_at < last_received);
        (last_stage, last_received) = (event.stage_at, event.received_at);
        let audit_id = event.audit_id.unwrap().to_string();
        stages.entry(audit_id).or_default().push(event.stage.unwrap().to_string());
        count += 1;
    }
    let sequences: HashSet<String> = stages.values().map(|stages| stages.join(" ")).collect();
    assert!(sequences.contains("RequestReceived ResponseComplete"), "{sequences:?}");
    assert!(behind * 10 > count, "{behind} of {count} lines stand behind a later arrival");
}

/// The share of each verb among the requests of cluster-1.20, 1.36-main and 1.36-all-bodies.
const VERBS: [(&str, f64); 6] = [
    ("create", 0.302),
    ("update", 0.303),
    ("patch", 0.151),
    ("get", 0.148),
    ("list", 0.050),
    ("delete", 0.036),
];

#[test]
fn verbs_are_mixed_as_in_the_logs_it_was_fitted_to() {
    let log = log(3);
    let mut verbs: BTreeMap<String, f64> = BTreeMap::new();
    let mut parser = Parser::default();
    let mut count = 0.0;
    for line in lines(&log) {
        let event = parser.parse(line, None).unwrap();
        if event.stage.as_deref() != Some("RequestReceived") {
            *verbs.entry(event.verb.unwrap().to_string()).or_default() += 1.0;
            count += 1.0;
        }
    }
    for (verb, expected) in VERBS {
        let share = verbs.get(verb).copied().unwrap_or_default() / count;
        assert!((share - expected).abs() < 0.05, "{verb}: {share:.3}, expected {expected:.3}");
    }
}
