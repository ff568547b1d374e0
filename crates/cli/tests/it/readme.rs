//! The README shows the output of the program.

use std::path::Path;

use crate::Run;

#[test]
fn the_hunt_of_the_readme_prints_the_shown_output() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, block) = readme.split_once("```text\n").unwrap();
    let (shown, _) = block.split_once("```").unwrap();

    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_podtrail"));
    let output = command.current_dir(&root).args(["hunt", "samples/intrusion"]).output().unwrap();
    let run = Run::of(output).expect(0);
    let mut printed = run.stdout.lines();
    for line in shown.lines().filter(|line| *line != "[…]") {
        assert!(printed.any(|other| other == line), "not printed, or not in this order: {line}");
    }
}
