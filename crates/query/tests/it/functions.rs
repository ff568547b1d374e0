//! The SQL functions: string types, parameters and errors. `tests/sqllogic/functions.slt` has their results.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use podtrail_query::{Permissions, Planned, Scope, functions, parse};
use serde_json::json;

use crate::{column, session, stage};

#[tokio::test]
async fn functions_take_every_string_type() {
    let session = session(&[], Scope::default()).await;
    for (call, expected) in [
        ("path_within('/etc/kubernetes/pki', '/etc/')", "true"),
        ("path_within(NULL, '/etc')", "null"),
        ("normalize_path('/var//run/../run/x/')", "/run/x"),
        ("image_part('nginx:1.29', 'tag')", "1.29"),
        ("user_agent_tool('kubectl/v1.29.1 (linux/amd64) kubernetes/bc401b9')", "kubectl"),
        ("is_private_ip('10.1.2.3')", "true"),
        ("cidr_contains('10.0.0.0/8', '10.1.2.3')", "true"),
        ("glob('kube-system', 'kube-*')", "true"),
        ("decode_command('powershell -enc YwB1AHIAbAAgAGUAdgBpAGwA')", "curl evil"),
    ] {
        for text in ["VARCHAR", "Utf8", "LargeUtf8", "Utf8View"] {
            // The first argument in each of the types, as a constant and as a column.
            let (function, rest) = call.split_once('(').unwrap();
            let (first, rest) = rest.split_at(first_argument(rest));
            let constant = format!("{function}(arrow_cast({first}, 'Utf8'){rest}");
            let cast = match text {
                "VARCHAR" => format!("CAST({first} AS VARCHAR)"),
                arrow => format!("arrow_cast({first}, '{arrow}')"),
            };
            let in_column = format!("{function}(value{rest} FROM (VALUES ({cast})) AS t (value)");
            for select in [constant, in_column.clone()] {
                let (expression, from) = select.split_once(" FROM ").unwrap_or((&select, ""));
                let from = if from.is_empty() { String::new() } else { format!(" FROM {from}") };
                let sql = format!("SELECT coalesce(CAST({expression} AS VARCHAR), 'null'){from}");
                assert_eq!(column(&session, &sql).await, [expected], "{sql}");
            }
        }
    }
}

/// Returns the end of the first argument: a comma or the last parenthesis outside quotes.
fn first_argument(arguments: &str) -> usize {
    let mut quoted = false;
    arguments
        .find(|character| {
            quoted ^= character == '\'';
            !quoted && matches!(character, ',' | ')')
        })
        .unwrap()
}

#[tokio::test]
async fn an_image_has_four_parts() {
    let session = session(&[], Scope::default()).await;
    let query = session.sql("SELECT image_part('nginx', 'colour')").await.unwrap();
    let error = query.collect().await.unwrap_err().to_string();
    assert!(error.contains("unknown image part 'colour'"), "{error}");
}

#[tokio::test]
async fn the_pod_security_level_is_that_of_a_version() {
    let session = session(&[], Scope::default()).await;
    let violation = |check: &str, level: &str, since: &str, until: &str| {
        format!(
            "named_struct('check', '{check}', 'level', '{level}', 'since', CAST({since} AS INT), 'until', CAST({until} AS INT))"
        )
    };
    let both = format!(
        "make_array({}, {})",
        violation("sysctls", "baseline", "0", "26"),
        violation("seccompProfile", "restricted", "19", "NULL")
    );
    for (violations, version, level) in [
        (both.as_str(), "1.20", "privileged"),
        (&both, "v1.26.3-eks", "privileged"),
        (&both, "1.27", "baseline"),
        (&both, "latest", "baseline"),
        (&format!("array_slice({both}, 2, 2)"), "1.18", "restricted"),
    ] {
        let sql = format!("SELECT pod_security_level({violations}, '{version}')");
        assert_eq!(column(&session, &sql).await, [level], "{sql}");
    }
    let refused = session.sql(&format!("SELECT pod_security_level({both}, 'two')")).await.unwrap();
    assert!(refused.collect().await.is_err());
}

#[tokio::test]
async fn a_constant_glob_can_prune_files() {
    let session = session(&[], Scope::default()).await;
    let plan =
        |pattern: &str| format!("EXPLAIN SELECT name FROM stages WHERE glob(name, '{pattern}')");
    for (pattern, expected) in [("web", "name = "), ("web-*", "name LIKE ")] {
        let batches = session.sql(&plan(pattern)).await.unwrap().collect().await.unwrap();
        let text = batches[0].column(1).as_string::<i32>().value(0).to_owned();
        assert!(text.contains(expected) && !text.contains("glob"), "{text}");
    }
}

