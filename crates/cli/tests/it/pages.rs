//! Checks the commands, output and links of README.md and docs/; `tests/sessions` has sessions for
//! less common cases. `UPDATE_SESSIONS=1 cargo test --workspace --test it pages` writes output that
//! differs, without `[…]`.
//!
//! A session is a fenced block `text` whose first line begins with `$ `. Each such line is a shell
//! command; it continues on the next line while a double quote is open or the line ends with `\`.
//! The lines below a command are its output, standard error included: `[…]` as a line stands for
//! any lines, and `…` within a line for any characters. A fenced block whose info string has a
//! second word (`yaml exceptions.yaml`) is the content of a file of that name.
//!
//! The sessions of a page run in order, in a separate folder that contains `samples` and `queries`.
//! A command that does not print `$?` exits with 0.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Run, is_in_this_build, without_settings};

macro_rules! pages {
    ($($(#[$attribute:meta])* $test:ident: $page:literal,)*) => {
        /// The pages with sessions.
        const PAGES: &[&str] = &[$($page),*];

        $(
            #[test]
            $(#[$attribute])*
            fn $test() {
                run_sessions($page);
            }
        )*
    };
}

// Each in a separate test, so that they run in parallel.
pages! {
    the_sessions_of_deploy_print_what_they_show: "docs/deploy.md",
    #[ignore = "runs the whole pack several times: .ci/run includes it; cargo test --workspace -- --ignored"]
    the_sessions_of_detect_print_what_they_show: "docs/detect.md",
    the_sessions_of_exit_codes_print_what_they_show: "docs/exit-codes.md",
    the_sessions_of_export_print_what_they_show: "docs/export.md",
    the_sessions_of_formats_print_what_they_show: "docs/formats.md",
    the_sessions_of_hunt_print_what_they_show: "docs/hunt.md",
    #[ignore = "runs the whole pack several times: .ci/run includes it; cargo test --workspace -- --ignored"]
    the_sessions_of_incidents_print_what_they_show: "docs/incidents.md",
    the_sessions_of_indicators_print_what_they_show: "docs/indicators.md",
    the_sessions_of_ingest_print_what_they_show: "docs/ingest.md",
    the_sessions_of_lake_print_what_they_show: "docs/lake.md",
    the_sessions_of_settings_print_what_they_show: "docs/settings.md",
    the_sessions_of_sql_print_what_they_show: "docs/sql.md",
    the_sessions_of_the_contributing_guide_print_what_they_show: "CONTRIBUTING.md",
    a_run_that_examined_nothing_prints_what_its_sessions_show: "crates/cli/tests/sessions/nothing-examined.md",
    a_client_address_is_a_scope_as_its_sessions_show: "crates/cli/tests/sessions/client-address.md",
    tables_and_columns_are_printed_as_their_sessions_show: "crates/cli/tests/sessions/schema.md",
    #[ignore = "runs the whole pack several times: .ci/run includes it; cargo test --workspace -- --ignored"]
    an_own_detection_prints_what_its_sessions_show: "crates/cli/tests/sessions/own-detections.md",
    exceptions_print_what_their_sessions_show: "crates/cli/tests/sessions/exceptions.md",
    parameters_print_what_their_sessions_show: "crates/cli/tests/sessions/parameters.md",
    read_only_statements_print_what_their_sessions_show: "crates/cli/tests/sessions/read-only-sql.md",
    recorded_findings_print_what_their_sessions_show: "crates/cli/tests/sessions/recorded-findings.md",
    wrong_statements_print_what_their_sessions_show: "crates/cli/tests/sessions/sql-errors.md",
    wrong_usage_prints_what_its_sessions_show: "crates/cli/tests/sessions/wrong-usage.md",
}

#[test]
fn every_page_with_a_session_is_run() {
    for page in markdown_files() {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        let has_session = blocks(&text).iter().any(|(info, lines)| is_session(info, lines));
        assert_eq!(has_session, PAGES.contains(&page.as_str()), "{page}");
    }
}

#[test]
fn every_command_of_a_shell_block_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    for page in markdown_files() {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        for (info, lines) in blocks(&text) {
            for line in lines {
                if info == "sh" && line.starts_with("podtrail ") {
                    let end = [" #", " >"].into_iter().filter_map(|sign| line.find(sign)).min();
                    let arguments = &line[..end.unwrap_or(line.len())];
                    if !is_in_this_build(arguments.split_whitespace()) {
                        continue;
                    }
                    // With --help, arguments are parsed without running anything.
                    let run = shell(&format!("{arguments} --help"), dir.path());
                    assert_eq!(run.code, 0, "{page}: `{line}`: {run}");
                }
            }
        }
    }
}

#[test]
fn every_relative_link_leads_somewhere() {
    for page in markdown_files() {
        let text = outside_code(&std::fs::read_to_string(root().join(&page)).unwrap());
        for link in text.split("](").skip(1) {
            let (target, _) = link.split_once(')').unwrap();
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let here = root().join(&page);
            let there = if file.is_empty() { here } else { here.parent().unwrap().join(file) };
            assert!(there.exists(), "{page} links to {target}");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&there).unwrap();
                let is_there = text.lines().any(|line| is_heading_of(line, anchor));
                assert!(is_there, "{page} links to {target}");
            }
        }
    }
}

