//! The SQL functions, over every type that strings can have.

use podtrail_query::{Scope, functions};

use crate::{column, session};

#[tokio::test]
async fn functions_say_what_kubernetes_means() {
    let session = session(&[], Scope::default()).await;
    for (call, expected) in [
        ("path_within('/etc/kubernetes/pki', '/etc/')", "true"),
        ("path_within('/etc', '/etc')", "true"),
        ("path_within('/etcd', '/etc')", "false"),
        ("path_within('/', '/etc')", "false"),
        ("path_within('/anything', '/')", "true"),
        ("path_within('/var/run/docker.sock', '/run')", "true"),
        ("path_within('/etc/../root', '/etc')", "false"),
        ("path_within(NULL, '/etc')", "null"),
        ("path_within('/etc', NULL)", "null"),
        ("path_overlaps('/', '/run/containerd')", "true"),
        ("path_overlaps('/run/containerd', '/')", "true"),
        ("path_overlaps('/run', '/etc')", "false"),
        ("normalize_path('/var//run/../run/x/')", "/run/x"),
        ("image_part('nginx:1.29', 'registry')", "docker.io"),
        ("image_part('nginx:1.29', 'repository')", "library/nginx"),
        ("image_part('nginx:1.29', 'tag')", "1.29"),
        ("image_part('nginx:1.29', 'digest')", "null"),
        ("image_part('a.example/b@sha256:00', 'digest')", "sha256:00"),
        ("user_agent_tool('kubectl/v1.29.1 (linux/amd64) kubernetes/bc401b9')", "kubectl"),
        ("user_agent_version('kubectl/v1.29.1 (linux/amd64) kubernetes/bc401b9')", "v1.29.1"),
        ("user_agent_version('curl')", "null"),
        ("user_agent_tool('')", "null"),
        ("is_private_ip('10.1.2.3')", "true"),
        ("is_private_ip('172.32.0.1')", "false"),
        ("is_private_ip('100.64.0.1')", "true"),
        ("is_private_ip('100.128.0.1')", "false"),
        ("is_private_ip('127.0.0.1')", "true"),
        ("is_private_ip('::1')", "true"),
        ("is_private_ip('fd00::1')", "true"),
        ("is_private_ip('::ffff:192.168.0.1')", "true"),
        ("is_private_ip('2001:4860:4860::8888')", "false"),
        ("is_private_ip('8.8.8.8')", "false"),
        ("is_private_ip('unknown')", "null"),
        ("cidr_contains('10.0.0.0/8', '10.1.2.3')", "true"),
        ("cidr_contains('10.0.0.0/8', '11.1.2.3')", "false"),
        ("cidr_contains('10.0.0.0/8', '::ffff:10.1.2.3')", "true"),
        ("cidr_contains('10.1.2.3', '10.1.2.3')", "true"),
        ("cidr_contains('fd00::/8', '10.1.2.3')", "false"),
        ("cidr_contains('ten', '10.1.2.3')", "null"),
        ("is_controller('system:serviceaccount:kube-system:job-controller')", "true"),
        ("is_controller('system:serviceaccount:default:job-controller')", "false"),
        ("is_controller(NULL)", "null"),
        ("writes_spec('patch', '{\"metadata\": {}}', '')", "false"),
        ("writes_spec('patch', '', '')", "true"),
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

/// Where the first argument ends: at a comma or the last parenthesis outside of quotes.
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
    assert!(error.contains("no part 'colour'"), "{error}");
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

#[test]
fn every_function_is_documented() {
    for function in functions() {
        let documentation = function.documentation().unwrap();
        assert!(documentation.syntax_example.starts_with(function.name()), "{}", function.name());
        assert!(!documentation.description.is_empty());
    }
}
