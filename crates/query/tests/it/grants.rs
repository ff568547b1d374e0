//! The view `grants`: which subjects held which roles, and when.

use podtrail_query::Scope;
use serde_json::{Value, json};

use crate::{column, session, stage};

/// Returns a write of a binding `NAMESPACE/NAME` at an hour, by a user.
fn write(hour: u8, user: &str, verb: &str, binding: &str, members: Value) -> String {
    let (namespace, name) = binding.split_once('/').unwrap();
    let mut reference =
        json!({"apiGroup": "rbac.authorization.k8s.io", "resource": "clusterrolebindings"});
    if !namespace.is_empty() {
        reference["resource"] = "rolebindings".into();
        reference["namespace"] = namespace.into();
    }
    if !name.is_empty() {
        reference["name"] = name.into();
    }
    let mut event = json!({
        "user": {"username": user},
        "verb": verb,
        "objectRef": reference,
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": format!("2026-11-24T{hour:02}:00:00.000000Z"),
    });
    for (key, value) in members.as_object().unwrap() {
        event[key] = value.clone();
    }
    stage(&format!("{hour} {verb} {binding}"), "ResponseComplete", event)
}

fn binding(role: &str, users: &[&str]) -> Value {
    json!({"responseObject": {"roleRef": {"kind": "ClusterRole", "name": role}, "subjects": subjects(users)}})
}

fn subjects(users: &[&str]) -> Value {
    users.iter().map(|user| json!({"kind": "User", "name": user})).collect()
}

const GRANTS: &str = "
    SELECT concat_ws(' ', coalesce(namespace, '*'), binding, subject_name, role_name,
        date_part('hour', granted_at), granted_by, '-', date_part('hour', revoked_at), revoked_by)
    FROM grants ORDER BY granted_at, namespace, subject_name";

#[tokio::test]
async fn a_grant_lasts_until_it_is_revoked() {
    let refused = json!({"responseStatus": {"code": 403}});
    let cases: [(&str, Vec<String>, &[&str]); 9] = [
        (
            "held still",
            vec![write(1, "ann", "create", "/b", binding("admin", &["x"]))],
            &["* b x admin 1 ann -"],
        ),
        (
            "an update that keeps one subject, drops one and adds one",
            vec![
                write(1, "ann", "create", "web/b", binding("admin", &["x", "y"])),
                write(2, "bob", "update", "web/b", binding("admin", &["y", "z"])),
            ],
            &["web b x admin 1 ann - 2 bob", "web b y admin 1 ann -", "web b z admin 2 bob -"],
        ),
        (
            "deleted, and made again",
            vec![
                write(1, "ann", "create", "web/b", binding("admin", &["x"])),
                write(2, "bob", "delete", "web/b", json!({})),
                write(3, "cyd", "create", "web/b", binding("view", &["x"])),
            ],
            &["web b x admin 1 ann - 2 bob", "web b x view 3 cyd -"],
        ),
        (
            "a collection is deleted",
            vec![
                write(1, "ann", "create", "web/b", binding("admin", &["x"])),
                write(1, "ann", "create", "db/b", binding("admin", &["y"])),
                write(1, "ann", "create", "/b", binding("admin", &["z"])),
                write(2, "bob", "deletecollection", "web/", json!({})),
            ],
            &["db b y admin 1 ann -", "web b x admin 1 ann - 2 bob", "* b z admin 1 ann -"],
        ),
        (
            "a patch that shows subjects only",
            vec![
                write(1, "ann", "create", "web/b", binding("admin", &["x"])),
                write(
                    2,
                    "bob",
                    "patch",
                    "web/b",
                    json!({"requestObject": {"subjects": subjects(&["y"])}}),
                ),
            ],
            &["web b x admin 1 ann - 2 bob", "web b y admin 2 bob -"],
        ),
        (
            "a JSON Patch of one subject",
            vec![
                write(1, "ann", "create", "web/b", binding("admin", &["x"])),
                write(
                    2,
                    "bob",
                    "patch",
                    "web/b",
                    json!({"requestObject": [
                        {"op": "add", "path": "/subjects/-", "value": {"kind": "User", "name": "y"}},
                    ]}),
                ),
            ],
            &["web b x admin 1 ann -", "web b y admin 2 bob -"],
        ),
        (
            "denied requests and other writes",
            vec![
                write(1, "ann", "create", "web/b", binding("admin", &["x"])),
                write(2, "bob", "delete", "web/b", refused.clone()),
                write(
                    3,
                    "bob",
                    "patch",
                    "web/b",
                    json!({"requestObject": {"metadata": {"labels": {"a": "b"}}}}),
                ),
                write(4, "bob", "create", "web/c", refused),
            ],
            &["web b x admin 1 ann -"],
        ),
        (
            "a subject that is named twice",
            vec![write(1, "ann", "create", "web/b", binding("admin", &["x", "x"]))],
            &["web b x admin 1 ann -"],
        ),
        ("no body", vec![write(1, "ann", "create", "web/b", json!({}))], &[]),
    ];
    for (case, events, expected) in cases {
        let session = session(&events, Scope::default()).await;
        assert_eq!(column(&session, GRANTS).await, expected, "{case}");
    }
}

#[tokio::test]
async fn a_grant_can_be_older_than_the_scope() {
    let events = [
        write(1, "ann", "create", "web/old", binding("admin", &["x"])),
        write(1, "ann", "create", "web/ended", binding("admin", &["x"])),
        write(2, "ann", "delete", "web/ended", json!({})),
        write(1, "ann", "create", "web/ends", binding("admin", &["x"])),
        write(4, "bob", "delete", "web/ends", json!({})),
        write(6, "bob", "delete", "web/old", json!({})),
        write(6, "bob", "create", "web/later", binding("admin", &["x"])),
    ];
    let scope = Scope {
        from: Some("2026-11-24T03:00:00Z".parse().unwrap()),
        to: Some("2026-11-24T05:00:00Z".parse().unwrap()),
        identities: vec!["nobody".to_owned()],
        ..Scope::default()
    };
    let session = session(&events, scope).await;
    let sql =
        "SELECT concat_ws(' ', binding, date_part('hour', revoked_at)) FROM grants ORDER BY 1";
    assert_eq!(column(&session, sql).await, ["ends 4", "old"]);
    let sql = "SELECT concat_ws(' ', binding, date_part('hour', revoked_at)) FROM grants_history ORDER BY 1";
    assert_eq!(column(&session, sql).await, ["ended 2", "ends", "old"]);
}
