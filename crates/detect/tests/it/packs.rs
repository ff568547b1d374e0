//! Detections as files: required headers, and folders that extend the built-in pack.

use podtrail_detect::{Detection, HeadError, Pack, PackError, Severity};

use crate::support::{detection, folder};

const SQL: &str = "SELECT event_id, 'x' AS reason FROM events";

fn error(text: &str) -> HeadError {
    Detection::parse("my-rule", text).unwrap_err()
}

#[test]
fn a_detection_is_a_header_and_a_query() {
    let text = detection("my-rule", &format!("{SQL};\n"));
    let detection = Detection::parse("my-rule", &text).unwrap();
    assert_eq!(detection.head.id, "my-rule");
    assert_eq!(detection.head.severity, Severity::Low);
    assert_eq!(detection.head.version, 1);
    assert_eq!(detection.sql, SQL);
}

#[test]
fn a_file_without_header_or_query_is_rejected() {
    assert!(matches!(error(SQL), HeadError::NoHead));
    assert!(matches!(error(""), HeadError::NoHead));
    assert!(matches!(error("/* id: my-rule"), HeadError::NoHead));
    assert!(matches!(error(&detection("my-rule", "")), HeadError::NoQuery));
    assert!(matches!(error(&detection("my-rule", " ; ")), HeadError::NoQuery));
}

