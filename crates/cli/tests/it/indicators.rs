//! `--indicators`: threat intelligence in three formats, skipped indicators, and the stored list of a lake.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::detect::Fixture;
use crate::{Run, podtrail, privileged_pod, scratch};

/// Runs `detect` with only the indicator detection.
fn detect(lake: &Fixture, flags: &[&str]) -> Run {
    let arguments = ["detect", "--lake", &lake.lake, "--format", "jsonl"];
    let only = ["--detection", "threat-indicator"];
    podtrail(arguments.iter().chain(&only).chain(flags))
}

/// Writes a file into the directory of the lake, and returns its path.
fn file(lake: &Fixture, name: &str, text: &str) -> String {
    let path = lake.dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Returns the reasons of findings, in order.
fn reasons(run: &Run) -> Vec<String> {
    let mut reasons: Vec<_> = run
        .jsonl()
        .iter()
        .map(|finding| finding["reasons"][0].as_str().unwrap().to_owned())
        .collect();
    reasons.sort_unstable();
    reasons
}

#[test]
fn csv_stix_and_misp_give_the_same_findings() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    let csv = "# a feed\ntype,value,source,date,description,severity\n\
        ip,10.0.0.7,CERT,2026-10-01,C2,high\nimage,nginx,CERT,2026-10-01,Miner,high\n\
        user,alice,CERT,2026-10-01,Dump,high\nuser-agent,kube*,CERT,2026-10-01,Tool,high\n\
        domain,evil.example,CERT,2026-10-01,,high\n";
    let indicator = |name: &str, pattern: &str| {
        json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--{name}"), "name": name,
            "pattern": pattern, "pattern_type": "stix", "created": "2026-10-01T00:00:00.000Z",
            "valid_from": "2026-10-01T00:00:00Z", "created_by_ref": "identity--1"})
    };
    let stix = json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "identity", "id": "identity--1", "name": "CERT"},
        indicator("C2", "[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value ISSUBSET '10.0.0.0/29']"),
        indicator("Miner", "[x-oci-image:reference = 'docker.io/library/nginx']"),
        indicator("Dump", "[user-account:account_login = 'alice'] OR [user-account:user_id IN ('x', 'y')]"),
        indicator("Tool", "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' LIKE 'kube%']"),
        indicator("Domain", "[domain-name:value = 'evil.example']"),
        indicator("Both", "[ipv4-addr:value = '10.0.0.7' AND ipv4-addr:value = '10.0.0.8']"),
        indicator("Broken", "[ipv4-addr:value = '10.0.0.7"),
    ]})
    .to_string();
    let attribute = |kind: &str, value: &str| json!({"type": kind, "value": value, "to_ids": true, "timestamp": "1790812800"});
    let misp = json!({"Event": {"info": "Campaign", "Orgc": {"name": "CERT"}, "date": "2026-10-01",
        "threat_level_id": "1",
        "Attribute": [
            attribute("ip-src|port", "10.0.0.7|443"),
            attribute("github-username", "alice"),
            attribute("domain", "evil.example"),
            {"type": "ip-dst", "value": "10.0.0.7", "to_ids": false},
        ],
        "Object": [{"Attribute": [attribute("user-agent", "kubectl"), attribute("other", "docker.io/library/nginx")]}],
    }})
    .to_string();
    for (name, text, address, skipped) in [
        ("feed.csv", csv.to_owned(), "10.0.0.7", "1 type domain"),
        (
            "bundle.json",
            stix,
            "10.0.0.7 of 10.0.0.0/29",
            "1 comparison of domain-name:value, 2 pattern that is not a STIX pattern of alternatives",
        ),
        ("event.json", misp, "10.0.0.7", "1 not meant for detection (to_ids), 1 type domain"),
    ] {
        let path = file(&lake, name, &text);
        let flags = ["--format", "jsonl", "--detection", "threat-indicator"];
        let hunt = ["hunt", "--lake", &lake.lake, "--indicators", &path];
        let run = podtrail(hunt.iter().chain(&flags)).expect(0);
        let why = |what: &str| if name == "event.json" { "Campaign" } else { what }.to_owned();
        let expected = [
            ("as this user", "Dump"),
            (&*format!("from {address}"), "C2"),
            ("with the image nginx", "Miner"),
            ("with the user agent \"kubectl\"", "Tool"),
        ]
        .map(|(seen, what)| {
            format!("alice {seen}, 1 requests: listed by CERT on 2026-10-01 ({})", why(what))
        });
        assert_eq!(reasons(&run), expected, "{name}: {run}");
        assert!(run.stderr.contains(&format!("skipped: {skipped}")), "{run}");
    }
}

