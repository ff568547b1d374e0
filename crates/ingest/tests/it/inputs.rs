//! Files, folders, patterns and standard input.

use podtrail_ingest::{Input, Options};

use crate::support::{Folder, Memory, event, lines, messages, run, run_with};

#[test]
fn arguments() {
    let folder = Folder::new().with("a[1].log", "");
    let literal = folder.path("a[1].log");
    assert_eq!(Input::parse("-"), Input::Stdin);
    assert_eq!(Input::parse(&literal), Input::Path(literal.clone()));
    assert_eq!(Input::parse("logs"), Input::Path("logs".into()));
    assert_eq!(Input::parse("logs/*.gz"), Input::Glob("logs/*.gz".into()));
}

#[test]
fn folders_are_read_completely() {
    let folder = Folder::new()
        .with("b/c/audit.log", lines([event(2)]))
        .with("a.log", lines([event(1)]))
        .with(".hidden/.x", lines([event(0)]));
    let (memory, summary) = run(&[folder.input()], &Options::default());
    assert_eq!(memory.audit_ids(), ["id-0", "id-1", "id-2"]);
    assert_eq!(summary.files, 3);
    assert!(summary.problems.is_empty());
}

#[test]
fn a_file_named_twice_is_read_once() {
    let folder = Folder::new().with("a.log", lines([event(1)]));
    let file = Input::Path(folder.path("a.log"));
    let other = Input::Path(folder.path("./a.log"));
    let (memory, summary) = run(&[file, folder.input(), other], &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1"]);
    assert_eq!(summary.files, 1);
}

#[test]
fn patterns() {
    let folder = Folder::new()
        .with("x/a.log", lines([event(1)]))
        .with("x/y/b.log", lines([event(2)]))
        .with("x/c.txt", lines([event(3)]));
    let glob = |pattern: &str| Input::parse(folder.path(pattern));
    let (memory, _) = run(&[glob("x/*.log")], &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1"]);
    let (memory, _) = run(&[glob("**/*.log")], &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1", "id-2"]);
    let (memory, _) = run(&[glob("?")], &Options::default());
    assert_eq!(memory.rows().len(), 3);
    let (_, summary) = run(&[glob("*.nothing")], &Options::default());
    assert_eq!(messages(&summary.problems), ["*.nothing: pattern matches no file"]);
}

#[test]
fn missing_inputs_are_reported() {
    let folder = Folder::new().with("a.log", lines([event(1)]));
    let missing = Input::Path(folder.path("gone.log"));
    let (memory, summary) = run(&[missing, folder.input()], &Options::default());
    assert_eq!(memory.rows().len(), 1);
    let [problem] = &messages(&summary.problems)[..] else { panic!("one problem") };
    assert!(problem.starts_with("gone.log: cannot be read: No such file"), "{problem}");
}

#[cfg(unix)]
#[test]
fn link_loops_are_detected() {
    let folder = Folder::new().with("a/a.log", lines([event(1)]));
    std::os::unix::fs::symlink(folder.root(), folder.path("a/up")).expect("a link");
    std::os::unix::fs::symlink(folder.path("nowhere"), folder.path("a/dangling")).expect("a link");
    let (memory, summary) = run(&[folder.input()], &Options::default());
    assert_eq!(memory.rows().len(), 1);
    assert_eq!(messages(&summary.notes), ["up: not followed: link to a parent folder"]);
    let [problem] = &messages(&summary.problems)[..] else { panic!("one problem: {summary:?}") };
    assert!(problem.starts_with("dangling: cannot be read"), "{problem}");
}

#[test]
fn the_lake_is_not_read_as_input() {
    let folder = Folder::new().with("a.log", lines([event(1)])).with("lake/part.parquet", "PAR1");
    let options = Options { exclude: vec![folder.path("lake")], ..Options::default() };
    let (_, summary) = run(&[folder.input()], &options);
    assert!(summary.problems.is_empty());
    assert_eq!(messages(&summary.notes), ["lake: not read: this folder is the lake"]);
}

#[test]
fn standard_input_with_files() {
    let folder = Folder::new().with("a.log", lines([event(1)]));
    let inputs = [Input::Stdin, folder.input(), Input::Stdin];
    let stdin = lines([event(2)]);
    let (memory, summary) = run_with(Memory::default(), stdin, &inputs, &Options::default());
    assert_eq!(summary.files, 2);
    let rows = memory.rows();
    assert_eq!((rows[0].file.as_str(), rows[0].audit_id.as_str()), ("-", "id-2"));
}
