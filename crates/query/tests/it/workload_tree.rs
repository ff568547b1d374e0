//! The view `workload_tree`: from objects that controllers create to their authors.

use podtrail_query::Scope;
use serde_json::{Value, json};

use crate::{column, session, stage};

/// A write at a minute, in the namespace `web`.
struct Write {
    minute: u8,
    user: &'static str,
    verb: &'static str,
    /// `resource.group/name`; without the core group, or a name that is not in the log.
    object: &'static str,
    /// `Kind/name` of the owner in the body.
    owner: Option<&'static str>,
    members: Value,
}

/// Returns a write whose body is the whole object.
fn write(minute: u8, user: &'static str, verb: &'static str, object: &'static str) -> Write {
    let members = json!({"responseObject": {"metadata": {"uid": object}, "spec": pods()}});
    Write { minute, user, verb, object, owner: None, members }
}

/// Returns a pod spec at the path that each kind uses.
fn pods() -> Value {
    let pod = json!({"containers": [{"name": "c", "image": "i"}]});
    let template = json!({"spec": pod});
    json!({"containers": pod["containers"], "template": template, "jobTemplate": {"spec": {"template": template}}})
}

impl Write {
    fn owned_by(mut self, owner: &'static str) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Returns writes without bodies.
    fn metadata_only(self) -> Self {
        Self { members: json!({}), ..self }
    }

    fn with(mut self, members: Value) -> Self {
        for (key, value) in members.as_object().unwrap() {
            self.members[key] = value.clone();
        }
        self
    }

    fn event(&self) -> String {
        let (resource, name) = self.object.split_once('/').unwrap();
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        let user = match self.user.strip_prefix('@') {
            Some(controller) => format!("system:serviceaccount:kube-system:{controller}"),
            None => self.user.to_owned(),
        };
        let mut reference = json!({"resource": resource, "apiGroup": group, "namespace": "web"});
        if !name.is_empty() {
            reference["name"] = name.into();
        }
        let mut members = json!({
            "user": {"username": user},
            "verb": self.verb,
            "objectRef": reference,
            "responseStatus": {"code": 200},
            "requestReceivedTimestamp": format!("2026-11-24T10:{:02}:00.000000Z", self.minute),
        });
        for (key, value) in self.members.as_object().unwrap() {
            members[key] = value.clone();
        }
        if let Some((kind, name)) = self.owner.and_then(|owner| owner.split_once('/')) {
            members["responseObject"]["metadata"]["ownerReferences"] =
                json!([{"kind": kind, "name": name, "controller": true}]);
        }
        stage(&format!("{} {}", self.minute, self.object), "ResponseComplete", members)
    }
}

const DEPLOYMENT: &str = "@deployment-controller";
const REPLICA_SET: &str = "@replicaset-controller";
const CRON_JOB: &str = "@cronjob-controller";
const JOB: &str = "@job-controller";

const TREE: &str = "
    SELECT concat_ws(' ', date_part('minute', time), root_kind, root_name, depth,
        author, date_part('minute', author_time), author_known_by)
    FROM workload_tree ORDER BY time";

/// Returns the writes of controllers for the Deployment `app`: a ReplicaSet at minute 2, a pod at minute 10.
fn made_of_app() -> Vec<Write> {
    vec![
        write(2, DEPLOYMENT, "create", "replicasets.apps/app-6c4cd4bbc8")
            .owned_by("Deployment/app"),
        write(10, REPLICA_SET, "create", "pods/app-6c4cd4bbc8-gb7xk")
            .owned_by("ReplicaSet/app-6c4cd4bbc8"),
    ]
}

#[tokio::test]
async fn the_author_of_a_workload_is_that_of_its_root() {
    let by_alice = || write(1, "alice", "create", "deployments.apps/app");
    let change = |minute, user, verb, members| {
        write(minute, user, verb, "deployments.apps/app").metadata_only().with(members)
    };
    let image =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "j"}]}}}});
    let cases: Vec<(&str, Vec<Write>, &[&str])> = vec![
        (
            "two levels",
            [vec![by_alice()], made_of_app()].into_iter().flatten().collect(),
            &[
                "1 Deployment app 0 alice 1 own request",
                "2 Deployment app 1 alice 1 owner chain",
                "10 Deployment app 2 alice 1 owner chain",
            ],
        ),
        (
            "a CronJob's Job's pod",
            vec![
                write(1, "alice", "create", "cronjobs.batch/night"),
                write(2, CRON_JOB, "create", "jobs.batch/night-29928094").owned_by("CronJob/night"),
                write(3, JOB, "create", "pods/night-29928094-jsf4q").owned_by("Job/night-29928094"),
            ],
            &[
                "1 CronJob night 0 alice 1 own request",
                "2 CronJob night 1 alice 1 owner chain",
                "3 CronJob night 2 alice 1 owner chain",
            ],
        ),
        (
            "the author at the time counts, known writes before possible ones",
            [
                made_of_app(),
                vec![
                    change(1, "eve", "patch", json!({"requestObject": image, "responseStatus": null})),
                    change(20, "bob", "patch", json!({"requestObject": image})),
                    change(30, "eve", "patch", json!({"requestObject": image, "responseStatus": null})),
                    write(40, REPLICA_SET, "create", "pods/app-6c4cd4bbc8-gb7xk").owned_by("ReplicaSet/app-6c4cd4bbc8"),
                ],
            ]
            .into_iter()
            .flatten()
            .collect(),
            &[
                "1 Deployment app 0 eve 1 own request",
                "2 Deployment app 1 eve 1 owner chain",
                "10 Deployment app 2 eve 1 owner chain",
                "20 Deployment app 0 bob 20 own request",
                "30 Deployment app 0 eve 30 own request",
                "40 Deployment app 2 bob 20 owner chain",
            ],
        ),
        (
            "a write without a spec change has no author",
            [
                vec![
                    by_alice(),
                    change(3, "bob", "patch", json!({"requestObject": {"spec": {"replicas": 3}}})),
                    change(4, "bob", "update", json!({"objectRef": {
                        "resource": "deployments", "apiGroup": "apps", "namespace": "web", "name": "app", "subresource": "scale"}})),
                    change(5, "bob", "patch", json!({"requestObject": {"metadata": {"labels": {"a": "b"}}}})),
                    change(6, "bob", "patch", json!({"requestObject": image, "responseStatus": {"code": 403}})),
                    change(7, "bob", "patch", json!({"requestObject": image, "requestURI": "/x?dryRun=All"})),
                    change(8, "bob", "delete", json!({})),
                    change(9, DEPLOYMENT, "update", json!({"requestObject": image})),
                ],
                made_of_app(),
            ]
            .into_iter()
            .flatten()
            .collect(),
            &[
                "1 Deployment app 0 alice 1 own request",
                "2 Deployment app 1 alice 1 owner chain",
                "3 Deployment app 0 bob 3 own request",
                "6 Deployment app 0 bob 6 own request",
                "7 Deployment app 0 bob 7 own request",
                "9 Deployment app 0 alice 1 owner chain",
                "10 Deployment app 2 alice 1 owner chain",
            ],
        ),
        (
            "names alone, and only of owners in the log",
            vec![
                write(1, "alice", "create", "deployments.apps/app").metadata_only(),
                write(2, DEPLOYMENT, "create", "replicasets.apps/app-6c4cd4bbc8").metadata_only(),
                write(3, "@job-controller", "patch", "pods/app-6c4cd4bbc8-gb7xk").metadata_only(),
                write(4, REPLICA_SET, "patch", "pods/app-6c4cd4bbc8-gb7xk").metadata_only(),
                write(5, DEPLOYMENT, "create", "replicasets.apps/other-6c4cd4bbc8").metadata_only(),
                write(6, REPLICA_SET, "create", "pods/").metadata_only(),
                write(7, "bob", "create", "cronjobs.batch/night").metadata_only(),
                write(8, CRON_JOB, "create", "jobs.batch/night-29928094").metadata_only(),
                write(9, JOB, "patch", "pods/night-29928094-jsf4q").metadata_only(),
                write(10, "bob", "create", "statefulsets.apps/db").metadata_only(),
                write(11, "@statefulset-controller", "create", "pods/db-0").metadata_only(),
                write(12, "bob", "create", "daemonsets.apps/agent").metadata_only(),
                write(13, "@daemon-set-controller", "patch", "pods/agent-x2b4k").metadata_only(),
                // Created before the log began, by a Deployment in it.
                write(14, REPLICA_SET, "patch", "pods/app-5d9c7-x2b4k").metadata_only(),
                // Created manually: the name proves nothing.
                write(15, "eve", "create", "replicasets.apps/app-bcdf").metadata_only(),
                write(16, REPLICA_SET, "patch", "pods/app-bcdf-x2b4k").metadata_only(),
            ],
            &[
                "1 Deployment app 0 alice 1 own request",
                "2 Deployment app 1 alice 1 template hash",
                "3 Pod app-6c4cd4bbc8-gb7xk 0 unknown",
                "4 Deployment app 2 alice 1 template hash",
                "5 ReplicaSet other-6c4cd4bbc8 0 unknown",
                "6 0 unknown",
                "7 CronJob night 0 bob 7 own request",
                "8 CronJob night 1 bob 7 template hash",
                "9 CronJob night 2 bob 7 template hash",
                "10 StatefulSet db 0 bob 10 own request",
                "11 StatefulSet db 1 bob 10 template hash",
                "12 DaemonSet agent 0 bob 12 own request",
                "13 DaemonSet agent 1 bob 12 template hash",
                "14 Deployment app 2 alice 1 template hash",
                "15 ReplicaSet app-bcdf 0 eve 15 own request",
                "16 ReplicaSet app-bcdf 1 eve 15 template hash",
            ],
        ),
        (
            "a custom resource at the root, written by a person, carried out by an operator",
            vec![
                write(0, "alice", "create", "databases.example.com/main"),
                write(1, "system:serviceaccount:ops:operator", "create", "deployments.apps/app").owned_by("Database/main"),
                write(2, DEPLOYMENT, "create", "replicasets.apps/app-6c4cd4bbc8").owned_by("Deployment/app"),
            ],
            &[
                // Its contents make it a workload; without a kind in its body, its resource identifies it.
                "0 databases main 0 alice 0 own request",
                "1 databases main 1 system:serviceaccount:ops:operator 1 own request",
                "2 databases main 2 alice 0 owner chain",
            ],
        ),
        (
            "an owner that a person names is not believed",
            vec![
                write(0, "alice", "create", "cronjobs.batch/night"),
                write(1, "eve", "create", "jobs.batch/mine").owned_by("CronJob/night"),
                write(2, JOB, "create", "pods/mine-x2b4k").owned_by("Job/mine"),
            ],
            &[
                "0 CronJob night 0 alice 0 own request",
                "1 Job mine 0 eve 1 own request",
                "2 Job mine 1 eve 1 owner chain",
            ],
        ),
        (
            "owners in a circle",
            vec![
                write(1, DEPLOYMENT, "create", "replicasets.apps/a").owned_by("ReplicaSet/b"),
                write(2, DEPLOYMENT, "create", "replicasets.apps/b").owned_by("ReplicaSet/a"),
                write(3, DEPLOYMENT, "create", "replicasets.apps/self").owned_by("ReplicaSet/self"),
            ],
            &[
                "1 ReplicaSet b 1 unknown",
                "2 ReplicaSet a 1 unknown",
                "3 ReplicaSet self 0 unknown",
            ],
        ),
        (
            "an owner of which the log has nothing, and none at all",
            vec![
                write(1, REPLICA_SET, "create", "pods/app-6c4cd4bbc8-gb7xk").owned_by("ReplicaSet/app-6c4cd4bbc8"),
                write(2, JOB, "create", "pods/alone"),
            ],
            &[
                "1 ReplicaSet app-6c4cd4bbc8 1 unknown",
                "2 Pod alone 0 system:serviceaccount:kube-system:job-controller 2 own request",
            ],
        ),
    ];
    for (case, writes, expected) in cases {
        let events: Vec<_> = writes.iter().map(Write::event).collect();
        let session = session(&events, Scope::default()).await;
        assert_eq!(column(&session, TREE).await, expected, "{case}");
    }
}

