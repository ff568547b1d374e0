//! Queries read only the struct fields that they use.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;
use podtrail_query::{Limits, Scope, Session};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{column, lake, session, stage};

/// Returns three pods in two commits, one of them with only an early stage.
fn pods() -> [Vec<String>; 2] {
    let pod = |name: &str, stages: &str, privileged: bool| {
        let container = json!({
            "name": "main", "image": format!("{name}:1"),
            "securityContext": {"privileged": privileged, "capabilities": {"add": ["SYS_ADMIN"]}},
            "volumeMounts": [{"name": "v", "mountPath": "/host"}],
        });
        let volume = json!({"name": "v", "hostPath": {"path": format!("/{name}")}});
        let body = json!({"spec": {"containers": [container], "volumes": [volume]}});
        stage(name, stages, json!({"requestObject": body}))
    };
    let first = vec![pod("web", "ResponseComplete", true), pod("db", "RequestReceived", false)];
    [first, vec![pod("api", "ResponseComplete", true)]]
}

async fn over_files() -> (TempDir, Session) {
    let (dir, lake) = lake(&pods()).await;
    let session = Session::open(&lake, Scope::default(), Limits::default());
    (dir, session.unwrap())
}

/// Returns the fields of `workload` that scans read, each with its path.
async fn read(session: &Session, sql: &str) -> BTreeSet<String> {
    fn walk(path: &str, data_type: &DataType, into: &mut BTreeSet<String>) {
        match data_type {
            DataType::Struct(fields) => {
                for field in fields {
                    walk(&format!("{path}.{}", field.name()), field.data_type(), into);
                }
            }
            DataType::List(item) if item.data_type().is_nested() => {
                walk(path, item.data_type(), into);
            }
            _ => {
                into.insert(path.trim_start_matches('.').to_owned());
            }
        }
    }
    let query = session.sql(sql).await.unwrap().optimize().unwrap();
    let plan = query.logical_plan();
    let mut members = BTreeSet::new();
    plan.apply(|plan| {
        if let LogicalPlan::TableScan(scan) = plan
            && let Ok(workload) = scan.projected_schema.field_with_unqualified_name("workload")
        {
            walk("", workload.data_type(), &mut members);
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    members
}

fn set(members: &[&str]) -> BTreeSet<String> {
    members.iter().map(|&member| member.to_owned()).collect()
}

#[tokio::test]
async fn only_used_fields_are_read() {
    // Scans of `events`: the views of workloads also read the whole struct for patches whose response is not the
    // object.
    let (_dir, session) = over_files().await;
    for (sql, members, rows) in [
        (
            "SELECT container['image'] FROM (SELECT unnest(workload['containers']) AS container FROM events)
             WHERE container['privileged'] ORDER BY 1",
            &["containers.image", "containers.privileged"][..],
            &["api:1", "web:1"][..],
        ),
        (
            "SELECT volume['host_path'] FROM (SELECT unnest(workload['volumes']) AS volume FROM events) ORDER BY 1",
            &["volumes.host_path"],
            &["/api", "/db", "/web"],
        ),
        (
            "SELECT array_to_string(container['capabilities_add'], ',')
             FROM (SELECT unnest(workload['containers']) AS container FROM events) LIMIT 1",
            &["containers.capabilities_add"],
            &["SYS_ADMIN"],
        ),
        (
            "SELECT workload['containers'][1]['image'] FROM events WHERE audit_id = 'web'",
            &["containers"],
            &["web:1"],
        ),
        (
            "SELECT max(workload['kind']) FROM events WHERE workload['volumes'] IS NOT NULL",
            &["kind", "volumes"],
            &["Pod"],
        ),
    ] {
        let read = read(&session, sql).await;
        let is_asked = |path: &String| members.iter().any(|member| path.starts_with(member));
        assert!(read.iter().all(is_asked), "{sql}: {read:?}");
        assert!(
            members.iter().all(|member| read.iter().any(|path| path.starts_with(member))),
            "{sql}: {read:?}"
        );
        assert_eq!(column(&session, sql).await, rows, "{sql}");
    }
    assert_eq!(
        read(&session, "SELECT count(*) FROM events WHERE workload IS NOT NULL").await,
        set(&["kind"])
    );
    assert!(read(&session, "SELECT workload FROM events").await.len() > 100);
}

#[tokio::test]
async fn a_narrow_read_returns_the_same_as_a_full_read() {
    let (_dir, files) = over_files().await;
    let memory = session(&pods().concat(), Scope::default()).await;
    for (view, columns) in [
        ("containers", &["image", "privileged", "capabilities_add", "volume_mounts", "role"][..]),
        ("volumes", &["type", "host_path", "name"]),
        ("workloads", &["kind", "containers", "volumes", "pod_security_failed", "owner"]),
    ] {
        for column in columns {
            let sql = format!("SELECT {column} AS value FROM {view} ORDER BY event_id");
            let rows = async |session: &Session| -> Vec<Value> {
                let batches = session.sql(&sql).await.unwrap().collect().await.unwrap();
                let mut writer = datafusion::arrow::json::ArrayWriter::new(Vec::new());
                writer.write_batches(&batches.iter().collect::<Vec<_>>()).unwrap();
                writer.finish().unwrap();
                serde_json::from_slice(&writer.into_inner()).unwrap()
            };
            let (narrow, whole) = (rows(&files).await, rows(&memory).await);
            assert_eq!(narrow, whole, "{view}.{column}");
            assert_eq!(narrow.len(), 3);
        }
    }
}