#[test]
fn a_header_has_only_known_keys() {
    let good = detection("my-rule", SQL);
    for (from, to, message) in [
        ("title:", "titel:", "titel"),
        ("title: Test\n", "", "title"),
        ("severity: low", "severity: urgent", "urgent"),
        (
            "description:",
            "parameters: {n: {type: integer, description: x}}\ndescription:",
            "default",
        ),
        ("description:", "parameters: {n: {type: float, default: 1}}\ndescription:", "float"),
    ] {
        let text = good.replace(from, to);
        assert_ne!(text, good);
        let error = error(&text);
        assert!(matches!(error, HeadError::Yaml(_)), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn an_id_is_the_file_name_in_lower_case_with_hyphens() {
    for (name, id) in [("my-rule", "other-rule"), ("My-Rule", "My-Rule"), ("a_b", "a_b")] {
        let error = Detection::parse(name, &detection(id, SQL)).unwrap_err();
        assert!(matches!(&error, HeadError::Id(wrong) if wrong == id), "{error}");
    }
}

#[test]
fn a_technique_id_has_the_format_of_attack() {
    for wrong in ["T161", "T16100", "1610", "t1610", "T1610.1", "T1610.0010", "T1610.", "TA0002"] {
        let text = detection("my-rule", SQL).replace("[T1610]", &format!("[T1610, '{wrong}']"));
        let error = error(&text);
        assert!(matches!(&error, HeadError::Attack(id) if id == wrong), "{error}");
    }
    let text = detection("my-rule", SQL).replace("[T1610]", "[T1610, T1053.007]");
    assert!(Detection::parse("my-rule", &text).is_ok());
}

#[test]
fn a_folder_extends_the_built_in_pack() {
    let mut pack = Pack::built_in().unwrap();
    let before = pack.detections().count();
    let own = folder(&[
        ("workload/privileged-container.sql", &detection("privileged-container", SQL)),
        ("mine/my-rule.sql", &detection("my-rule", SQL)),
        ("notes.txt", "not a detection"),
    ]);
    pack.add_folder(own.path()).unwrap();
    assert_eq!(pack.detections().count(), before + 1);
    assert_eq!(pack.get("privileged-container").unwrap().sql, SQL);
    assert!(pack.get("my-rule").is_some());
    assert!(pack.get("host-namespaces").is_some());
}

#[test]
fn texts_of_the_family_are_combined_with_those_of_the_detection() {
    let own = folder(&[
        (
            "mine/family.yaml",
            "title: Own rules\nblind_spots: Writes without bodies.\ntriage: [SELECT 1]\n",
        ),
        ("mine/my-rule.sql", &detection("my-rule", SQL)),
        ("other/other-rule.sql", &detection("other-rule", SQL)),
    ]);
    let mut pack = Pack::default();
    pack.add_folder(own.path()).unwrap();
    let heads: Vec<_> = ["my-rule", "other-rule"].map(|id| &pack.get(id).unwrap().head).into();
    assert_eq!(pack.family_title("mine"), "Own rules");
    let spots = heads[0].blind_spots.as_deref().unwrap();
    assert!(spots.starts_with("Writes without bodies."), "{spots}");
    assert_eq!(heads[0].triage.last().map(String::as_str), Some("SELECT 1"));
    assert_eq!(heads[0].triage.len(), heads[1].triage.len() + 1);

    let unknown = folder(&[("mine/family.yaml", "titel: Own rules\n")]);
    let error = Pack::default().add_folder(unknown.path()).unwrap_err();
    assert!(error.to_string().contains("titel"), "{error}");
}

#[tokio::test]
async fn a_detection_is_found_by_its_former_ids() {
    let head = "aliases: [older-rule, oldest-rule]\ntitle:";
    let text = detection("my-rule", SQL).replace("title:", head);
    let own = folder(&[("mine/my-rule.sql", &text)]);
    let mut pack = Pack::default();
    pack.add_folder(own.path()).unwrap();
    for id in ["my-rule", "older-rule", "oldest-rule"] {
        assert_eq!(pack.get(id).unwrap().head.id, "my-rule");
        assert_eq!(pack.only(id).detections().count(), 1);
    }
    assert!(pack.get("old").is_none());

    // A detection's own id precedes another's alias, which lint reports.
    let other = folder(&[("mine/older-rule.sql", &detection("older-rule", SQL))]);
    pack.add_folder(other.path()).unwrap();
    assert_eq!(pack.get("older-rule").unwrap().head.id, "older-rule");
    let problems = podtrail_detect::lint(&pack).await.unwrap();
    let message = "alias 'older-rule' belongs to another detection";
    assert!(problems.iter().any(|problem| problem.message == message));

    let wrong = detection("my-rule", SQL).replace("title:", "aliases: [Older]\ntitle:");
    assert!(matches!(error(&wrong), HeadError::Alias(alias) if alias == "Older"));
}

#[test]
fn a_single_detection_is_selected() {
    let pack = Pack::built_in().unwrap();
    let ids: Vec<_> = pack
        .only("host-namespaces")
        .detections()
        .map(|detection| detection.head.id.clone())
        .collect();
    assert_eq!(ids, ["host-namespaces"]);
    assert_eq!(pack.only("no-such-rule").detections().count(), 0);
}

#[test]
fn a_folder_without_detections_is_named() {
    let add = |path: &std::path::Path| Pack::default().add_folder(path).unwrap_err();
    let empty = folder(&[("notes.txt", "nothing here")]);
    let error = add(empty.path());
    assert!(matches!(error, PackError::Empty(_)), "{error}");
    assert!(error.to_string().contains(&*empty.path().to_string_lossy()), "{error}");

    let missing = empty.path().join("missing");
    let error = add(&missing);
    assert!(matches!(error, PackError::Read { .. }), "{error}");
    assert!(error.to_string().contains(&*missing.to_string_lossy()), "{error}");

    let broken = folder(&[("workload/my-rule.sql", SQL)]);
    let error = add(broken.path());
    assert!(matches!(error, PackError::Head { source: HeadError::NoHead, .. }), "{error}");
    let path = broken.path().join("workload/my-rule.sql");
    assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
}

#[tokio::test]
async fn a_query_that_ignores_apply_patches_is_reported() {
    let lint_of = async |condition: &str| {
        let sql = format!("SELECT event_id, 'x' AS reason FROM events WHERE {condition}");
        let own = folder(&[("queries/my-rule.sql", &detection("my-rule", &sql))]);
        let mut pack = Pack::default();
        pack.add_folder(own.path()).unwrap();
        let problems = podtrail_detect::lint(&pack).await.unwrap();
        problems.iter().any(|problem| problem.message.contains("server-side apply"))
    };
    for misses in [
        "verb = 'create'",
        "'create' = verb AND resource = 'pods'",
        "verb <> 'create'",
        "verb IN ('create', 'delete') AND subresource IS NULL",
        "verb = 'create' OR resource IN ('pods', 'tokenreviews')",
    ] {
        assert!(lint_of(misses).await, "{misses}");
    }
    for sees in [
        "created",
        "verb IN ('create', 'update', 'patch')",
        "verb = 'delete'",
        "verb = 'create' AND subresource = 'token'",
        "verb = 'create' AND resource IN ('tokenreviews', 'subjectaccessreviews')",
    ] {
        assert!(!lint_of(sees).await, "{sees}");
    }
}

#[tokio::test]
async fn a_column_that_no_detection_reads_is_reported() {
    let own = folder(&[
        ("queries/my-rule.sql", &detection("my-rule", SQL)),
        (
            "tables/unread_columns.csv",
            "# source: test\nview,column,why\nvolumes,host_path_type,a path is a path\nvolumes,name,it is a name\n",
        ),
        ("views/of_volumes.sql", "SELECT event_id, name, image_reference FROM volumes"),
    ]);
    let mut pack = Pack::default();
    pack.add_folder(own.path()).unwrap();
    let problems = podtrail_detect::lint(&pack).await.unwrap();
    let of_volumes: Vec<_> =
        problems.iter().filter(|problem| problem.detection == "volumes").collect();
    let names = |column: &str| {
        of_volumes.iter().any(|problem| problem.message.contains(&format!("'{column}'")))
    };
    assert!(names("git_directory"), "{of_volumes:?}");
    assert!(!names("image_reference"), "{of_volumes:?}");
    assert!(!names("host_path_type"), "{of_volumes:?}");
    // A column that is read must not be listed as unread.
    assert!(names("name"), "{of_volumes:?}");
}
