//! Every view, detection, saved query and hard case returns the rows on workers that it returns in one process.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use podtrail_detect::{Input, Pack, hunt, saved_queries};
use podtrail_query::{LakeVersion, Limits, Parameters, Scope, Session, VIEW_NAMES};

use crate::support::{TestCluster, WorkerProcess, lake, rows, run, session};

/// Statements whose distributed form is easily wrong: constants in unions, counts over parts, nulls in NOT IN, outer,
/// mark and anti joins, several groupings, windows without partitions, limits.
const HARD: &[&str] = &[
    "SELECT verb, count(*) FROM stages GROUP BY verb UNION ALL SELECT 'x', 1",
    "SELECT 'a', count(*) FROM stages UNION ALL SELECT 'b', count(*) FROM stages",
    "VALUES ('x', 1), ('y', 2) UNION ALL SELECT verb, count(*) FROM stages GROUP BY verb",
    "SELECT count(*), count(DISTINCT username), count(user_agent) FROM stages",
    "SELECT count(*) FROM stages WHERE namespace NOT IN (SELECT name FROM stages)",
    "SELECT count(*) FROM stages WHERE name NOT IN (SELECT namespace FROM stages WHERE namespace IS NOT NULL)",
    "SELECT DISTINCT namespace FROM stages INTERSECT SELECT DISTINCT name FROM stages",
    "SELECT DISTINCT username FROM stages EXCEPT SELECT username FROM stages WHERE verb = 'create'",
    "SELECT a.verb, b.verb, a.n, b.n FROM (SELECT verb, count(*) AS n FROM stages WHERE code < 300 GROUP BY verb) a
     FULL JOIN (SELECT verb, count(*) AS n FROM stages WHERE code >= 300 GROUP BY verb) b ON a.verb = b.verb",
    "SELECT event_id, username IN (SELECT username FROM stages WHERE verb = 'delete') OR verb = 'get' FROM stages",
    "SELECT verb, resource, count(*) FROM stages GROUP BY ROLLUP (verb, resource)",
    "SELECT event_id, row_number() OVER (ORDER BY time, event_id, cluster) FROM stages",
    "SELECT event_id, lag(event_id) OVER (PARTITION BY username ORDER BY time, event_id, cluster) FROM stages",
    "SELECT event_id, sum(code) OVER (PARTITION BY verb ORDER BY time, event_id, cluster) FROM stages",
    "SELECT event_id FROM stages ORDER BY time DESC, event_id, cluster LIMIT 7",
    "SELECT username, max(time), min(time) FROM stages GROUP BY username HAVING count(*) > 3 ORDER BY 1 LIMIT 5",
    "SELECT event_id FROM stages a WHERE EXISTS (SELECT 1 FROM stages b WHERE b.username = a.username AND b.verb = 'delete')",
    "SELECT event_id FROM stages a WHERE NOT EXISTS (SELECT 1 FROM stages b WHERE b.username = a.username AND b.verb = 'list')",
    "SELECT a.event_id, b.event_id FROM stages a LEFT JOIN stages b ON a.name = b.name AND b.verb = 'create' WHERE a.verb = 'delete'",
    "SELECT verb, (SELECT count(*) FROM stages b WHERE b.verb = a.verb) FROM (SELECT DISTINCT verb FROM stages) a",
    "SELECT event_id, image FROM (SELECT event_id, unnest(images) AS image FROM workloads)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, count(*) FROM n CROSS JOIN stages GROUP BY i",
    "SELECT event_id FROM stages WHERE username > (SELECT min(username) FROM stages)",
    "SELECT approx_distinct(username) > 0, count(DISTINCT verb), string_agg(DISTINCT verb, ',' ORDER BY verb) FROM stages",
];

/// A statement of the gate.
struct Statement {
    name: String,
    sql: String,
    values: Parameters,
    /// Whether it reads the tables and views of the pack.
    of_pack: bool,
}

