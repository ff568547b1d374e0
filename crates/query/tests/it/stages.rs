//! The columns that the views add to those of the table.

use podtrail_query::Scope;
use serde_json::json;

use crate::{column, session, stage};

#[tokio::test]
async fn users_tokens_and_user_agents_are_parsed() {
    let account = json!({
        "user": {"username": "system:serviceaccount:ci:runner", "extra": {
            "authentication.kubernetes.io/pod-name": ["runner-0"],
            "authentication.kubernetes.io/node-name": ["worker-1"],
            "authentication.kubernetes.io/credential-id": ["JTI=1"],
        }},
        "impersonatedUser": {"username": "root"},
        "userAgent": "kubectl/v1.29.1 (linux/amd64)",
    });
    let events =
        [stage("a", "ResponseComplete", account), stage("b", "ResponseComplete", json!({}))];
    let session = session(&events, Scope::default()).await;
    for view in ["stages", "events"] {
        let sql = format!(
            "SELECT concat_ws(' ', effective_username, service_account_namespace, service_account_name,
                token_pod_name, token_node_name, token_credential_id, user_agent_tool, user_agent_version)
            FROM {view} ORDER BY audit_id"
        );
        let expected = ["root ci runner runner-0 worker-1 JTI=1 kubectl v1.29.1", "alice"];
        assert_eq!(column(&session, &sql).await, expected);
    }
}
