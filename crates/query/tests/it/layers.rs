//! Tables and views on top of those of a session.

use std::collections::BTreeMap;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use podtrail_query::{QueryError, Scope, Session};
use serde_json::json;

use crate::{column, session, stage};

/// Returns a session over a request before its scope, and one in it.
async fn scoped() -> Session {
    let early = json!({"requestReceivedTimestamp": "2026-11-24T08:00:00Z"});
    let events =
        [stage("early", "ResponseComplete", early), stage("late", "ResponseComplete", json!({}))];
    let from = "2026-11-24T09:00:00Z".parse().unwrap();
    session(&events, Scope { from: Some(from), ..Scope::default() }).await
}

fn views(views: &[(&str, &str)]) -> BTreeMap<String, String> {
    views.iter().map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned())).collect()
}

fn names(values: &[&str]) -> RecordBatch {
    let column: ArrayRef = std::sync::Arc::new(StringArray::from(values.to_vec()));
    RecordBatch::try_from_iter([("name", column)]).unwrap()
}

#[tokio::test]
async fn views_read_each_other_in_any_order_and_exist_for_the_look_back() {
    let session = scoped().await;
    let added = session
        .with_views(&views(&[
            ("a_created", "SELECT * FROM b_requests WHERE b_requests.verb = 'create'"),
            ("b_requests", "SELECT verb, unknown FROM events"),
            ("c_requests", "SELECT audit_id, verb FROM events WHERE events.username = 'alice'"),
            ("d_created", "SELECT * FROM c_requests WHERE c_requests.verb = 'create'"),
            (
                "a_all",
                "SELECT audit_id FROM d_created UNION ALL SELECT audit_id FROM d_created_history",
            ),
            ("fixed", "SELECT 'x' AS name"),
        ]))
        .unwrap();
    assert_eq!(column(&added, "SELECT audit_id FROM d_created").await, ["late"]);
    assert_eq!(column(&added, "SELECT audit_id FROM d_created_history").await, ["early"]);
    assert_eq!(column(&added, "SELECT audit_id FROM a_all ORDER BY 1").await, ["early", "late"]);
    for absent in ["fixed_history", "a_all_history"] {
        let error = added.sql(&format!("SELECT * FROM {absent}")).await.unwrap_err();
        assert!(matches!(error, QueryError::UnknownTable { .. }), "{error}");
    }
    // A view that is wrong fails only the queries that read it.
    assert!(added.sql("SELECT * FROM b_requests").await.is_err());
    // The session below is unchanged.
    assert!(session.sql("SELECT * FROM d_created").await.is_err());
}

#[tokio::test]
async fn names_of_with_are_not_replaced_for_the_look_back() {
    let sql = "WITH events AS (SELECT 'own' AS audit_id), kept AS (SELECT audit_id FROM stages)
        SELECT audit_id FROM events UNION ALL SELECT audit_id FROM kept";
    let added = scoped().await.with_views(&views(&[("mixed", sql)])).unwrap();
    for (view, expected) in [("mixed", ["late", "own"]), ("mixed_history", ["early", "own"])] {
        let sql = format!("SELECT audit_id FROM {view} ORDER BY 1");
        assert_eq!(column(&added, &sql).await, expected, "{view}");
    }
}

#[tokio::test]
async fn circular_views_and_views_that_are_not_queries_are_rejected() {
    let session = scoped().await;
    let circle = [("a", "SELECT * FROM b"), ("b", "SELECT * FROM c"), ("c", "SELECT * FROM a")];
    let error = session.with_views(&views(&circle)).err().unwrap();
    assert_eq!(error.to_string(), "views read each other in a circle: a, b, c");
    assert!(session.with_views(&views(&[("a", "SELECT * FROM a")])).is_err());
    assert!(session.with_views(&views(&[("a", "SELECT 1; SELECT 2")])).is_err());
    assert!(session.with_views(&views(&[("a", "not SQL")])).is_err());
}

#[tokio::test]
async fn a_table_belongs_to_its_session() {
    let session = scoped().await;
    let one = session.with_rows("names", names(&["one"])).unwrap();
    let two = one.with_rows("names", names(&["two"])).unwrap();
    assert_eq!(column(&one, "SELECT name FROM names").await, ["one"]);
    assert_eq!(column(&two, "SELECT name FROM names").await, ["two"]);
    assert!(session.sql("SELECT * FROM names").await.is_err());
    let joined = "SELECT audit_id FROM events WHERE 'two' IN (SELECT name FROM names)";
    assert_eq!(column(&two, joined).await, ["late"]);
}
