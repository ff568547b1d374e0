use chrono::TimeDelta;
use podtrail_detect::{Excepted, Finding, Hunt, Pack, Severity, Source, incidents};
use podtrail_report::{
    Activity, Context, EventFacts, HtmlReport, IdentityFacts, ImageFacts, Lineage, LogSummary,
    NamespaceFacts, Period, SourceFile, WorkloadWrites, write_html,
};

use crate::{HOSTILE, blank, finding, time};

/// Names that an attacker can choose.
const NAMES: &[&str] = &[
    HOSTILE,
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "\"><img src=x onerror=alert(3)>",
    "' onmouseover='alert(4)",
    "javascript:alert(5)",
    "</title></style></svg><svg onload=alert(6)>",
    "<!--",
    "]]><b>",
    "&lt;script&gt;",
    "a\u{202e}gpj.exe\u{0}\u{7}\u{2066}",
    "`${alert(7)}`",
];

fn html(hunt: &Hunt, context: &Context, log: &LogSummary) -> String {
    let pack = Pack::built_in().unwrap();
    let incidents = incidents(&hunt.findings, &pack.combined());
    let report = HtmlReport {
        log,
        incidents: &incidents,
        hunt,
        pack: &pack,
        context,
        least: Severity::Low,
        left_out: 0,
        command: "podtrail hunt '<script>alert(8)</script>'".to_owned(),
        time: time(),
    };
    let mut out = Vec::new();
    write_html(&report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn log(clusters: &[&str]) -> LogSummary {
    LogSummary {
        events: 9,
        first: Some(finding().first_seen),
        last: Some(finding().first_seen + TimeDelta::hours(2)),
        clusters: clusters.iter().map(|name| (*name).to_owned()).collect(),
        blind_writes: clusters.iter().map(|name| ((*name).to_owned(), 1)).collect(),
        ..LogSummary::default()
    }
}

/// Returns a finding in which every text of the log is `name`, with the full context of a lake.
fn finding_in_context(name: &str) -> (Finding, Context) {
    let text = Some(name.to_owned());
    let source =
        Source { file: text.clone(), line: Some(1), offset: Some(0), sha256: text.clone() };
    let event_id = format!("event {name}");
    let finding = Finding {
        severity: Severity::Critical,
        count: 1,
        event_ids: vec![event_id.clone()],
        audit_ids: vec![name.to_owned()],
        cluster: text.clone(),
        identity: text.clone(),
        impersonated_identity: text.clone(),
        verb: text.clone(),
        namespace: text.clone(),
        resource: text.clone(),
        name: text.clone(),
        images: vec![name.to_owned()],
        reasons: vec![name.to_owned(), format!("{name} again")],
        outcome: text.clone(),
        client_ip: text.clone(),
        user_agent: text.clone(),
        source: source.clone(),
        sources: vec![source],
        incident_id: Some("1c".repeat(16)),
        incident_reason: text.clone(),
        ..finding()
    };
    let time = finding.first_seen;
    let event = EventFacts {
        event_id: event_id.clone(),
        audit_id: text.clone(),
        time,
        verb: text.clone(),
        resource: text.clone(),
        name: text.clone(),
        outcome: text.clone(),
        status_code: Some(201),
    };
    let lineage = Lineage {
        event_id: event_id.clone(),
        root_kind: text.clone(),
        root_name: text.clone(),
        author: text.clone(),
        author_known_by: text.clone(),
        author_time: Some(time),
    };
    let names = Some(vec![name.to_owned(); 6]);
    let context = Context {
        events: [(event_id.clone(), event)].into(),
        lineage: [(event_id, lineage)].into(),
        charted: Some(Period { first: time, last: time }),
        writes: vec![WorkloadWrites { start: time, writes: 3 }],
        identities: vec![IdentityFacts {
            username: text.clone(),
            identity_kind: text.clone(),
            first_seen: time,
            last_seen: time,
            requests: 1,
            denied: 0,
            workload_writes: 1,
            client_ips: names.clone(),
            user_agents: names.clone(),
        }],
        namespaces: vec![NamespaceFacts {
            namespace: name.to_owned(),
            requests: 1,
            identities: 1,
            workload_writes: 1,
        }],
        images: vec![ImageFacts {
            image: name.to_owned(),
            containers: 1,
            namespaces: names.clone(),
            first_seen: time,
        }],
        activity: vec![Activity {
            resource: text.clone(),
            activity: name.to_owned(),
            requests: 1,
            writes: 1,
            writes_without_body: 1,
            truncated: 1,
            levels: names,
        }],
        files: vec![SourceFile {
            file: text.clone(),
            sha256: text,
            events: 1,
            first: time,
            last: time,
        }],
        quarantined: 1,
    };
    (finding, context)
}

/// Returns the page of one finding with a name, shown and excepted.
fn page(name: &str) -> String {
    let (finding, context) = finding_in_context(name);
    let excepted =
        Excepted { exception: "cert-manager-secrets".to_owned(), finding: finding.clone() };
    let hunt = Hunt { findings: vec![finding], excepted: vec![excepted], ..Hunt::default() };
    html(&hunt, &context, &log(&[name]))
}

/// Returns the tags of a page with their attributes, without the text between them.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0).collect()
}

#[test]
fn text_of_a_log_adds_no_markup() {
    // A harmless name gives the same tags; only filter links and the times of the report may differ in attributes.
    let names = |page: &str| -> Vec<String> {
        let tags = tags(page).into_iter().filter(|tag| *tag != "wbr");
        tags.map(|tag| tag.split([' ', '/']).next().unwrap_or_default().to_owned()).collect()
    };
    let harmless = names(&page("harmless"));
    for name in NAMES {
        assert_eq!(names(&page(name)), harmless, "{name:?}");
    }
}

#[test]
fn invisible_characters_are_written_as_escapes() {
    let page = page(HOSTILE);
    let body = page.split_once("<body>").unwrap().1;
    for hidden in ['\u{0}', '\u{1b}', '\u{202e}', '\r'] {
        assert!(!body.contains(hidden), "{hidden:?}");
    }
    assert!(body.contains("\\u{1b}[31m\\u{202e}]]&gt;é"));
}

#[test]
fn links_lead_to_the_page_or_to_references_of_the_pack() {
    for name in NAMES {
        let page = page(name);
        for tag in tags(&page).into_iter().filter(|tag| tag.starts_with("a ")) {
            let (_, rest) = tag.split_once("href=\"").unwrap();
            let (href, _) = rest.split_once('"').unwrap();
            let is_ours = ["#", "https://attack.mitre.org/", "https://kubernetes.io/"]
                .iter()
                .any(|start| href.starts_with(start));
            assert!(is_ours, "{href}");
        }
    }
}

#[test]
fn script_and_style_contain_no_text_of_a_log_and_nothing_else_can_run() {
    let (hostile, harmless) = (page("</script></style>zzz"), page("harmless"));
    let inside = |page: &str, tag: &str| {
        let (_, rest) = page.split_once(&format!("<{tag}>")).unwrap();
        rest.split_once(&format!("</{tag}>")).unwrap().0.to_owned()
    };
    for tag in ["script", "style"] {
        assert_eq!(inside(&hostile, tag), inside(&harmless, tag));
        assert_eq!(hostile.matches(&format!("<{tag}")).count(), 1);
    }
    assert!(hostile.contains("content=\"default-src 'none'; style-src 'sha256-"));
    // Attributes that a policy by digests would block.
    for tag in tags(&hostile) {
        assert!(!tag.contains(" style=") && !tag.contains(" on"), "{tag}");
        assert!(!tag.contains(" src="), "{tag}");
    }
}

#[test]
fn a_very_long_name_is_truncated_and_its_length_shown() {
    let page = page(&"x".repeat(1_000_000));
    assert!(page.len() < 400_000, "{}", page.len());
    assert!(page.contains("… (1,000,000 characters)"));
}

#[test]
fn each_finding_has_an_anchor_and_its_evidence() {
    let hunt = Hunt { findings: vec![finding()], detections: 1, ..Hunt::default() };
    let page = html(&hunt, &Context::default(), &log(&["prod"]));
    let id = finding().finding_id;
    assert!(page.contains(&format!("<tbody id=\"f-{id}\" data-severity=\"high\">")));
    assert!(page.contains(&format!("href=\"#f-{id}\"")));
    for evidence in [":7<", ":9<", ">900<", ">1400<", &"ab".repeat(32), "privileged-container"] {
        assert!(page.contains(evidence), "{evidence}");
    }
    assert!(page.contains("<h1>No incidents, 1 finding in cluster prod</h1>"));
}

#[test]
fn a_report_marks_unknown_values() {
    let hunt = Hunt { findings: vec![blank()], detections: 1, ..Hunt::default() };
    let page = html(&hunt, &Context::default(), &LogSummary::default());
    for absent in ["not authenticated", "name not in the log", "address not in the log"] {
        assert!(page.contains(absent), "{absent}");
    }
    let nothing = html(&Hunt::default(), &Context::default(), &LogSummary::default());
    assert!(nothing.contains("<h1>No incidents, no findings</h1>"));
    assert!(nothing.contains("No findings of severity low or above."));
}

#[test]
fn a_report_of_a_thousand_findings_stays_small() {
    let findings = (0..1_000).map(|index| Finding {
        finding_id: format!("{index:032x}"),
        event_ids: (0..200).map(|event| format!("{index} {event}")).collect(),
        sources: vec![finding().source; 200],
        ..finding()
    });
    let hunt = Hunt { findings: findings.collect(), detections: 1, ..Hunt::default() };
    let page = html(&hunt, &Context::default(), &log(&["prod"]));
    assert_eq!(page.matches("<details>").count(), 1_000);
    assert!(page.contains("and 150 events more"));
    assert!(page.len() < 30_000_000, "{}", page.len());
}
