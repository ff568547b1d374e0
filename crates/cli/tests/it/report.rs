//! `podtrail hunt --report`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Run, podtrail, privileged_pod, sample};

/// A script that would mark the page if it ran.
const SCRIPT: &str = "</script><script>document.body.prepend(Object.assign(document.createElement('b'),{id:'ran'}))</script>";
const IMAGE: &str = "\"'><img src=x onerror=\"document.body.innerHTML='<b id=ran>'\">";

/// Returns a log of two privileged pods, one of alice and one of a user whose names are scripts.
fn hostile_log(dir: &Path) -> String {
    let mut event: Value =
        serde_json::from_str(&privileged_pod("bad", "2026-11-24T10:00:01.000000Z")).unwrap();
    event["user"]["username"] = json!(SCRIPT);
    event["userAgent"] = json!(format!("javascript:alert(1)]]>{IMAGE}"));
    event["sourceIPs"] = json!([IMAGE]);
    event["auditID"] = json!(format!("{SCRIPT}\u{0}\u{202e}"));
    event["objectRef"]["namespace"] = json!(IMAGE);
    event["objectRef"]["name"] = json!(format!("{SCRIPT}{}", "n".repeat(5_000)));
    event["requestObject"]["spec"]["containers"][0]["image"] = json!(SCRIPT);
    event["requestObject"]["spec"]["containers"][0]["name"] = json!(IMAGE);
    let log = dir.join("<b id=ran>.log");
    let quiet = privileged_pod("quiet", "2026-11-24T10:00:00.000000Z");
    std::fs::write(&log, format!("{quiet}\n{event}\n")).unwrap();
    log.display().to_string()
}

/// Returns the report of the hostile log.
fn report() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let log = hostile_log(dir.path());
    let report = dir.path().join("report.html");
    std::fs::write(&report, "of an earlier hunt").unwrap();
    podtrail([
        "hunt",
        &log,
        "--detection",
        "privileged-container",
        "--report",
        &report.display().to_string(),
    ])
    .expect(0);
    (dir, report)
}

#[test]
fn a_report_replaces_the_previous_one_and_leaves_no_other_file() {
    let (dir, report) = report();
    let page = std::fs::read_to_string(report).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(page.ends_with("</html>"), "{page}");
    assert!(page.contains("<h1>2 incidents, 2 findings in cluster default</h1>"));
    assert!(page.contains("--detection privileged-container --report "));
    for hostile in ["<b id=ran>", "<img", "</script><script>", "\u{0}", "\u{202e}"] {
        assert!(!page.contains(hostile), "{hostile}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "the log and the report");
}

#[test]
fn a_report_of_the_sample_shows_lineage_coverage_and_files() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report.html");
    let (sample, path) = (sample().display().to_string(), report.display().to_string());
    podtrail(["hunt", &sample, "--detection", "privileged-container", "--report", &path]).expect(0);
    let page = std::fs::read_to_string(report).unwrap();
    let texts = [
        "<dt>Root owner</dt><dd><bdi>DaemonSet</bdi> <bdi>kube-flannel-ds</bdi></dd>",
        ", known by <bdi>own request</bdi>, ",
        "<caption>Requests by resource</caption>",
        // The digest of audit.log, as sha256sum prints it.
        &sha256_of_the_sample(),
        "docker.io/<wbr>flanneld/<wbr>flannel:<wbr>latest",
        "Digest of the pack",
    ];
    for text in texts {
        assert!(page.contains(text), "{text}");
    }
}

fn sha256_of_the_sample() -> String {
    let output = Command::new("sha256sum").arg(sample().join("audit.log")).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// The report that is being written is not ingested as a log.
#[test]
fn a_report_can_be_written_next_to_the_logs() {
    let dir = tempfile::tempdir().unwrap();
    let log = privileged_pod("pod", "2026-11-24T10:00:00.000000Z");
    std::fs::write(dir.path().join("audit.log"), log).unwrap();
    let (logs, report) = (dir.path(), dir.path().join("report.html"));
    let only = ["--detection".as_ref(), "privileged-container".as_ref()];
    let hunt = ["hunt".as_ref(), logs, "--report".as_ref(), &report];
    let run = podtrail(hunt.into_iter().chain(only)).expect(0);
    assert!(!run.stderr.contains(".podtrail-"), "{run}");
    assert!(report.is_file());
}

#[test]
fn a_report_that_cannot_be_written_fails_before_the_hunt() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere/report.html").display().to_string();
    let run = podtrail(["hunt", "no-such-log", "--report", &nowhere]).expect(4);
    assert!(run.stderr.contains(&format!("cannot write {nowhere}: ")), "{run}");
    assert_eq!(run.stdout, "");
}

/// Returns the page as Chromium renders it after running its script.
fn opened(page: &Path, fragment: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--dump-dom")
        .arg(format!("file://{}{fragment}", page.display()))
        .output();
    Run::of(output.expect("chromium in PATH")).expect(0).stdout
}

/// Returns the findings of a page, each with whether the filter shows it.
fn findings(page: &str) -> Vec<(&str, bool)> {
    let tags = page.split("<tbody id=\"f-").skip(1).map(|rest| rest.split_once('>').unwrap().0);
    tags.map(|tag| (&tag[..32], !tag.contains(" hidden=\"\""))).collect()
}

#[test]
#[ignore = "runs Chromium: .ci/run includes it; cargo test --workspace -- --ignored"]
fn in_a_browser_no_script_of_a_log_runs_and_the_filter_works() {
    let (dir, report) = report();
    let page = opened(&report, "");
    assert!(!page.contains("<b id=\"ran\""), "{page}");
    assert!(!page.contains("<img"), "{page}");
    let all = findings(&page);
    assert_eq!(all.iter().filter(|(_, shown)| *shown).count(), 2, "{page}");
    // The page's own script did run: it showed the form, and turned headers into buttons.
    assert!(page.contains(">2 findings</output>"), "{page}");
    assert!(page.contains("<button type=\"button\">Severity</button>"), "{page}");

    let page = opened(&report, "#q=alice%20NGINX");
    assert_eq!(findings(&page).iter().filter(|(_, shown)| *shown).count(), 1, "{page}");
    assert!(page.contains(">1 of 2 findings</output>"), "{page}");
    let page = opened(&report, "#severity=low");
    assert!(findings(&page).iter().all(|(_, shown)| !shown), "{page}");
    assert!(page.contains("<p id=\"no-match\">"), "{page}");
    let (id, _) = all[1];
    let page = opened(&report, &format!("#f-{id}"));
    let (_, finding) = page.split_once(&format!("<tbody id=\"f-{id}\"")).unwrap();
    assert!(finding.split_once("</tbody>").unwrap().0.contains("<details open=\"\">"), "{page}");

    // Even with an injection, the policy of the page blocks scripts; without the policy the mark appears.
    let page = std::fs::read_to_string(&report).unwrap();
    let script = SCRIPT.trim_start_matches("</script>");
    let holed = dir.path().join("holed.html");
    let body = page.replace("</main>", &format!("{script}{IMAGE}</main>"));
    std::fs::write(&holed, &body).unwrap();
    assert!(!opened(&holed, "").contains("<b id=\"ran\""));
    std::fs::write(&holed, body.replace("Content-Security-Policy", "none")).unwrap();
    assert!(opened(&holed, "").contains("<b id=\"ran\""));
}