#[tokio::test]
async fn an_owner_can_be_older_than_the_scope() {
    let mut events = vec![write(1, "alice", "create", "deployments.apps/app").event()];
    events.extend(made_of_app().iter().map(Write::event));
    events.push(write(20, "bob", "update", "deployments.apps/app").event());
    let scope = Scope {
        from: Some("2026-11-24T10:05:00Z".parse().unwrap()),
        to: Some("2026-11-24T10:15:00Z".parse().unwrap()),
        ..Scope::default()
    };
    let session = session(&events, scope).await;
    assert_eq!(column(&session, TREE).await, ["10 Deployment app 2 alice 1 owner chain"]);
    let history = TREE.replace("workload_tree", "workload_tree_history");
    assert_eq!(
        column(&session, &history).await,
        ["1 Deployment app 0 alice 1 own request", "2 Deployment app 1 alice 1 owner chain"]
    );
}

#[tokio::test]
async fn an_author_is_the_impersonated_user() {
    let members = json!({"impersonatedUser": {"username": "root"}});
    let mut events = vec![write(1, "eve", "create", "deployments.apps/app").with(members).event()];
    events.extend(made_of_app().iter().map(Write::event));
    let session = session(&events, Scope::default()).await;
    let sql = "
        SELECT concat_ws(' ', c.name, t.author, t.author_username, t.author_event_id = a.event_id)
        FROM containers c
        JOIN workload_tree t ON t.cluster = c.cluster AND t.event_id = c.event_id
        JOIN events a ON a.event_id = t.author_event_id
        WHERE c.kind = 'Pod'";
    assert_eq!(column(&session, sql).await, ["c root eve true"]);
}