#[test]
fn past_events_are_searched_for_new_indicators() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-01T10:00:00.000000Z")]);
    // A lake without a list has an empty set of indicators.
    assert_eq!(reasons(&detect(&lake, &[]).expect(0)), Vec::<String>::new());
    lake.ingest(&[privileged_pod("b", "2026-11-24T10:00:00.000000Z")]);
    let head = "type,value,source,date\n";
    let one = file(&lake, "one.csv", &format!("{head}ip,10.0.0.7,One,2026-10-01\n"));
    let run = detect(&lake, &["--indicators", &one]).expect(0);
    let first = |requests: &str| {
        format!("alice from 10.0.0.7, {requests} requests: listed by One on 2026-10-01")
    };
    assert_eq!(reasons(&run), [first("1"), first("1")], "of both days: {run}");
    assert!(run.stderr.contains("searched the whole lake for new indicators: 1"), "{run}");

    // The same list, and no list: no new finding.
    for flags in [&["--indicators", &one][..], &[]] {
        let run = detect(&lake, flags).expect(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    }
    // Later events are judged by the stored list.
    lake.ingest(&[privileged_pod("c", "2026-11-26T10:00:00.000000Z")]);
    assert_eq!(reasons(&detect(&lake, &[]).expect(0)), [first("1")]);

    // A longer list: past events are searched for the new indicators, even if the events have findings.
    let two = format!("{head}ip,10.0.0.7,One,2026-10-01\nimage,nginx,Two,2026-10-02\n");
    let two = file(&lake, "two.csv", &two);
    let run = detect(&lake, &["--indicators", &two]).expect(0);
    let second = "alice with the image nginx, 1 requests: listed by Two on 2026-10-02".to_owned();
    assert_eq!(reasons(&run), [second.clone(), second.clone(), second], "{run}");
    let states = lake.sql("SELECT count(*) AS findings, max(sequence) AS states FROM findings");
    assert_eq!(states, json!([{"findings": 6, "states": 2}]));

    // A hunt in the lake uses the stored list, unless it is given one.
    let hunt =
        ["hunt", "--lake", &lake.lake, "--format", "jsonl", "--detection", "threat-indicator"];
    assert_eq!(podtrail(hunt).expect(0).jsonl().len(), 6);
    let other = file(&lake, "other.csv", head);
    let none = podtrail(hunt.iter().chain(&["--indicators", &*other])).expect(0);
    assert_eq!(none.stdout, "");

    // A list without them: they are removed, and their findings remain.
    detect(&lake, &["--indicators", &other]).expect(0);
    lake.ingest(&[privileged_pod("d", "2026-11-28T10:00:00.000000Z")]);
    assert_eq!(detect(&lake, &[]).expect(0).stdout, "");
    // Back in the list, they find the events since then, and nothing twice.
    assert_eq!(reasons(&detect(&lake, &["--indicators", &one]).expect(0)), [first("1")]);
}

#[test]
fn severities_and_expiry_are_those_of_the_indicators() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    let list = "indicator_type,indicator,severity,valid_until\nIPv4,10.0.0.7,low,2026-01-01\n\
        USER,alice,medium,2999-01-01\nuser,ALICE,critical,\n";
    let list = file(&lake, "list.csv", list);
    let run = detect(&lake, &["--indicators", &list, "--min-severity", "info"]).expect(0);
    let findings = run.jsonl();
    let severities: Vec<&Value> = findings.iter().map(|finding| &finding["severity"]).collect();
    assert_eq!(severities, ["critical"], "{run}");
    assert!(run.stderr.contains("2 indicators used; skipped: 1 expired"), "{run}");
    assert_eq!(
        reasons(&run),
        ["alice as this user, 1 requests: listed by list.csv, without a date"]
    );
}

