//! PostgreSQL's operators on JSON text: its results, or an error that names the function to use.

use podtrail_query::{Permissions, Planned, Scope, Session, parse};
use serde_json::json;

use crate::{session, strings};

/// One request whose body has numbers that do not fit into 64 bits.
async fn pod() -> Session {
    let body = r#"{"kind": "Pod", "metadata": {"name": "helper", "annotations": {"k": null, "a.b": "v1"}, "labels": {"0": "zero"}, "generation": 3, "uidnum": 9007199254740993, "big": 18446744073709551617, "exp": 1e400, "neg": -0.0, "ratio": 1.50}, "spec": {"hostPID": true, "list": [{"n": "a"}, {"n": "b"}], "args": ["x", "y"]}}"#;
    let event = json!({
        "level": "RequestResponse",
        "auditID": "a",
        "stage": "ResponseComplete",
        "verb": "create",
        "user": {"username": "alice", "groups": ["system:masters"]},
        "objectRef": {"resource": "pods", "namespace": "web", "name": "helper"},
        "responseObject": {"kind": "Pod", "status": {"phase": "Running"}},
        "requestReceivedTimestamp": "2026-11-24T10:00:00.000000Z",
        "stageTimestamp": "2026-11-24T10:00:00.000000Z",
        "annotations": {"authorization.k8s.io/decision": "allow"},
    });
    // Next to the others as text, because parsing JSON rounds its numbers.
    let event = event.to_string().replacen('{', &format!(r#"{{"requestObject": {body}, "#), 1);
    session(&[event], Scope::default()).await
}

/// The value of an expression as text, and the error of one that is wrong or fails.
async fn value(session: &Session, expression: &str) -> Result<String, String> {
    let sql = format!("SELECT coalesce(CAST({expression} AS VARCHAR), 'NULL') FROM events");
    let one = async {
        let rows = session.sql(&sql).await?;
        rows.collect().await
    };
    one.await.map(|rows| strings(&rows).concat()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn operators_return_the_results_of_postgresql() {
    let session = pod().await;
    for (expression, expected) in [
        // Paths.
        ("request_object #> '{metadata,labels}'", r#"{"0": "zero"}"#),
        ("request_object #> '{metadata,name}'", r#""helper""#),
        ("request_object #>> '{metadata,name}'", "helper"),
        ("request_object #>> ARRAY['metadata', 'name']", "helper"),
        ("request_object #>> '{metadata, \"annotations\", a.b}'", "v1"),
        ("request_object #>> '{spec,list,1,n}'", "b"),
        ("request_object #>> '{spec,list,-2,n}'", "a"),
        ("request_object #>> ARRAY['spec', 'list', '0', 'n']", "a"),
        ("request_object #>> '{metadata,labels,0}'", "zero"),
        ("request_object #> '{metadata,nothing}'", "NULL"),
        ("request_object #> '{kind,nothing}'", "NULL"),
        ("'{\"a\":1}' #> '{}'", r#"{"a":1}"#),
        ("request_object -> 'spec' #>> '{list,0,n}'", "a"),
        // Members and elements.
        ("request_object->'spec'->'list'->-1", r#"{"n": "b"}"#),
        ("request_object->'spec'->'list'-> -1", r#"{"n": "b"}"#),
        ("request_object->'spec'->'list'->-1->>'n'", "b"),
        ("request_object->'spec'->'args'->>-2", "x"),
        ("request_object->'spec'->'args'->>-3", "NULL"),
        ("request_object->'spec'->'args'->'0'", "NULL"),
        ("request_object->'metadata'->'labels'->0", "NULL"),
        ("request_object->'kind'", r#""Pod""#),
        ("request_object->>'kind'", "Pod"),
        ("request_object->'metadata'->'annotations'->'k'", "null"),
        ("request_object->'metadata'->'annotations'->>'k'", "NULL"),
        ("request_object->'metadata'->'nothing'", "NULL"),
        (r#"'{"a": 1, "a": 2}' -> 'a'"#, "2"),
        (r#"'{"a": "x\ny"}' ->> 'a'"#, "x\ny"),
        ("NULL::text -> 'a'", "NULL"),
        ("request_object -> NULL", "NULL"),
        ("request_object['metadata']['name']", r#""helper""#),
        ("(request_object->'spec'->'args')[0]", r#""x""#),
        // Numbers keep their text.
        ("request_object->'metadata'->'uidnum'", "9007199254740993"),
        ("request_object->'metadata'->'big'", "18446744073709551617"),
        ("request_object->'metadata'->'exp'", "1e400"),
        ("request_object->'metadata'->'neg'", "-0.0"),
        ("request_object->'metadata'->'ratio'", "1.50"),
        ("request_object->'metadata'->>'ratio'", "1.50"),
        ("request_object #> '{metadata,big}'", "18446744073709551617"),
        ("(request_object->'metadata'->'generation')::bigint + 1", "4"),
        ("(request_object->'metadata'->'ratio')::double", "1.5"),
        ("(request_object->'spec'->'hostPID')::boolean", "true"),
        ("(request_object->'kind')::text", r#""Pod""#),
        // Text and JSON give text.
        ("'x ' || (request_object->'metadata'->'labels')", r#"x {"0": "zero"}"#),
        ("(request_object->'metadata'->'labels') || ' x'", r#"{"0": "zero"} x"#),
        ("name || (request_object->'kind')", r#"helper"Pod""#),
        ("'x ' || json_get(request_object, 'metadata', 'big')", "x 18446744073709551617"),
        ("'x ' || json_get(request_object, 'metadata', 'labels')", r#"x {"0": "zero"}"#),
        ("'a' || request_object ->> 'kind' IS NULL", "ERROR"),
        // JSON and JSON merge.
        (
            "(request_object->'metadata'->'labels') || (response_object->'status')",
            r#"{"0": "zero", "phase": "Running"}"#,
        ),
        (r#"(request_object->'metadata'->'labels') || '{"0": 1.50}'"#, r#"{"0": 1.50}"#),
        (r#"'{"b":1}' || (request_object->'metadata'->'labels')"#, r#"{"0": "zero", "b": 1}"#),
        ("(request_object->'spec'->'args') || '[1]'", r#"["x", "y", 1]"#),
        ("(request_object->'spec'->'args') || (request_object->'kind')", r#"["x", "y", "Pod"]"#),
        ("(request_object || response_object) #>> '{status,phase}'", "Running"),
        // Containment.
        (r#"request_object @> '{"kind": "Pod"}'"#, "true"),
        (r#"request_object @> '{"metadata": {"generation": 3.0}}'"#, "true"),
        (r#"request_object @> '{"spec": {"list": [{"n": "b"}]}}'"#, "true"),
        (r#"request_object @> '{"kind": "Job"}'"#, "false"),
        (r#"'{"kind": "Pod"}' <@ request_object"#, "true"),
        (r#"request_object->'spec'->'args' @> '"x"'"#, "true"),
        ("'[1, [2, 3]]' @> '[[2]]'", "true"),
        ("'[1, [2, 3]]' @> '[2]'", "false"),
        (r#"'[{"a": 1}]' @> '{"a": 1}'"#, "false"),
        (r#"'{"a": [1]}' @> '{"a": []}'"#, "true"),
        ("user_groups @> ARRAY['system:masters']", "true"),
        // Keys.
        ("request_object ? 'kind'", "true"),
        ("request_object->'spec'->'args' ? 'x'", "true"),
        ("request_object ?| ARRAY['x', 'kind']", "true"),
        ("request_object ?| '{x,y}'", "false"),
        ("request_object ?& ARRAY['metadata', 'kind']", "true"),
        ("request_object ?& ARRAY['metadata', 'x']", "false"),
        // Deletion.
        (r#"'{"b": 1, "a": {"c": 2, "d": 3}}' #- '{a,c}'"#, r#"{"a": {"d": 3}, "b": 1}"#),
        (
            "request_object->'spec' #- '{list,-1}' #- '{args}'",
            r#"{"list": [{"n": "a"}], "hostPID": true}"#,
        ),
        ("(request_object->'metadata'->'labels') - '0'", "{}"),
        ("(request_object->'spec'->'args') - 0", r#"["y"]"#),
        ("(request_object->'spec'->'args') - -1", r#"["x"]"#),
        // Comparisons.
        (r#"request_object->'kind' = '"Pod"'"#, "true"),
        ("request_object->'metadata'->'generation' = 3", "true"),
        ("request_object->'metadata'->'generation' > 2", "true"),
        ("request_object->'metadata'->'ratio' = 1.5", "true"),
        ("request_object->'metadata'->'ratio' > 1", "true"),
        ("request_object->'metadata'->'uidnum' = 9007199254740992", "false"),
        ("request_object->'metadata'->'big' > request_object->'metadata'->'uidnum'", "true"),
        ("request_object->'spec'->'hostPID' = true", "true"),
        (r#"request_object->'metadata'->'labels' = '{"0":"zero"}'"#, "true"),
        ("request_object->'metadata'->'labels' <> '{}'", "true"),
        ("3 = request_object->'metadata'->'generation'", "true"),
        // A map.
        ("annotations ->> 'authorization.k8s.io/decision'", "allow"),
        ("annotations -> 'authorization.k8s.io/decision'", "allow"),
        ("annotations #>> '{authorization.k8s.io/decision}'", "allow"),
        ("annotations ? 'authorization.k8s.io/decision'", "true"),
        ("annotations ->> 'nothing'", "NULL"),
        // Other operators are unchanged.
        ("1 - -1", "2"),
        ("3>-1", "true"),
        ("name || '-' || verb", "helper-create"),
    ] {
        let value = value(&session, expression).await;
        if expected == "ERROR" {
            assert!(value.is_err(), "{expression}: {value:?}");
        } else {
            assert_eq!(value.as_deref(), Ok(expected), "{expression}");
        }
    }
}

#[tokio::test]
async fn errors_name_the_function_to_use() {
    let session = pod().await;
    for (expression, expected) in [
        ("request_object.metadata", "request_object ->> 'metadata'"),
        ("events.request_object.metadata.name", "json_as_text(request_object, 'metadata', 'name')"),
        ("(request_object).metadata", "json_get"),
        ("name['a']", "name -> 'a'"),
        ("name ->> 'a'", "json_as_text"),
        ("'x' || request_object->'kind'", "brackets"),
        ("request_object #> 'metadata,name'", "'{metadata,name}'"),
        ("request_object #>> '$.metadata.name'", "ARRAY['metadata', 'name']"),
        ("request_object #- '{a'", "'{metadata,name}'"),
        ("request_object @? '$.kind'", "json_contains"),
        ("request_object::jsonb -> 'kind'", "json_get"),
        ("CAST(request_object AS JSON) -> 'kind'", "json_get"),
        ("request_object->'kind' = 'Pod'", "->>"),
        ("request_object->'kind' = name", "->>"),
        ("request_object->'kind' IN ('Pod')", "->>"),
        ("request_object->'kind' LIKE 'P%'", "->>"),
        ("request_object->'kind' BETWEEN 'A' AND 'Z'", "->>"),
        ("request_object->'kind' ~ 'P'", "->>"),
        ("'Pod' IN (request_object->'kind')", "->>"),
        ("'Pod' LIKE request_object->'kind'", "->>"),
        ("request_object->'kind' IS DISTINCT FROM 'Pod'", "->>"),
        ("request_object->'kind' = ANY(ARRAY['Pod'])", "->>"),
        ("CASE request_object->'kind' WHEN 'Pod' THEN 1 END", "->>"),
        ("nullif(request_object->'kind', 'Pod')", "nullif takes text here"),
        ("upper(request_object->'kind')", "upper takes text here"),
        ("glob('*', request_object->'kind')", "glob takes text here"),
        ("(SELECT request_object->'kind' FROM events) = 'Pod'", "->>"),
        ("jsonb_array_elements(request_object)", "UNNEST(json_get_array("),
        ("jsonb_path_query(request_object, '$.a')", "json_contains"),
        ("json_extract_path_text(request_object, 'kind')", "#>>"),
        ("jsn_get(request_object, 'kind')", "unknown function 'jsn_get': did you mean 'json_get'"),
        ("row_numbr() OVER (ORDER BY time)", "did you mean 'row_number'"),
        ("zzzzzz(1)", "unknown function 'zzzzzz'"),
        ("upper(workload)", "received Struct(…)"),
        ("workload || 'x'", "Struct(…)"),
        ("workload LIKE 'x'", "Struct(…)"),
        ("coalesce(workload, 'x')", "Struct(…)"),
        ("CAST(workload AS INT)", "Struct(…)"),
        ("json_get(workload, 'kind')", "Struct(…)"),
        ("(request_object->'metadata'->'generation') + 1", "json_get_int"),
        ("request_object #>-1", "space"),
        ("user_groups -> 0", "user_groups[1]"),
        ("user_groups ->> 0", "user_groups[1]"),
        ("workload -> 'kind'", "workload['member']"),
        ("annotations #>> '{a,b}'", "annotations['key']"),
        ("annotations @> '{}'", "annotations['key']"),
        ("time -> 'a'", "JSON text"),
        ("request_object -> true", "member"),
        ("json_as_text(annotations, 'a')", "column ->> 'key'"),
        ("request_object @> 'Pod'", "json_get"),
    ] {
        let Err(error) = value(&session, expression).await else {
            panic!("{expression} has a value")
        };
        assert!(error.contains(expected), "{expression}: {error}");
        assert!(error.len() < 500, "{expression}: {error}");
    }
}

#[tokio::test]
async fn json_remains_json_through_a_subquery() {
    let session = pod().await;
    for (sql, expected) in [
        (
            "SELECT CAST(s -> 'args' AS VARCHAR) FROM (SELECT request_object -> 'spec' AS s FROM events)",
            r#"["x", "y"]"#,
        ),
        (
            "WITH t AS (SELECT request_object -> 'metadata' AS m FROM events) \
             SELECT CAST((m -> 'labels' || (m -> 'annotations')) #- '{k}' AS VARCHAR) FROM t",
            r#"{"0": "zero", "a.b": "v1"}"#,
        ),
        (
            "SELECT CAST(e.request_object -> key AS VARCHAR) FROM events e, (VALUES ('kind')) AS k (key)",
            r#""Pod""#,
        ),
        (
            "SELECT key FROM events e JOIN (VALUES ('Pod')) AS k (key) ON e.request_object ->> 'kind' = key",
            "Pod",
        ),
    ] {
        let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
        assert_eq!(strings(&rows), [expected], "{sql}");
    }
    for sql in [
        "SELECT 1 FROM (SELECT request_object -> 'kind' AS k FROM events) WHERE k IN ('Pod')",
        "SELECT 1 FROM (SELECT request_object -> 'kind' AS k FROM events) AS a JOIN (SELECT 'Pod' AS k) AS b USING (k)",
        "SELECT 1 FROM (SELECT request_object -> 'kind' AS k FROM events) AS a NATURAL JOIN (SELECT 'Pod' AS k) AS b",
        "SELECT 1 FROM events WHERE 'Pod' IN (SELECT request_object -> 'kind' FROM events)",
    ] {
        let error = session.sql(sql).await.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("->>"), "{sql}: {error}");
    }
    // A cast converts it to text, which is not marked.
    let sql = "SELECT k FROM (SELECT (request_object -> 'kind')::text AS k FROM events) WHERE k LIKE '%Pod%'";
    let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
    assert_eq!(strings(&rows), [r#""Pod""#]);
}

#[tokio::test]
async fn rows_are_grouped_by_members() {
    let session = pod().await;
    for (sql, expected) in [
        (
            "SELECT request_object -> 'metadata' ->> 'name' FROM events GROUP BY request_object -> 'metadata'",
            "helper",
        ),
        (
            "SELECT 'a ' || upper(request_object ->> 'kind') FROM events GROUP BY request_object ->> 'kind' \
             HAVING request_object ->> 'kind' = 'Pod' ORDER BY request_object ->> 'kind'",
            "a POD",
        ),
        ("SELECT DISTINCT request_object #>> '{spec,args,-1}' AS v FROM events ORDER BY v", "y"),
    ] {
        let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
        assert_eq!(strings(&rows), [expected], "{sql}");
    }
}

/// The engine walks the expression under an alias twice: a chain of operators took twice the time
/// for each additional one.
#[tokio::test]
async fn a_chain_of_operators_is_planned() {
    let session = pod().await;
    for (chain, expected) in [
        (" -> 'a'".repeat(60), "NULL"),
        ("['a']".repeat(60), "NULL"),
        (" - 'kind'".repeat(60) + " ->> 'kind'", "NULL"),
        (r#" || '{"a": 1}'"#.repeat(60) + " ->> 'a'", "1"),
        (" #> '{metadata}'".to_owned() + &" #> '{}'".repeat(60) + " ->> 'name'", "helper"),
    ] {
        let value = value(&session, &format!("request_object{chain}")).await;
        assert_eq!(value.as_deref(), Ok(expected), "{chain}");
    }
}

#[tokio::test]
async fn a_column_has_the_operator_as_its_title() {
    let session = pod().await;
    let statement =
        parse("SELECT request_object->'spec'->'list'->-1->>'n' FROM events").unwrap().remove(0);
    let Ok(Planned::Rows(rows)) = session.plan(statement, Permissions::default()).await else {
        panic!("no rows")
    };
    assert_eq!(rows.schema().field(0).name(), "request_object -> 'spec' -> 'list' -> -1 ->> 'n'");
}

#[tokio::test]
async fn similar_members_are_suggested() {
    let session = pod().await;
    for (sql, expected) in [
        (
            "SELECT workload['privilegd'] FROM events",
            "unknown member 'privilegd' in workload: did you mean 'containers.privileged'",
        ),
        (
            "SELECT workload.kindd FROM events",
            "unknown member 'kindd' in workload: did you mean 'kind'?",
        ),
        ("SELECT e.workload.kindd FROM events AS e", "did you mean 'kind'?"),
        ("SELECT workload.zzzzzz FROM events", "DESCRIBE"),
        ("SELECT workload.containers.image FROM events", "workload.containers[1]"),
        ("SELECT workload.containers[1]['imag'] FROM events", "did you mean 'image'?"),
        ("SELECT w.name FROM events e JOIN workloads w ON w.nmae = e.name", "did you mean 'name'?"),
        (
            "SELECT 1 FROM events e JOIN workloads w ON e.usernme = w.username",
            "did you mean 'username'?",
        ),
        ("SELECT name FROM events ORDER BY nmae", "did you mean 'name'?"),
        ("SELECT name FROM events GROUP BY nmae", "did you mean 'name'?"),
        (
            "SELECT verb, count(*) FROM events GROUP BY verb HAVING max(nmae) > 'a'",
            "did you mean 'name'?",
        ),
        ("SELECT name FROM events WHERE nmae ->> 'x' = 'y'", "did you mean 'name'?"),
        ("SELECT name FROM events WHERE nmae LIKE 'x'", "did you mean 'name'?"),
        (
            "SELECT name FROM events e WHERE EXISTS (SELECT 1 FROM workloads w WHERE w.nmae = e.name)",
            "did you mean 'name'?",
        ),
        ("SELECT row_number() OVER (ORDER BY tme) FROM events", "did you mean 'time'?"),
        ("SELECT * FROM evnts", "did you mean 'events'?"),
        ("SELECT evnts.verb FROM events", "did you mean 'events.verb'?"),
        ("SELECT evnts.vreb FROM events", "did you mean 'events.verb'?"),
        ("SELECT workld.kind FROM events", "did you mean 'workload.kind'?"),
        ("SELECT e.worklod.kind FROM events AS e", "did you mean 'e.workload.kind'?"),
        (
            "SELECT w.status_code FROM events AS e JOIN (SELECT event_id FROM workloads) AS w USING (event_id)",
            "did you mean 'e.status_code'?",
        ),
        ("SELECT a.b.c.d.e.f FROM events", "unknown column 'a.b.c.d.e.f'"),
        ("WITH alpha AS (SELECT 1) SELECT * FROM alhpa", "did you mean 'alpha'?"),
        ("SELECT * FROM (WITH alpha AS (SELECT 1) SELECT * FROM alhpa)", "did you mean 'alpha'?"),
        ("SELECT e.name FROM events e, jsonb_array_elements(e.request_object)", "UNNEST"),
        (
            "SELECT 1 FROM events e WHERE EXISTS (SELECT 1 FROM workloads w WHERE w.kind = e.workload.kind)",
            "e.workload['member']",
        ),
    ] {
        let error = session.sql(sql).await.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{sql}: {error}");
        assert!(error.len() < 500, "{sql}: {error}");
    }
}
