//! The pages in docs/ contain the output of the program. `UPDATE_DOCS=1 cargo test --workspace
//! --test it docs` updates them.

use std::fmt::Write;
use std::path::PathBuf;

use crate::{Run, command, podtrail, scratch};

/// Checks that a file in docs/ contains this text, or updates it.
fn expect_page(name: &str, text: &str) {
    let file = root().join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (written, printed) = (lines(&written), lines(text));
    let differs = |line: &usize| written.get(*line) != printed.get(*line);
    if let Some(line) = (0..written.len().max(printed.len())).find(differs) {
        panic!(
            "docs/{name}, line {}, is {:?}, and should be {:?}: `UPDATE_DOCS=1 cargo test --workspace --test it docs` updates it",
            line + 1,
            written.get(line),
            printed.get(line)
        );
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_reference_matches_the_program() {
    for (page, arguments) in [
        ("schema.md", &["schema"][..]),
        ("functions.md", &["schema", "--functions"]),
        ("detections.md", &["detections", "list"]),
    ] {
        let printed = podtrail([arguments, &["--format", "markdown"]].concat()).expect(0).stdout;
        expect_page(page, &printed);
    }
}

#[test]
fn lookups_have_a_format_for_people() {
    let schema = podtrail(["schema", "--all"]).expect(0).stdout;
    assert!(schema.contains("  workload.containers.privileged  boolean\n"), "{schema}");
    let functions = podtrail(["schema", "--functions"]).expect(0).stdout;
    assert!(functions.contains("\ncidr_contains(cidr, ip)"), "{functions}");
}

#[test]
#[ignore = "runs the whole pack: .ci/run includes it; cargo test --workspace -- --ignored"]
fn the_queries_of_the_cookbook_return_the_shown_results() {
    let (_dir, lake) = scratch();
    // The output contains the file names as given.
    let at_root = |arguments: &[&str]| {
        Run::of(command(arguments).current_dir(root()).output().unwrap()).expect(0)
    };
    at_root(&["ingest", "samples/intrusion", "--lake", &lake]);
    at_root(&["detect", "--lake", &lake]);

    let cookbook = std::fs::read_to_string(root().join("docs/cookbook.md")).unwrap();
    let mut parts = cookbook.split("```sql\n");
    let mut page = parts.next().unwrap().to_owned();
    let parts: Vec<_> = parts.map(|part| part.split_once("```\n\n```text\n").unwrap()).collect();
    // All queries share one session, because opening it takes longer than most queries.
    let queries: Vec<_> = parts.iter().map(|(query, _)| *query).collect();
    let printed = podtrail(["sql", "--lake", &lake, "-c", &queries.join(";\n")]).expect(0).stdout;
    let mut tables = printed.split_inclusive(" rows\n").flat_map(|t| t.split_inclusive(" row\n"));
    for (query, rest) in parts {
        let table = tables.next().unwrap();
        assert!(!table.ends_with("\n0 rows\n"), "nothing is found by {query}");
        let (_, rest) = rest.split_once("```\n").unwrap();
        write!(page, "```sql\n{query}```\n\n```text\n{table}```\n{rest}").unwrap();
    }
    expect_page("cookbook.md", &page);
}