#[test]
fn headers_of_public_feeds_are_recognized() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    for (text, listed) in [
        (
            "################\n# Dump of \"recent\" ones, since 2020\n\
            # \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"malware_printable\",\"reporter\"\n\
            \"2026-10-01 12:00:00\", \"7\", \"10.0.0.7:443\", \"ip:port\", \"Bad\", \"someone\"\n\
            \"2026-10-01 12:00:00\", \"8\", \"http://evil.example/\", \"url\", \"Bad\", \"someone\"\n",
            "someone on 2026-10-01 (Bad)",
        ),
        (
            "# END\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"malware\"\n\
            \"2026-10-01 12:00:00\",\"10.0.0.7\",\"443\",\"Bad\"\n",
            "feed on 2026-10-01 (Bad)",
        ),
        (
            "Indicator type,Indicator,Description\r\nIPv4,10[.]0[.]0[.]7,Bad\r\n",
            "feed, without a date (Bad)",
        ),
        ("ip\n10.0.0.7\n", "feed, without a date"),
    ] {
        let path = file(&lake, "feed", text);
        let only = ["--detection", "threat-indicator", "--format", "jsonl"];
        let run =
            podtrail(["hunt", "--lake", &lake.lake, "--indicators", &path].iter().chain(&only));
        let run = run.expect(0);
        let expected = format!("alice from 10.0.0.7, 1 requests: listed by {listed}");
        assert_eq!(reasons(&run), [expected], "{text}: {run}");
    }
}

#[test]
fn files_that_are_not_indicator_lists_are_a_usage_error() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    for (text, message) in [
        ("", "line 1: missing header"),
        ("10.0.0.7\n", "line 1: missing header"),
        ("type,value\nip,10.0.0.7\nip,10.0.0.300\n", "line 3: '10.0.0.300': not an address"),
        ("type,value\nip,0.0.0.0/0\n", "line 2: '0.0.0.0/0': would match almost everything"),
        ("type,value\nuser-agent,**\n", "line 2: '**': would match almost everything"),
        ("type,value\nimage,a b\n", "line 2: 'a b': not an image"),
        (
            "type,value,severity\nip,10.0.0.7,bad\u{1b}[31m\n",
            "line 2: unknown severity 'bad\\u{1b}[31m'",
        ),
        ("value\nsomething\n", "line 2: 'something': unknown type"),
        ("{}", "neither a STIX bundle"),
        ("{\"objects\": [\n", "line 2 column 0"),
        ("[1, 2]x", "invalid JSON"),
    ] {
        let list = file(&lake, "list", text);
        let run = detect(&lake, &["--indicators", &list]).expect(2);
        assert!(run.stderr.contains(message), "{text}: {run}");
        assert!(run.stderr.contains("list: "), "{run}");
    }
    let missing = lake.dir.path().join("missing").display().to_string();
    detect(&lake, &["--indicators", &missing]).expect(4);
}

#[test]
fn a_long_list_of_indicators_is_read_from_the_settings() {
    let (dir, _) = scratch();
    let log = dir.path().join("a.log");
    std::fs::write(&log, privileged_pod("a", "2026-11-24T10:00:00.000000Z")).unwrap();
    let mut list = "type,value\n".to_owned();
    for number in 0..20_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        writeln!(list, "ip,11.{a}.{b}.{c}").unwrap();
        writeln!(list, "cidr,2001:db8:{b:x}{c:x}::/48").unwrap();
    }
    list.push_str("cidr,10.0.0.0/29\n");
    let file = dir.path().join("long.csv");
    std::fs::write(&file, list).unwrap();
    let config = dir.path().join("config.toml");
    std::fs::write(&config, format!("indicators = ['{}']\n", file.display())).unwrap();
    let config = config.display().to_string();
    let log = log.display().to_string();
    let run = podtrail([
        "hunt",
        &log,
        "--config",
        &config,
        "--format",
        "jsonl",
        "--detection",
        "threat-indicator",
    ]);
    let expected =
        ["alice from 10.0.0.7 of 10.0.0.0/29, 1 requests: listed by long.csv, without a date"];
    assert_eq!(reasons(&run.expect(0)), expected);
}
