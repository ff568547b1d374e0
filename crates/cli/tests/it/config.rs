//! Settings from a file, from the environment and from options.

use std::path::Path;

use crate::{Run, command, podtrail, privileged_pod, scratch};

/// Runs with a settings file.
fn with_file(text: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = command(arguments);
    command.arg("--config").arg(file).envs(environment.iter().copied());
    Run::of(command.output().unwrap())
}

/// Returns the value and origin of a setting, as `podtrail config` prints them.
fn shown(run: &Run, name: &str) -> (String, String) {
    let line = run.stdout.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
    let mut fields = line.split_once(' ').unwrap().1.trim().splitn(2, "  ");
    let first = fields.next().unwrap().to_owned();
    match fields.next() {
        Some(origin) => (first, origin.trim().to_owned()),
        None => (String::new(), first),
    }
}

fn pair(value: &str, origin: &str) -> (String, String) {
    (value.to_owned(), origin.to_owned())
}

#[test]
fn config_prints_each_setting_and_its_origin() {
    let run = podtrail(["config"]).expect(0);
    assert_eq!(shown(&run, "min_severity"), pair("low", "default"));
    assert_eq!(shown(&run, "every"), pair("5s", "default"));
    assert_eq!(shown(&run, "lake"), pair("", "not set"));

    let file = "lake = \"/a\"\n\nqueries = [\"x\", \"y\"]\nno_redact = true\nmemory = 1_048_576\n";
    let environment =
        [("PODTRAIL_LAKE", "/b"), ("PODTRAIL_FAIL_ON", "high"), ("PODTRAIL_SERVICE_HOST", "::1")];
    let run = with_file(file, &["config"], &environment).expect(0);
    assert_eq!(shown(&run, "lake"), pair("/b", "environment PODTRAIL_LAKE"));
    assert_eq!(shown(&run, "fail_on"), pair("high", "environment PODTRAIL_FAIL_ON"));
    let (queries, origin) = shown(&run, "queries");
    assert_eq!(queries, "x, y");
    assert!(origin.ends_with("settings.toml, line 3"), "{origin}");
    assert_eq!(shown(&run, "no_redact").0, "true");
    assert_eq!(shown(&run, "memory").0, "1048576");
}

#[test]
fn a_long_value_is_printed_in_full() {
    let long = "x".repeat(100_000);
    let run = with_file(&format!("lake = '{long}'\n"), &["config"], &[]).expect(0);
    let (lake, origin) = shown(&run, "lake");
    assert_eq!(lake, long);
    assert!(origin.ends_with("settings.toml, line 1"), "{origin}");
    assert!(run.stdout.lines().filter(|line| line.len() > 1000).count() == 1);
}