fn statements() -> Vec<Statement> {
    let now = now();
    let mut all: Vec<_> = HARD
        .iter()
        .enumerate()
        .map(|(number, sql)| Statement {
            name: format!("hard case {number}"),
            sql: (*sql).to_owned(),
            values: Parameters::default(),
            of_pack: false,
        })
        .collect();
    all.extend(VIEW_NAMES.iter().map(|view| Statement {
        name: format!("view {view}"),
        sql: format!("SELECT * FROM {view}"),
        values: Parameters::default(),
        of_pack: false,
    }));
    for query in saved_queries().unwrap() {
        let values = query.values(&[], now).unwrap();
        all.push(Statement {
            name: format!("hunt {}", query.name),
            sql: query.sql,
            values,
            of_pack: false,
        });
    }
    let pack = Pack::built_in().unwrap();
    // Those that read the findings of the others run in the test of a whole hunt.
    for detection in pack.detections().filter(|detection| detection.head.input == Input::Events) {
        let values = detection.head.parameters.iter();
        let values =
            values.map(|(name, parameter)| (name.clone(), parameter.value(None, now).unwrap()));
        all.push(Statement {
            name: format!("detection {}", detection.head.id),
            sql: detection.sql.clone(),
            values: values.collect(),
            of_pack: true,
        });
    }
    all
}

/// The time of all ages: the same for both sides.
fn now() -> DateTime<Utc> {
    "2026-11-25T00:00:00Z".parse().unwrap()
}

fn scopes() -> Vec<(&'static str, Scope)> {
    let middle: DateTime<Utc> = "2026-11-24T10:09:00Z".parse().unwrap();
    vec![
        ("everything", Scope::default()),
        ("from", Scope { from: Some(middle), ..Scope::default() }),
        (
            "period",
            Scope {
                from: Some(middle),
                to: Some(middle + TimeDelta::minutes(1)),
                ..Scope::default()
            },
        ),
        ("identity", Scope { identities: vec!["system:*".to_owned()], ..Scope::default() }),
        (
            "namespace",
            Scope { namespaces: vec!["kube-*".to_owned(), "web".to_owned()], ..Scope::default() },
        ),
        ("cluster", Scope { clusters: vec!["test".to_owned()], ..Scope::default() }),
    ]
}

/// What a comparison found.
#[derive(Default)]
struct Verdict {
    compared: usize,
    distributed: u64,
    fallen_back: BTreeMap<String, usize>,
    different: Vec<String>,
}

impl Verdict {
    /// Compares statements in one scope.
    async fn compare(
        &mut self,
        what: &str,
        local: &Session,
        cluster: &TestCluster,
        statements: &[&Statement],
    ) {
        let pack = Pack::built_in().unwrap();
        let remote = cluster.session(local);
        let [local, remote] = [local, &remote]
            .map(|session| (session.clone(), pack.prepare(session, now()).unwrap()));
        for statement in statements {
            let pick = |sessions: &(Session, Session)| {
                if statement.of_pack { sessions.1.clone() } else { sessions.0.clone() }
            };
            let expected = rows(&pick(&local), &statement.sql, &statement.values).await;
            let given = rows(&pick(&remote), &statement.sql, &statement.values).await;
            self.compared += 1;
            match (expected, given) {
                (Ok(expected), Ok(given)) if expected == given => {}
                (Ok(expected), Ok(given)) => {
                    let missing = expected.iter().find(|row| !given.contains(row));
                    let added = given.iter().find(|row| !expected.contains(row));
                    self.different.push(format!(
                        "{what}: {}: {} rows, not {}; missing {missing:?}, added {added:?}",
                        statement.name,
                        given.len(),
                        expected.len()
                    ));
                }
                (Err(_), Err(_)) => {}
                (expected, given) => self.different.push(format!(
                    "{what}: {}: {:?} / {:?}",
                    statement.name,
                    expected.map(|rows| rows.len()),
                    given.map(|rows| rows.len()),
                )),
            }
        }
    }

    fn add(&mut self, cluster: &TestCluster) {
        self.distributed += cluster.engine.tally().distributed;
        for warning in cluster.warnings() {
            *self.fallen_back.entry(warning).or_default() += 1;
        }
    }

    #[track_caller]
    fn check(&self, least_distributed: u64) {
        println!("{} comparisons, {} on workers", self.compared, self.distributed);
        for (warning, count) in &self.fallen_back {
            println!("{count} × {warning}");
        }
        assert!(
            self.different.is_empty(),
            "{} differ:\n{}",
            self.different.len(),
            self.different.join("\n")
        );
        assert!(self.distributed >= least_distributed, "only {} ran on workers", self.distributed);
    }
}

