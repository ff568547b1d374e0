//! Every view, detection, saved query and hard case returns the rows on workers that it returns in one process.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

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
    "SELECT event_id, lag(namespace) IGNORE NULLS OVER (PARTITION BY username ORDER BY time, event_id, cluster) FROM stages",
    "SELECT event_id, last_value(namespace) IGNORE NULLS OVER (PARTITION BY username ORDER BY time, event_id, cluster) FROM stages",
    "SELECT event_id, nth_value(name, 2) OVER (PARTITION BY verb ORDER BY time DESC, event_id DESC, cluster DESC),
       nth_value(name, 2) OVER (PARTITION BY verb ORDER BY time, event_id, cluster ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM stages",
    "SELECT event_id, row_number() OVER (PARTITION BY verb ORDER BY time, event_id, cluster) FROM stages WHERE verb = 'get'",
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
        (
            "client address",
            Scope { client_ips: vec!["127.0.0.32/29".to_owned()], ..Scope::default() },
        ),
        ("cluster", Scope { clusters: vec!["test".to_owned()], ..Scope::default() }),
    ]
}

/// What the comparisons found.
#[derive(Default)]
struct Verdict {
    compared: usize,
    with_workers: usize,
    distributed: usize,
    /// Why queries ran in this process, and which.
    fallen_back: BTreeMap<String, BTreeSet<String>>,
    /// The statements that ran on workers in some combination, and all.
    on_workers: BTreeSet<String>,
    all: BTreeSet<String>,
    /// Statements that fail in one process, too.
    failed: BTreeSet<String>,
    different: Vec<String>,
}

/// The rows of one process, or its error.
type Expected = Result<Vec<String>, String>;

impl Verdict {
    async fn compare(
        &mut self,
        what: &str,
        statement: &Statement,
        expected: &Expected,
        session: &Session,
        cluster: Option<&TestCluster>,
    ) {
        let before = cluster.map(|cluster| cluster.engine.tally()).unwrap_or_default();
        let started = Instant::now();
        let given = rows(session, &statement.sql, &statement.values).await;
        if started.elapsed().as_secs() > 9 {
            println!("{what}: {}: {:?}", statement.name, started.elapsed());
        }
        self.compared += 1;
        if let Some(cluster) = cluster {
            let tally = cluster.engine.tally();
            self.with_workers += 1;
            self.all.insert(statement.name.clone());
            if tally.distributed > before.distributed {
                self.distributed += 1;
                self.on_workers.insert(statement.name.clone());
            } else if tally.fallen_back > before.fallen_back {
                let why = cluster.warnings().pop().unwrap_or_default();
                self.fallen_back.entry(why).or_default().insert(statement.name.clone());
            }
        }
        match (expected, given) {
            (Ok(expected), Ok(given)) if *expected == given => {}
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
            (Err(error), Err(_)) => {
                self.failed.insert(format!("{}: {error}", statement.name));
            }
            (expected, given) => self.different.push(format!(
                "{what}: {}: {:?}, not {:?}",
                statement.name,
                given.map(|rows| rows.len()),
                expected.as_ref().map(Vec::len),
            )),
        }
    }

    #[track_caller]
    fn check(&self) {
        println!(
            "{} comparisons, {} of them with workers, {} on workers",
            self.compared, self.with_workers, self.distributed
        );
        for (warning, names) in &self.fallen_back {
            println!("{warning}: {names:?}");
        }
        println!("never on workers: {:?}", self.all.difference(&self.on_workers));
        println!("failed on both sides: {:?}", self.failed);
        assert!(
            self.different.is_empty(),
            "{} differ:\n{}",
            self.different.len(),
            self.different.join("\n")
        );
    }
}

/// Which statements run in which combination.
enum Choice {
    /// Of this number of statements one, in each combination another.
    OneOf(usize),
    /// Those with this name.
    Named(String),
}

/// Where a statement would run.
#[derive(Clone, Copy)]
struct At {
    /// The number of the statement.
    number: usize,
    scope: usize,
    scopes: usize,
    /// The number of the combination of scope, workers and partitions.
    combination: usize,
}