#[test]
fn a_flag_overrides_the_environment_which_overrides_the_file() {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    std::fs::write(&log, privileged_pod("a", "2026-11-24T10:00:00.000000Z")).unwrap();
    let log = log.display().to_string();
    let file = format!("lake = '{lake}'\ncluster = 'of-the-file'\nevery = '1s'\n");
    let clusters = || {
        let sql = "SELECT DISTINCT cluster FROM stages ORDER BY 1";
        let run = podtrail(["sql", "--lake", &lake, "--format", "csv", "-c", sql]).expect(0);
        run.stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    with_file(&file, &["ingest", &log], &[]).expect(0);
    assert_eq!(clusters(), ["of-the-file"]);
    let environment = [("PODTRAIL_CLUSTER", "of-the-environment")];
    with_file(&file, &["ingest", &log], &environment).expect(0);
    assert_eq!(clusters(), ["of-the-environment", "of-the-file"]);
    with_file(&file, &["ingest", &log, "--cluster", "of-the-flag"], &environment).expect(0);
    assert_eq!(clusters(), ["of-the-environment", "of-the-file", "of-the-flag"]);

    // If the settings name a lake, logs are optional; and the cluster name for ingest is not a filter.
    let hunt = ["hunt", "--detection", "privileged-container", "--format", "jsonl"];
    let run = with_file(&file, &hunt, &[]).expect(0);
    assert!(run.stdout.contains("of-the-environment"), "{run}");
    let strict = format!("{file}min_severity = 'critical'\n");
    assert_eq!(with_file(&strict, &hunt, &[]).expect(0).jsonl().len(), 0);
    // The parameters of detections are a list in the file, and one value in the environment.
    let counts = ["hunt", "--detection", "workload-burst", "--format", "jsonl"];
    let low = format!("{file}param = ['workload-burst.objects=1']\n");
    assert_ne!(with_file(&low, &counts, &[]).expect(0).jsonl().len(), 0);
    let high = [("PODTRAIL_PARAM", "workload-burst.objects=9")];
    assert_eq!(with_file(&low, &counts, &high).expect(0).jsonl().len(), 0);
}

#[test]
fn errors_name_the_file_and_line() {
    let cases = [
        (
            "\nmin_sevrity = 'low'",
            "line 2: unknown setting `min_sevrity`; did you mean `min_severity`?",
        ),
        ("[detect]\nlake = 'x'", "line 1: unknown setting `detect`; settings are lake, cluster, "),
        (
            "fail_on = 'hihg'",
            "line 1: invalid value `hihg` for `fail_on`; valid values are info, low, medium, high, critical",
        ),
        (
            "memory = '64 apples'",
            "line 1: invalid value `64 apples` for `memory`: expected a size such as 64MiB or 1GiB",
        ),
        ("queries = 'x'", "line 1: `queries` must be a list of strings"),
        ("no_redact = 'yes'", "line 1: `no_redact` must be true or false"),
        ("lake = 1.5", "line 1: `lake` must be a string"),
        ("lake = 'a'\nlake = 'b'", "line 2: "),
        ("lake = ", "line 1: "),
    ];
    for (file, expected) in cases {
        let run = with_file(file, &["config"], &[]).expect(2);
        assert!(run.stderr.contains(expected), "{expected}\n{run}");
    }
    let run = with_file("", &["config"], &[("PODTRAIL_MIN_SEVERITY", "x")]).expect(2);
    assert!(
        run.stderr.contains("PODTRAIL_MIN_SEVERITY: invalid value `x` for `min_severity`"),
        "{run}"
    );
    let run = podtrail(["config", "--config", "/nowhere/podtrail.toml"]).expect(2);
    assert!(run.stderr.contains("/nowhere/podtrail.toml"), "{run}");
}

#[test]
fn the_file_of_the_user_is_found() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("podtrail")).unwrap();
    std::fs::write(dir.path().join("podtrail/config.toml"), "lake = '/of/the/user'").unwrap();
    let run = command(["config"]).env("XDG_CONFIG_HOME", dir.path()).output().unwrap();
    assert_eq!(shown(&Run::of(run), "lake").0, "/of/the/user");
}

#[test]
fn the_settings_in_deploy_are_valid() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config.toml");
    let run = podtrail(["config", "--config", &file.display().to_string()]).expect(0);
    assert_eq!(shown(&run, "lake").0, "/var/lib/podtrail/lake");
}

#[test]
fn a_file_that_is_not_a_settings_file_is_rejected_early() {
    let long = "x".repeat(1 << 20);
    for (text, reason) in [
        ("[".repeat(50 << 20), "exceeds the maximum of 1048576 bytes"),
        (format!("{long}{long} = 1"), "exceeds the maximum of 1048576 bytes"),
        ("[".repeat(1 << 20), "line 1: "),
        (format!("{} = 1", &long[100..]), "line 1: unknown setting `xxx"),
        (format!("memory = \"{}\"", &long[100..]), "line 1: invalid value `xxx"),
    ] {
        let started = std::time::Instant::now();
        let run = with_file(&text, &["config"], &[]).expect(2);
        assert!(run.stderr.contains(reason) && run.stderr.len() < 2000, "{run}");
        // Generous, for a busy machine.
        assert!(started.elapsed().as_secs() < 60, "{reason}");
    }
}
