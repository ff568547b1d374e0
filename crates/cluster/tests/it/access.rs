//! Tokens and TLS.

use podtrail_cluster::{Access, Worker, WorkerOptions};
use podtrail_query::{Parameters, QueryError, Scope};

use crate::support::{TestCluster, WorkerProcess, access, certificates, rows, run, session};

const SQL: &str = "SELECT verb, count(*) FROM stages GROUP BY verb";

/// Runs a query on one worker, with an access, and without falling back.
async fn ask(worker: &WorkerProcess, access: Access) -> Result<Vec<String>, QueryError> {
    let cluster = TestCluster::new(&[worker], |options| {
        options.access = access;
        options.strict = true;
    });
    let given =
        rows(&cluster.session(&session(Scope::default(), 2)), SQL, &Parameters::default()).await;
    assert_eq!(given.is_ok(), cluster.engine.tally().distributed == 1);
    given
}

#[test]
fn workers_with_tls_serve_who_has_the_token_and_trusts_them() {
    run(|| async {
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        std::fs::write(&token, "a token of the tests\n".replace(' ', "-")).unwrap();
        let worker = WorkerProcess::with_tls(dir.path());
        let expected =
            rows(&session(Scope::default(), 2), SQL, &Parameters::default()).await.unwrap();
        assert_eq!(ask(&worker, access(dir.path())).await.unwrap(), expected);

        let authority = certificates().join("authority.pem");
        let without = Access::default().with_authority(&authority).unwrap();
        let error = ask(&worker, without).await.unwrap_err().to_string();
        assert!(error.contains("token is missing or wrong"), "{error}");

        let other = dir.path().join("other");
        std::fs::write(&other, "another-token-of-the-tests").unwrap();
        let wrong =
            Access::default().with_authority(&authority).unwrap().with_token(&other).unwrap();
        let error = ask(&worker, wrong).await.unwrap_err().to_string();
        assert!(error.contains("token is missing or wrong"), "{error}");

        let stranger = certificates().join("stranger.pem");
        let stranger =
            Access::default().with_authority(&stranger).unwrap().with_token(&token).unwrap();
        let error = ask(&worker, stranger).await.unwrap_err().to_string();
        assert!(error.contains("certificate"), "{error}");

        let error = ask(&worker, Access::default().with_token(&token).unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("no worker can be used"), "{error}");

        let named = access(dir.path()).with_server_name("workers.test".to_owned());
        assert_eq!(ask(&worker, named).await.unwrap(), expected);
        let misnamed = access(dir.path()).with_server_name("elsewhere.test".to_owned());
        assert!(ask(&worker, misnamed).await.is_err());
    });
}

#[test]
fn client_certificates_can_be_required() {
    run(|| async {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "a-token-of-the-tests").unwrap();
        let options = WorkerOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            memory: 1 << 30,
            spill_dir: Some(dir.path().to_owned()),
            access: access(dir.path()),
            client_certificates: true,
        };
        let worker = Worker::listen(options).await.unwrap();
        let address = worker.address().unwrap().to_string();
        let serve = tokio::spawn(worker.serve(std::future::pending()));
        let ask = async |access: Access| {
            let workers = podtrail_cluster::Workers::List(vec![address.clone()]);
            let cluster = TestCluster::new(&[], |options| {
                options.workers = workers;
                options.access = access;
                options.strict = true;
            });
            rows(&cluster.session(&session(Scope::default(), 2)), SQL, &Parameters::default()).await
        };
        ask(access(dir.path())).await.unwrap();
        let token = dir.path().join("token");
        let authority = certificates().join("authority.pem");
        let bare =
            Access::default().with_token(&token).unwrap().with_authority(&authority).unwrap();
        let (certificate, key) =
            (certificates().join("other.pem"), certificates().join("other.key"));
        let foreign = bare.clone().with_identity(&certificate, &key).unwrap();
        assert!(ask(bare).await.is_err());
        assert!(ask(foreign).await.is_err());
        serve.abort();
    });
}

#[test]
fn workers_that_other_machines_reach_need_tls_and_a_token() {
    run(|| async {
        let options = WorkerOptions {
            listen: "0.0.0.0:0".parse().unwrap(),
            memory: 1 << 30,
            spill_dir: None,
            access: Access::default(),
            client_certificates: false,
        };
        let error = Worker::listen(options).await.err().unwrap().to_string();
        assert!(error.contains("TLS and a token are required"), "{error}");
    });
}