/// The folder of sessions that are tests only.
const SESSIONS: &str = "crates/cli/tests/sessions";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Returns the Markdown pages, by their paths below the root.
fn markdown_files() -> Vec<String> {
    let mut files: Vec<_> =
        ["README.md", "CONTRIBUTING.md", "benches/README.md", "queries/README.md"]
            .map(str::to_owned)
            .into();
    for folder in ["docs", SESSIONS] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                files.push(format!("{folder}/{}", path.file_name().unwrap().display()));
            }
        }
    }
    files
}

/// Returns the fenced blocks of a page: their info strings, and their lines without the indentation
/// of the fence.
fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            let indent = line.len() - line.trim_start().len();
            let inside = lines.by_ref().take_while(|line| line.trim_start() != "```");
            blocks.push((info, inside.map(|line| line.get(indent..).unwrap_or("")).collect()));
        }
    }
    blocks
}

fn is_session(info: &str, lines: &[&str]) -> bool {
    info == "text" && lines.first().is_some_and(|line| line.starts_with("$ "))
}

/// Returns the commands of a session, each with its output lines.
fn commands<'a>(session: &[&'a str]) -> Vec<(String, Vec<&'a str>)> {
    let mut commands: Vec<(String, Vec<&str>)> = Vec::new();
    for &line in session {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), Vec::new()));
            continue;
        }
        let (command, shown) = commands.last_mut().unwrap();
        let continues = command.ends_with('\\') || command.matches('"').count() % 2 == 1;
        if shown.is_empty() && continues {
            command.push('\n');
            command.push_str(line);
        } else {
            shown.push(line);
        }
    }
    commands
}

fn run_sessions(page: &str) {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for folder in ["samples", "queries"] {
        std::os::unix::fs::symlink(root().join(folder), dir.path().join(folder)).unwrap();
    }
    let is_updated = std::env::var_os("UPDATE_SESSIONS").is_some();
    let (mut updated, mut done) = (text.clone(), 0);
    for (info, lines) in blocks(&text) {
        if let Some((_, name)) = info.split_once(' ') {
            std::fs::write(dir.path().join(name), lines.join("\n") + "\n").unwrap();
        } else if is_session(info, &lines) {
            for (command, shown) in commands(&lines) {
                let run = shell(&command, dir.path());
                let printed: Vec<_> = run.stdout.lines().collect();
                if is_updated {
                    let line = format!("$ {}\n", command.lines().next().unwrap());
                    done += updated[done..].find(&line).unwrap();
                    if first_missing(&shown, &printed).is_some() {
                        updated = with_output(&updated, done, &command, &printed);
                    }
                    done += line.len();
                    continue;
                }
                if let Some(lines) = first_missing(&shown, &printed) {
                    let lines = lines.join("\n");
                    panic!("{page}: `{command}` does not print there\n{lines}\n\nbut {run}");
                }
                assert!(run.code == 0 || command.contains("$?"), "{page}: `{command}`: {run}");
            }
        }
    }
    if is_updated {
        std::fs::write(root().join(page), updated).unwrap();
    }
}

/// Returns a page in which the command at this byte prints these lines.
fn with_output(page: &str, at: usize, command: &str, printed: &[&str]) -> String {
    let start = at + format!("$ {command}\n").len();
    let after = &page[start..];
    let end = after.lines().position(|line| line.starts_with("$ ") || line == "```").unwrap();
    let rest: Vec<_> = after.lines().skip(end).collect();
    format!("{}{}\n", &page[..start], [printed, &rest].concat().join("\n"))
}

/// Runs a command where `podtrail` is the binary under test; standard error goes to standard output, as on a terminal.
fn shell(command: &str, folder: &Path) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_podtrail")).parent().unwrap().to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&path)));
    let mut shell = Command::new("sh");
    without_settings(&mut shell);
    shell.args(["-c", &format!("exec 2>&1; {command}")]);
    Run::of(shell.current_dir(folder).env("PATH", path.unwrap()).output().unwrap())
}

/// Returns the first lines between two `[…]` that are not printed after the preceding ones.
fn first_missing<'a>(shown: &'a [&'a str], printed: &[&str]) -> Option<&'a [&'a str]> {
    let parts: Vec<_> = shown.split(|line| *line == "[…]").collect();
    let last = parts.len() - 1;
    let mut from = 0;
    for (index, part) in parts.into_iter().enumerate() {
        let until = if index == 0 { 0 } else { printed.len() };
        let is_at = |at: &usize| {
            let rest = &printed[*at..];
            let ends_well = part.len() == rest.len() || index < last && part.len() < rest.len();
            ends_well && part.iter().zip(rest).all(|(shown, printed)| is_like(shown, printed))
        };
        match (from..=until).find(is_at) {
            Some(at) => from = at + part.len(),
            None => return Some(part),
        }
    }
    None
}

/// Returns whether a printed line matches the shown one, with any characters for `…`.
fn is_like(shown: &str, printed: &str) -> bool {
    let Some((start, end)) = shown.split_once('…') else { return shown == printed };
    let Some(rest) = printed.strip_prefix(start) else { return false };
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.any(|at| is_like(end, &rest[at..]))
}

/// Returns the text of a page without its code.
fn outside_code(page: &str) -> String {
    let mut text = String::new();
    let mut is_fenced = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            text.extend(line.split('`').step_by(2));
            text.push('\n');
        }
    }
    text
}

/// Returns whether a line is the heading to which GitHub gives an anchor.
fn is_heading_of(line: &str, anchor: &str) -> bool {
    let Some(heading) = line.strip_prefix('#') else { return false };
    let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    let is_kept = |character: &char| character.is_alphanumeric() || "-_".contains(*character);
    heading.chars().filter(is_kept).eq(anchor.chars())
}