/// Whether a statement runs that the short form leaves out: with `PODTRAIL_GATE=full` all, which takes hours in a debug
/// build; else those with this name.
fn is_requested(statement: &Statement) -> bool {
    std::env::var("PODTRAIL_GATE").is_ok_and(|value| value == "full" || value == statement.name)
}

/// Every hard case, and one of twelve views, saved queries and detections; with `PODTRAIL_GATE=full`, all.
#[test]
#[ignore = "runs for minutes, with PODTRAIL_GATE=full for hours"]
fn statements_return_the_same_rows_on_two_workers() {
    const PARTS: usize = 12;
    run(|| async {
        let workers = [WorkerProcess::start(), WorkerProcess::start()];
        let cluster = TestCluster::of(&[&workers[0], &workers[1]]);
        let statements = statements();
        let chosen = statements.iter().enumerate().filter(|(number, statement)| {
            *number < HARD.len() || number % PARTS == 0 || is_requested(statement)
        });
        let chosen: Vec<_> = chosen.map(|(_, statement)| statement).collect();
        let mut verdict = Verdict::default();
        verdict.compare("2 workers", &session(Scope::default(), 2), &cluster, &chosen).await;
        verdict.add(&cluster);
        verdict.check(chosen.len() as u64 / 2);
    });
}

/// Every combination of workers, partitions and scopes, each with another part of the statements; with
/// `PODTRAIL_GATE=full`, with all.
#[test]
#[ignore = "runs for minutes, with PODTRAIL_GATE=full for hours"]
fn scopes_partitions_and_workers_make_no_difference() {
    const PARTS: usize = 288;
    run(|| async {
        let workers = [WorkerProcess::start(), WorkerProcess::start(), WorkerProcess::start()];
        let statements = statements();
        let mut verdict = Verdict::default();
        let mut part = 0;
        for count in [2, 3] {
            let used: Vec<_> = workers.iter().take(count).collect();
            for partitions in [1, 2, 4] {
                for (name, scope) in scopes() {
                    let cluster = TestCluster::of(&used);
                    let what = format!("{count} workers, {partitions} partitions, {name}");
                    let chosen = statements.iter().enumerate().filter(|(number, statement)| {
                        number % PARTS == part * 8 || is_requested(statement)
                    });
                    let chosen: Vec<_> = chosen.map(|(_, statement)| statement).collect();
                    verdict.compare(&what, &session(scope, partitions), &cluster, &chosen).await;
                    verdict.add(&cluster);
                    part += 1;
                }
            }
        }
        verdict.check(10);
    });
}

#[test]
#[ignore = "runs for minutes"]
fn a_hunt_that_reads_on_workers_has_the_same_findings() {
    run(|| async {
        let workers = [WorkerProcess::start(), WorkerProcess::start()];
        let cluster = TestCluster::of(&[&workers[0], &workers[1]]);
        let pack = Pack::built_in().unwrap();
        let version = LakeVersion::newest(lake());
        let open = || version.session(Scope::default(), Limits::for_hunt(Limits::HUNT)).unwrap();
        let expected = hunt(&open(), &pack, None, now()).await.unwrap();
        let given =
            hunt(&open().with_engine(cluster.engine.clone()), &pack, None, now()).await.unwrap();
        let failures: Vec<_> = given.failures.iter().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{failures:?}");
        let ids = |findings: &[podtrail_detect::Finding]| {
            let mut ids: Vec<_> = findings
                .iter()
                .map(|finding| {
                    format!("{} {} {:?}", finding.finding_id, finding.severity, finding.event_ids)
                })
                .collect();
            ids.sort();
            ids
        };
        assert!(!expected.findings.is_empty());
        assert_eq!(ids(&expected.findings), ids(&given.findings));
        let tally = cluster.engine.tally();
        let warnings = cluster.warnings();
        println!("{tally:?} {warnings:?}");
        // A part of a plan that is distributed on its own would fail, and fall back with another reason.
        assert!(warnings.iter().all(|warning| warning.contains("window function")), "{warnings:?}");
        assert!(tally.distributed > 0, "{tally:?}");
    });
}
