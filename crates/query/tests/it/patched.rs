//! The views of written objects, for patches whose response is not the object.

use podtrail_query::Scope;
use serde_json::{Value, json};

use crate::{column, session, stage};

fn event(day: u32, verb: &str, members: Value) -> String {
    let mut event = json!({
        "verb": verb,
        "objectRef": {"apiGroup": "apps", "resource": "deployments", "namespace": "web", "name": "app"},
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": format!("2026-11-{day:02}T10:00:00.000000Z"),
        "stageTimestamp": format!("2026-11-{day:02}T10:00:00.500000Z"),
    });
    for (key, value) in members.as_object().unwrap() {
        event[key] = value.clone();
    }
    stage(&format!("{verb} {day}"), "ResponseComplete", event)
}

fn deployment() -> Value {
    json!({"kind": "Deployment", "metadata": {"name": "app"}, "spec": {"template": {"spec": {
        "containers": [{"name": "app", "image": "web:1", "securityContext": {"readOnlyRootFilesystem": true}}],
    }}}})
}

fn patch(day: u32) -> String {
    let context = "/spec/template/spec/containers/0/securityContext";
    let copy = json!({
        "op": "copy",
        "from": format!("{context}/readOnlyRootFilesystem"),
        "path": format!("{context}/privileged"),
    });
    let table = json!({"kind": "Table", "rows": []});
    event(day, "patch", json!({"requestObject": [copy], "responseObject": table}))
}

const ROWS: &str =
    "SELECT concat_ws(' ', audit_id, body_source, image, privileged) FROM containers ORDER BY time";

#[tokio::test]
async fn the_row_is_the_result_of_the_patch_on_the_previous_version() {
    let create = event(1, "create", json!({"requestObject": deployment()}));
    // The previous version is older than the look-back.
    let scope = Scope {
        from: Some("2026-11-24T00:00:00Z".parse().unwrap()),
        history: Some(std::time::Duration::from_hours(24)),
        ..Scope::default()
    };
    let in_scope = session(&[create.clone(), patch(24)], scope).await;
    assert_eq!(column(&in_scope, ROWS).await, ["patch 24 version web:1 true"]);
    let all = session(&[create, patch(24)], Scope::default()).await;
    assert_eq!(
        column(&all, ROWS).await,
        ["create 1 request web:1 false", "patch 24 version web:1 true"]
    );
    let sql = "SELECT concat_ws(' ', partial_answer, copied[1]['field'], copied[1]['value']) \
               FROM workloads WHERE verb = 'patch'";
    assert_eq!(
        column(&all, sql).await,
        ["Table spec.template.spec.containers.securityContext.privileged true"]
    );
}

#[tokio::test]
async fn a_read_provides_the_version_too() {
    for (verb, response, name) in [
        ("get", deployment(), json!("app")),
        (
            "list",
            json!({"kind": "DeploymentList", "items": [{
                "metadata": {"name": "app", "namespace": "web"}, "spec": deployment()["spec"],
            }]}),
            Value::Null,
        ),
    ] {
        let mut object = json!({"apiGroup": "apps", "resource": "deployments", "namespace": "web"});
        if !name.is_null() {
            object["name"] = name;
        }
        let read = event(2, verb, json!({"responseObject": response, "objectRef": object}));
        let session = session(&[read, patch(24)], Scope::default()).await;
        assert_eq!(column(&session, ROWS).await, ["patch 24 version web:1 true"], "{verb}");
    }
}

#[tokio::test]
async fn without_a_previous_version_the_row_has_the_fields_of_the_patch() {
    let session = session(&[patch(24)], Scope::default()).await;
    assert_eq!(column(&session, ROWS).await, ["patch 24 patch"]);
    let sql = "SELECT concat_ws(' ', copied[1]['field'], copied[1]['value']) FROM workloads";
    assert_eq!(
        column(&session, sql).await,
        ["spec.template.spec.containers.securityContext.privileged"]
    );
}

#[tokio::test]
async fn a_role_is_resolved_and_a_rule_keeps_its_parts_together() {
    let group = "rbac.authorization.k8s.io";
    let role = json!({"apiGroup": group, "resource": "clusterroles", "name": "r"});
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
    let create = event(
        1,
        "create",
        json!({
            "objectRef": role,
            "requestObject": {"kind": "ClusterRole", "rules": rules},
        }),
    );
    let patch = event(
        2,
        "patch",
        json!({
            "objectRef": role,
            "requestObject": [{"op": "add", "path": "/rules/0/verbs/-", "value": "*"}],
        }),
    );
    let session = session(&[create, patch], Scope::default()).await;
    let sql = "SELECT concat_ws(' ', audit_id, body_source, array_to_string(resources, ','), array_to_string(verbs, ',')) \
               FROM role_rules ORDER BY time";
    assert_eq!(
        column(&session, sql).await,
        ["create 1 request secrets get", "patch 2 version secrets get,*"]
    );
}
