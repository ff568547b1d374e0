//! Statements: permissions, and suggestions for wrong ones.

use chrono::{DateTime, Utc};
use podtrail_query::{
    Permission, Permissions, Planned, QueryError, Scope, ScopeError, Session, is_complete, parse,
};

use crate::session;

async fn plan(
    session: &Session,
    sql: &str,
    permissions: Permissions,
) -> Result<Planned, QueryError> {
    let [statement] = <[_; 1]>::try_from(parse(sql)?).unwrap();
    session.plan(statement, permissions).await
}

#[tokio::test]
async fn a_statement_requires_its_permissions() {
    let session = session(&[], Scope::default()).await;
    for (sql, expected) in [
        ("COPY (SELECT 1) TO '/tmp/x.csv'", Permission::Write),
        ("CREATE TABLE t AS SELECT 1", Permission::Write),
        ("CREATE VIEW v AS SELECT 1", Permission::Write),
        ("CREATE OR REPLACE VIEW events AS SELECT 1", Permission::Write),
        ("CREATE SCHEMA s", Permission::Write),
        ("DROP VIEW events", Permission::Write),
        ("DROP TABLE events", Permission::Write),
        ("INSERT INTO events SELECT * FROM events", Permission::Write),
        ("DELETE FROM events", Permission::Write),
        ("EXPLAIN COPY (SELECT 1) TO '/tmp/x.csv'", Permission::Write),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/x.csv'", Permission::Write),
        ("EXPLAIN ANALYZE INSERT INTO events SELECT * FROM events", Permission::Write),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", Permission::External),
        ("PREPARE p AS SELECT 1", Permission::None),
        ("DEALLOCATE p", Permission::None),
    ] {
        match plan(&session, sql, Permissions::default()).await {
            Err(QueryError::Refused { needs, .. }) => assert_eq!(needs, expected, "{sql}"),
            Err(error) => panic!("{sql}: {error}"),
            Ok(_) => panic!("{sql} is allowed"),
        }
    }
    for sql in [
        "SELECT 1",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT count(*) FROM events",
        "SHOW TABLES",
        "DESCRIBE events",
        "VALUES (1), (2)",
    ] {
        let planned = plan(&session, sql, Permissions::default()).await;
        assert!(matches!(planned, Ok(Planned::Rows(_))), "{sql}");
    }
    let write = Permissions { write: true, external: false };
    assert!(plan(&session, "CREATE VIEW v AS SELECT 1 AS a", write).await.is_ok());
    assert!(plan(&session, "SELECT a FROM v", Permissions::default()).await.is_ok());
    assert!(plan(&session, "PREPARE p AS SELECT 1", write).await.is_err());
}

#[tokio::test]
async fn a_variable_is_returned_to_the_caller() {
    let session = session(&[], Scope::default()).await;
    let set = plan(&session, "SET scope.since = '2h'", Permissions::default()).await;
    let Ok(Planned::Set { variable, value }) = set else { panic!("no SET") };
    assert_eq!((variable.as_str(), value.as_str()), ("scope.since", "2h"));
    let reset = plan(&session, "RESET scope", Permissions::default()).await;
    assert!(matches!(reset, Ok(Planned::Reset { variable }) if variable == "scope"));
}