impl Choice {
    /// What `PODTRAIL_GATE` asks for: a number, 1 for all, or a name.
    fn requested() -> Self {
        const SHORT: usize = 48;
        match std::env::var("PODTRAIL_GATE") {
            Err(_) => Self::OneOf(SHORT),
            Ok(text) => text.parse().map_or(Self::Named(text), Self::OneOf),
        }
    }

    /// `scope` is the number of a scope of `scopes`. A detection runs in one of them, and in all combinations of workers and
    /// partitions: outside a hunt, which caches rows, each reads the lake many times.
    fn includes(&self, statement: &Statement, at: At) -> bool {
        match self {
            Self::OneOf(parts) => {
                let of_scope = !statement.of_pack || at.number % at.scopes == at.scope;
                of_scope && (at.number / at.scopes + at.combination * 7).is_multiple_of(*parts)
            }
            Self::Named(name) => statement.name == *name,
        }
    }
}

/// Every combination of workers, partitions and scopes (of a detection: of workers and partitions), each with another part of
/// the statements; with `PODTRAIL_GATE=1` all, with `PODTRAIL_GATE=NAME` that one. The lake is that of `PODTRAIL_GATE_LAKE`, if
/// it is set, such as one in S3.
#[test]
#[ignore = "runs for minutes, with PODTRAIL_GATE=1 for half an hour in a release build"]
fn statements_return_the_same_rows_on_workers() {
    run(|| async {
        let workers = [WorkerProcess::start(), WorkerProcess::start(), WorkerProcess::start()];
        let statements = statements();
        let choice = Choice::requested();
        let pack = Pack::built_in().unwrap();
        let mut verdict = Verdict::default();
        let mut combination = 0;
        let scopes = scopes();
        let count_of_scopes = scopes.len();
        for (scope_number, (scope_name, scope)) in scopes.into_iter().enumerate() {
            // One process with one partition is the reference: the order of its rows does not depend on threads.
            let mut expected = BTreeMap::<usize, Expected>::new();
            let reference = sessions(&pack, session(scope.clone(), 1));
            for count in [0, 2, 3] {
                let used: Vec<_> = workers.iter().take(count).collect();
                for partitions in [1, 2, 4] {
                    if count == 0 && partitions != 4 {
                        continue;
                    }
                    let cluster = (count > 0).then(|| TestCluster::of(&used));
                    let local = session(scope.clone(), partitions);
                    let engine = cluster.as_ref().map_or(local.clone(), |c| c.session(&local));
                    let given = sessions(&pack, engine);
                    let what = format!("{scope_name}, {count} workers, {partitions} partitions");
                    let started = Instant::now();
                    let before = verdict.compared;
                    for (number, statement) in statements.iter().enumerate() {
                        let (scope, scopes) = (scope_number, count_of_scopes);
                        if !choice.includes(statement, At { number, scope, scopes, combination }) {
                            continue;
                        }
                        if let Entry::Vacant(unknown) = expected.entry(number) {
                            let session = &reference[usize::from(statement.of_pack)];
                            let found = rows(session, &statement.sql, &statement.values).await;
                            unknown.insert(found.map_err(|error| error.to_string()));
                        }
                        let session = &given[usize::from(statement.of_pack)];
                        let expected = &expected[&number];
                        verdict
                            .compare(&what, statement, expected, session, cluster.as_ref())
                            .await;
                    }
                    println!("{what}: {} in {:?}", verdict.compared - before, started.elapsed());
                    combination += 1;
                }
            }
        }
        verdict.check();
        // Plans that fall back would be equal without a proof.
        if matches!(choice, Choice::OneOf(_)) {
            assert!(verdict.distributed * 10 >= verdict.with_workers * 8, "few ran on workers");
        }
    });
}

/// Returns a session, and the same with the tables and views of the pack.
fn sessions(pack: &Pack, session: Session) -> [Session; 2] {
    let prepared = pack.prepare(&session, now()).unwrap();
    [session, prepared]
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
        assert!(
            warnings.iter().all(|warning| warning.contains("would read another plan")),
            "{warnings:?}"
        );
        assert!(tally.distributed > 0, "{tally:?}");
    });
}