#[tokio::test]
async fn bodies_are_read_as_json() {
    let session = session(&[], Scope::default()).await;
    let body = r#"'{"spec": {"replicas": 2, "containers": [{"image": "nginx"}], "paused": true}}'"#;
    for (expression, expected) in [
        ("b -> 'spec' -> 'containers' -> 0 ->> 'image'", "nginx"),
        ("b -> 'spec' ->> 'replicas'", "2"),
        ("json_get_str(b, 'spec', 'containers', 0, 'image')", "nginx"),
        ("CAST(json_get_int(b, 'spec', 'replicas') + 1 AS VARCHAR)", "3"),
        ("CAST(json_get_bool(b, 'spec', 'paused') AS VARCHAR)", "true"),
        ("CAST(json_length(b, 'spec') AS VARCHAR)", "3"),
        ("CAST(b ? 'spec' AS VARCHAR)", "true"),
        ("b ->> 'status'", ""),
    ] {
        let sql =
            format!("SELECT arrow_cast({expression}, 'Utf8') FROM (VALUES ({body})) AS t (b)");
        assert_eq!(column(&session, &sql).await, [expected], "{expression}");
    }
    let sql =
        format!("SELECT 1 FROM (VALUES ({body})) AS t (b) WHERE b -> 'spec' ->> 'replicas' = '2'");
    let rows = session.sql(&sql).await.unwrap().collect().await.unwrap();
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[tokio::test]
async fn times_are_grouped_into_buckets() {
    let session = session(&[], Scope::default()).await;
    let sql = "SELECT CAST(time_bucket(INTERVAL '15 minutes', TIMESTAMP '2026-11-24T10:29:59') AS VARCHAR)";
    assert_eq!(column(&session, sql).await, ["2026-11-24T10:15:00"]);
}

#[tokio::test]
async fn every_example_returns_the_documented_result() {
    let pod = json!({"responseObject": {"kind": "Pod", "spec": {"containers": [
        {"name": "app", "image": "nginx", "securityContext": {"privileged": true}},
    ]}}});
    let session = session(&[stage("a", "ResponseComplete", pod)], Scope::default()).await;
    for function in session.functions().into_iter().filter(|function| function.is_ours) {
        let example = function.example;
        if example.starts_with("SELECT") {
            let statement = parse(&example).unwrap().remove(0);
            let planned = session.plan(statement, Permissions::default()).await.unwrap();
            let Planned::Rows(rows) = planned else { panic!("{example} has no rows") };
            rows.collect().await.unwrap();
        } else {
            let sql = format!("SELECT arrow_cast({example}, 'Utf8') FROM events");
            assert_eq!(column(&session, &sql).await, ["true"], "{example}");
        }
    }
}

#[tokio::test]
async fn every_function_of_podtrail_documents_its_result() {
    let session = session(&[], Scope::default()).await;
    let ours: Vec<_> = session.functions().into_iter().filter(|f| f.is_ours).collect();
    for name in [
        "cidr_contains",
        "decode_command",
        "diff",
        "glob",
        "image_part",
        "is_controller",
        "controller_makes",
        "is_private_ip",
        "json_get",
        "json_get_str",
        "lineage",
        "path_within",
        "pod_security_level",
        "sessions",
        "time_bucket",
        "timeline",
    ] {
        let function = ours.iter().find(|function| function.name == name).unwrap();
        assert!(function.syntax.starts_with(name), "{function:?}");
        assert!(!function.description.is_empty(), "{function:?}");
    }
}

#[test]
fn every_function_is_documented() {
    for function in functions() {
        let documentation = function.documentation().unwrap();
        assert!(documentation.syntax_example.starts_with(function.name()), "{}", function.name());
        assert!(!documentation.description.is_empty());
    }
}

#[tokio::test]
async fn sessions_end_at_gaps() {
    let session = session(&[], Scope::default()).await;
    let sql = "SELECT session_number(time, 60) OVER (PARTITION BY who ORDER BY time) AS number FROM (VALUES
        ('a', TIMESTAMP '2026-01-01T00:00:00Z'),
        ('a', TIMESTAMP '2026-01-01T00:01:00Z'),
        ('a', TIMESTAMP '2026-01-01T00:02:01Z'),
        ('b', TIMESTAMP '2026-01-01T00:05:00Z'),
        ('b', NULL)) AS rows (who, time) ORDER BY who, time";
    let numbers = session.sql(sql).await.unwrap().collect().await.unwrap();
    let numbers = numbers.iter().flat_map(|batch| {
        batch.column(0).as_primitive::<Int64Type>().values().iter().copied().collect::<Vec<_>>()
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 1, 2, 1, 1]);
    for wrong in ["session_number(time)", "session_number(1, 60)", "date_diff('second', time)"] {
        let sql = format!("SELECT {wrong} OVER (ORDER BY time) FROM events");
        assert!(session.sql(&sql).await.is_err(), "{wrong}");
    }
    let unit = session.sql("SELECT date_diff('week', now(), now())").await.unwrap();
    let error = unit.collect().await.unwrap_err().to_string();
    assert!(error.contains("unknown unit 'week'"), "{error}");
}
