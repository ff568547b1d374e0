//! The key of a lake's redactions.

use std::fs;

use podtrail_lake::{Lake, LakeError};

use crate::support::{OnDisk, lake};

#[tokio::test(flavor = "multi_thread")]
async fn each_lake_has_one_key_of_its_own() {
    let (dir, lake) = lake().await;
    let keys = std::thread::scope(|threads| {
        let racing: Vec<_> =
            (0..8).map(|_| threads.spawn(|| lake.redaction_key().unwrap())).collect();
        racing.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let key = Lake::open(lake.dir()).unwrap().redaction_key().unwrap();
    assert!(keys.iter().all(|other| *other == key));
    assert_eq!(fs::read_to_string(lake.dir().join("redaction.key")).unwrap().trim(), key.to_hex());
    let (_other_dir, other) = crate::support::lake().await;
    assert_ne!(other.redaction_key().unwrap(), key);
    drop(dir);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_may_read_the_key() {
    use std::os::unix::fs::PermissionsExt;

    let (_dir, lake) = lake().await;
    lake.redaction_key().unwrap();
    let mode = fs::metadata(lake.dir().join("redaction.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_key_is_not_replaced() {
    let (_dir, lake) = lake().await;
    for damaged in [&b""[..], b"0123", b"\xff\xfe", &[b'g'; 64]] {
        fs::write(lake.dir().join("redaction.key"), damaged).unwrap();
        let error = lake.redaction_key().unwrap_err();
        assert!(matches!(error, LakeError::RedactionKey { .. }), "{error:?}");
        assert_eq!(fs::read(lake.dir().join("redaction.key")).unwrap(), damaged);
    }
}