#[tokio::test]
async fn similar_names_are_suggested() {
    let session = session(&[], Scope::default()).await;
    for (sql, expected) in [
        ("SELECT nmae FROM events", "unknown column 'nmae': did you mean 'name'?"),
        ("SELECT e.usernam FROM events AS e", "did you mean 'username'"),
        ("SELECT name FROM evnts", "unknown table 'evnts': did you mean 'events'?"),
        ("SELECT name FROM workload", "did you mean 'workloads'"),
        (
            "WITH x AS (SELECT 1) SELECT * FROM x JOIN contaners ON true",
            "did you mean 'containers'",
        ),
        ("SELECT * FROM timelin('a')", "did you mean 'timeline'"),
        ("SELECT * FROM zzzzzzzz", "unknown table 'zzzzzzzz'"),
        ("SELECT zzzzzzzz FROM events", "unknown column 'zzzzzzzz'"),
        (
            "SELECT is_privat_ip('a')",
            "unknown function 'is_privat_ip': did you mean 'is_private_ip'?",
        ),
        ("SELECT image FROM workloads", "unknown column 'image': the view 'containers' has it"),
        ("SELECT \"payments\" FROM events", "single quotes enclose strings"),
        ("SELECT 1 +", "Expected: an expression"),
    ] {
        let error = match plan(&session, sql, Permissions::default()).await {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{sql} is planned"),
        };
        assert!(error.contains(expected), "{sql}: {error}");
        assert!(error.len() < 400, "{sql}: {error}");
    }
}

#[test]
fn a_statement_ends_with_a_semicolon_outside_of_quotes() {
    for complete in ["", "  \n", "SELECT 1;", "SELECT ';' ;\n", "-- nothing", "SELECT 1; -- done"] {
        assert!(is_complete(complete), "{complete}");
    }
    for open in [
        "SELECT 1",
        "SELECT ';",
        "SELECT /* ; */",
        "SELECT \"a;",
        "SELECT 1; SELECT 2",
        "SELECT $$;",
    ] {
        assert!(!is_complete(open), "{open}");
    }
}

#[tokio::test]
async fn comparisons_with_values_that_a_column_never_has_are_found() {
    let session = session(&[], Scope::default()).await;
    for (sql, expected) in [
        ("SELECT name FROM events WHERE outcome = 'allowed' AND resource = 'pods'", None),
        ("SELECT name FROM workloads WHERE kind = 'CronJob' AND verb IN ('create')", None),
        (
            "SELECT name FROM events WHERE outcome = 'denied'",
            Some("outcome is never 'denied'; values are allowed, "),
        ),
        ("SELECT name FROM events WHERE verb NOT IN ('GET')", Some("verb is never 'GET'")),
        (
            "SELECT name FROM workloads AS w WHERE 'cronjob' = w.kind",
            Some("kind is never 'cronjob', but 'CronJob'"),
        ),
        (
            "SELECT name FROM events WHERE resource = 'Pods'",
            Some("resource is never 'Pods', but 'pods'"),
        ),
        ("SELECT name FROM events WHERE resource = 'networkpolicy'", Some("but 'networkpolicies'")),
        (
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM events WHERE level = 'metadata')",
            Some("level is never 'metadata'"),
        ),
    ] {
        let messages = session.sql(sql).await.unwrap().impossible_values().unwrap();
        match expected {
            None => assert!(messages.is_empty(), "{sql}: {messages:?}"),
            Some(text) => {
                assert_eq!(messages.len(), 1, "{sql}: {messages:?}");
                assert!(
                    messages.iter().all(|message| message.contains(text)),
                    "{sql}: {messages:?}"
                );
            }
        }
    }
}

#[test]
fn a_scope_is_set_part_by_part() {
    let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
    let mut scope = Scope::default();
    assert_eq!(scope.to_string(), "everything");
    scope.set("since", "2h", now).unwrap();
    scope.set("namespace", "web, kube-*", now).unwrap();
    assert_eq!(scope.to_string(), "from 2026-11-24T10:00:00+00:00, namespace web or kube-*");
    let before = scope.clone();
    assert!(matches!(scope.set("to", "3h", now), Err(ScopeError::Period { .. })));
    assert!(matches!(scope.set("from", "yesterday", now), Err(ScopeError::Time(_))));
    assert!(matches!(scope.set("user", "a", now), Err(ScopeError::Part(_))));
    assert!(matches!(scope.set("client_ip", "web", now), Err(ScopeError::Address(_))));
    assert_eq!(scope, before);
    scope.set("since", "", now).unwrap();
    scope.set("namespace", "", now).unwrap();
    assert_eq!(scope, Scope::default());
}
