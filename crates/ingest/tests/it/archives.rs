//! Archives, and nested archives: every member is a separate log, or is reported.

use arrow::array::AsArray;
use podtrail_ingest::{Input, Options};
use sha2::Digest;

use crate::support::{
    Folder, Row, bzip2, event, gzip, lines, lz4, messages, run, run_stream, tar, xz, zip, zstd,
};

fn log(ids: std::ops::Range<usize>) -> Vec<u8> {
    lines(ids.map(event))
}

/// The origin of the rows: file name, line, audit ID.
fn places(rows: &[Row]) -> Vec<(&str, i64, &str)> {
    rows.iter()
        .map(|row| {
            let name = row.file.rsplit_once("/a.").map_or(&row.file[..], |(_, name)| name);
            (name, row.line, &row.audit_id[..])
        })
        .collect()
}

#[test]
fn members_are_sources() {
    let (one, two) = (log(0..2), gzip(&log(2..3)));
    let members = [("dir/one.log", &one[..]), ("two.log.gz", &two)];
    let table = [
        ("tar", tar(members)),
        ("tar", gzip(&tar(members))),
        ("tar", xz(&tar(members))),
        ("tar", bzip2(&tar(members))),
        ("tar", zstd(&tar(members))),
        ("tar", lz4(&tar(members))),
        ("zip", zip(members)),
        ("zip", gzip(&zip(members))),
    ];
    for (what, bytes) in table {
        let folder = Folder::new().with("a.x", &bytes);
        let (memory, summary) = run(&[folder.input()], &Options::default());
        let expected = [
            ("x!dir/one.log", 1, "id-0"),
            ("x!dir/one.log", 2, "id-1"),
            ("x!two.log.gz", 1, "id-2"),
        ];
        assert_eq!(places(&memory.rows()), expected, "{what}: {summary:?}");
        assert_eq!(memory.rows()[1].offset, i64::try_from(one.len() / 2).expect("an offset"));
        assert!(summary.problems.is_empty(), "{what}: {summary:?}");
        assert!(summary.notes.is_empty(), "{what}: {summary:?}");
        assert_eq!(summary.files, 2);
        assert_eq!(summary.bytes_read, bytes.len() as u64, "{what}");

        let digest = format!("{:x}", sha2::Sha256::digest(&bytes));
        for batch in &memory.batches {
            let column = batch.column_by_name("source_sha256").expect("a column");
            assert!(column.as_string::<i32>().iter().all(|value| value == Some(&digest)));
        }

        let (memory, _) = run_stream(bytes, &Options::default());
        assert_eq!(memory.rows()[2].file, "-!two.log.gz", "{what} from a stream");
    }
}

#[test]
fn archives_in_archives() {
    let inner = tar([("audit.log", &log(0..1)[..])]);
    let gzipped = gzip(&inner);
    let zipped = zip([("node.tar.gz", &gzipped[..]), ("b.log", &log(1..2))]);
    let outer = gzip(&tar([("c.zip", &zipped[..]), ("d.log", &log(2..3))]));
    let (memory, summary) = run_stream(outer, &Options::default());
    let names: Vec<_> = memory.rows().into_iter().map(|row| row.file).collect();
    assert_eq!(names, ["-!c.zip!b.log", "-!c.zip!node.tar.gz!audit.log", "-!d.log"], "{summary:?}");

    let mut deep = log(0..1);
    for _ in 0..4 {
        deep = tar([("x", &deep[..])]);
    }
    let (memory, _) = run_stream(deep.clone(), &Options::default());
    assert_eq!(memory.rows()[0].file, "-!x!x!x!x");
    let (_, summary) = run_stream(tar([("x", &deep[..])]), &Options::default());
    let expected = ["-!x!x!x!x: not an audit log: archives nested too deeply"];
    assert_eq!(messages(&summary.problems), expected);
}

/// Concatenated archives are all read.
#[test]
fn concatenated_tars() {
    let both = [tar([("a", &log(0..1)[..])]), tar([("b", &log(1..2)[..])])].concat();
    let (memory, summary) = run_stream(both, &Options::default());
    assert_eq!(memory.audit_ids(), ["id-0", "id-1"]);
    assert!(summary.problems.is_empty(), "{summary:?}");
}

#[test]
fn members_that_are_not_files_are_skipped() {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (kind, name) in [
        (::tar::EntryType::Directory, "folder/"),
        (::tar::EntryType::Symlink, "link"),
        (::tar::EntryType::Link, "hard"),
        (::tar::EntryType::Char, "device"),
        (::tar::EntryType::Fifo, "pipe"),
    ] {
        let mut header = ::tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        if kind.is_symlink() || kind.is_hard_link() {
            builder.append_link(&mut header, name, "/etc/passwd").expect("memory");
        } else {
            builder.append_data(&mut header, name, std::io::empty()).expect("memory");
        }
    }
    let mut header = ::tar::Header::new_gnu();
    let bytes = log(0..1);
    header.set_size(bytes.len() as u64);
    let long = "long/".repeat(50);
    builder.append_data(&mut header, format!("{long}name"), &bytes[..]).expect("memory");
    let (memory, summary) = run_stream(builder.into_inner().expect("memory"), &Options::default());
    assert_eq!(memory.rows()[0].file, format!("-!{long}name"));
    assert!(summary.problems.is_empty() && summary.notes.is_empty(), "{summary:?}");
}

/// Names of members are never used as paths.
#[test]
fn hostile_names() {
    let folder = Folder::new();
    let secret = folder.path("outside");
    let absolute = secret.to_string_lossy().into_owned();
    let escape = "\u{1b}[2J\n\u{202e}";
    let names = ["../../outside", "/outside", "a!b", escape];
    let logs: Vec<_> = (0..names.len()).map(|id| log(id..id + 1)).collect();
    let members: Vec<_> = names.iter().copied().zip(logs.iter().map(|log| &log[..])).collect();
    for archive in [tar(members.iter().copied().take(3)), zip(members.clone())] {
        let folder = Folder::new().with("logs/a.x", archive);
        let (memory, summary) = run(&[folder.input()], &Options::default());
        assert!(summary.problems.is_empty(), "{summary:?}");
        assert!(
            places(&memory.rows()).contains(&("x!../../outside", 1, "id-0")),
            "{:?}",
            memory.rows()
        );
        let files = walkdir::WalkDir::new(folder.root()).into_iter().filter_map(Result::ok);
        assert_eq!(files.filter(|entry| entry.file_type().is_file()).count(), 1);
    }
    assert!(!secret.exists(), "{absolute}");

    let long = "n".repeat(100_000);
    let (memory, _) = run_stream(tar([(&long[..], &log(0..1)[..])]), &Options::default());
    assert!(memory.rows()[0].file.len() < 2000);
}

/// A bundle of thousands of other files is reported in a few lines.
#[test]
fn other_members_are_summarised() {
    let bytes = log(0..1);
    let foreign: Vec<_> = (0..1000).map(|at| format!("manifests/{at:04}.yaml")).collect();
    let empty: Vec<_> = (0..100).map(|at| format!("empty/{at:02}")).collect();
    let members = foreign.iter().map(|name| (&name[..], &b"kind: Pod\n"[..]));
    let members = members.chain(empty.iter().map(|name| (&name[..], &b""[..])));
    let members: Vec<_> = members.chain([("audit.log", &bytes[..])]).collect();
    for archive in [tar(members.iter().copied()), zip(members.iter().copied())] {
        let (memory, summary) = run_stream(archive, &Options::default());
        assert_eq!(memory.audit_ids(), ["id-0"]);
        let reported = messages(&summary.problems);
        assert_eq!(reported.len(), 6, "{reported:?}");
        assert_eq!(reported[0], "0000.yaml: not an audit log: YAML text");
        assert_eq!(reported[5], "-: 995 more members are not audit logs");
        let noted = messages(&summary.notes);
        assert_eq!((noted.len(), &noted[5][..]), (6, "-: 95 more members are empty"));
        assert_eq!(summary.files, 101);
    }
}

#[test]
fn many_members() {
    let bytes = log(7..8);
    let names: Vec<_> = (0..10_000).map(|at| format!("{at}")).collect();
    let other = &b"{\"kind\":\"Pod\"}\n"[..];
    let members = names.iter().enumerate();
    let archive =
        tar(members.map(|(at, name)| (&name[..], if at % 100 == 0 { &bytes } else { other })));
    let (memory, summary) = run_stream(gzip(&archive), &Options::default());
    assert_eq!(memory.rows().len(), 100);
    assert_eq!(summary.files, 100);
    assert_eq!(messages(&summary.problems)[5], "-: 9895 more members are not audit logs");
}

#[test]
fn quarantined_records_of_many_members() {
    let bad = [&log(0..1)[..], b"oops\n", b"oops\n"].concat();
    let names: Vec<_> = (0..20).map(|at| format!("{at:02}.log")).collect();
    let (memory, summary) =
        run_stream(tar(names.iter().map(|name| (&name[..], &bad[..]))), &Options::default());
    assert_eq!(memory.quarantine.len(), 40);
    let reported: Vec<_> = summary.problems.iter().map(ToString::to_string).collect();
    assert_eq!(reported.len(), 6, "{reported:?}");
    assert!(reported[2].starts_with("-!01.log:2: quarantined"), "{reported:?}");
    assert_eq!(reported[5], "-: 35 more records quarantined");
}

#[test]
fn damage_in_a_member_affects_only_the_member() {
    let mut broken = gzip(&log(0..2000));
    let middle = broken.len() / 2;
    broken[middle..middle + 8].fill(0xff);
    let members = [("a.gz", &broken[..]), ("b.log", &log(5000..5001)[..])];
    for archive in [tar(members), zip(members)] {
        let (memory, summary) = run_stream(archive, &Options::default());
        let ids = memory.audit_ids();
        assert!(ids.len() > 500 && ids.contains(&"id-5000".to_owned()), "{summary:?}");
        let reported: Vec<_> =
            summary.problems.iter().filter(|p| p.message.contains("gzip")).collect();
        let [problem] = reported[..] else { panic!("one problem: {summary:?}") };
        assert!(problem.file == "-!a.gz" && problem.offset.is_some(), "{problem:?}");
    }
}

#[test]
fn a_truncated_tar_keeps_earlier_members() {
    let (one, two) = (log(0..10), log(10..20));
    let whole = tar([("one", &one[..]), ("two", &two[..]), ("other", b"text")]);
    let second = 512 + one.len().next_multiple_of(512);
    let third = second + 512 + two.len().next_multiple_of(512);
    for (keep, events, file, reason) in [
        (second + 512 + two.len() / 2, 15, "-!two", "the tar archive ends unexpectedly after "),
        (second + 100, 10, "-", "failed to read entire block at byte "),
        (third + 512 + 2, 20, "-", "the tar archive ends unexpectedly at byte "),
    ] {
        let (memory, summary) = run_stream(&whole[..keep], &Options::default());
        assert!(memory.rows().len().abs_diff(events) <= 1, "{keep}: {summary:?}");
        let reported: Vec<_> =
            summary.problems.iter().filter(|p| p.message.starts_with(reason)).collect();
        let [problem] = reported[..] else { panic!("one problem: {summary:?}") };
        assert_eq!(problem.file, file);
    }

    let mut broken = whole.clone();
    broken[second + 3] ^= 1;
    let (memory, summary) = run_stream(gzip(&broken), &Options::default());
    assert_eq!(memory.rows().len(), 10);
    let expected = format!(
        "-: archive header checksum mismatch at byte {} of the archive; the members before it were read",
        second + 512
    );
    assert_eq!(messages(&summary.problems), [expected]);

    // Damage beneath the archive is reported once, for the log that it truncates.
    let compressed = gzip(&whole);
    let (memory, summary) = run_stream(&compressed[..compressed.len() / 2], &Options::default());
    assert!(memory.rows().len() < 20);
    let reported: Vec<_> = summary.problems.iter().filter(|p| p.message.contains("gzip")).collect();
    assert_eq!(reported.len(), 1, "{summary:?}");
}

#[test]
fn trailing_bytes_after_a_tar() {
    let archive = [tar([("a", &log(0..1)[..])]), b"rubbish".repeat(100)].concat();
    let (memory, summary) = run_stream(archive, &Options::default());
    assert_eq!(memory.rows().len(), 1);
    assert_eq!(summary.problems.len(), 1, "{summary:?}");
}

/// A header that claims a name as long as a disk.
#[test]
fn an_endless_member_name() {
    let mut header = ::tar::Header::new_gnu();
    header.set_path("././@LongLink").expect("short");
    header.set_entry_type(::tar::EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let mut archive = tar([("a", &log(0..1)[..])]);
    archive.truncate(archive.len() - 1024);
    archive.extend_from_slice(header.as_bytes());
    archive.resize(archive.len() + 10_000_000, b'n');
    let (memory, summary) = run_stream(gzip(&archive), &Options::default());
    assert_eq!(memory.rows().len(), 1);
    let reported = messages(&summary.problems);
    assert!(reported[0].starts_with("-: tar header is too long"), "{reported:?}");
}

#[test]
fn zips_that_cannot_be_read() {
    let bytes = log(0..100);
    let whole = zip([("a.log", &bytes[..]), ("b.log", &log(100..101)[..])]);
    let (memory, summary) = run_stream(&whole[..whole.len() - 30], &Options::default());
    assert!(memory.rows().is_empty());
    let reported = messages(&summary.problems);
    assert!(
        reported.len() == 1 && reported[0].ends_with("repair it first (zip -FF)"),
        "{reported:?}"
    );

    // The flag of the directory entry of a.log; its signature is PK\x01\x02.
    let directory = memchr::memmem::find(&whole, b"PK\x01\x02").expect("a directory");
    let mut encrypted = whole.clone();
    encrypted[directory + 8] |= 1;
    let mut odd_method = whole.clone();
    odd_method[directory + 10] = 98;
    let mut wrong_checksum = whole.clone();
    wrong_checksum[directory + 16] ^= 1;
    for (archive, events, reason) in [
        (encrypted, 1, "encrypted: unpack the archive with its password first"),
        (odd_method, 1, "unsupported zip compression method 98: unpack the archive first"),
        (wrong_checksum, 101, "the zip data is damaged (Invalid checksum: "),
    ] {
        let folder = Folder::new().with("a.zip", archive);
        let (memory, summary) = run(&[Input::Path(folder.path("a.zip"))], &Options::default());
        assert_eq!(memory.rows().len(), events, "{summary:?}");
        let [problem] = &summary.problems[..] else { panic!("one problem: {summary:?}") };
        assert!(problem.file.ends_with("a.zip!a.log"), "{problem:?}");
        assert!(problem.message.starts_with(reason), "{problem:?}");
    }
}

/// The limit applies to all members together.
#[test]
fn a_zip_bomb() {
    let zeros = vec![b' '; 1_000_000];
    let bytes = log(0..10);
    let members = [("a.log", &bytes[..]), ("b", &zeros), ("c", &zeros), ("d.log", &bytes)];
    let options = Options { max_expanded_bytes: 1_500_000, ..Options::default() };
    let (memory, summary) = run_stream(zip(members), &options);
    assert_eq!(memory.rows().len(), 10);
    let reported = messages(&summary.problems);
    assert!(
        reported.len() == 1 && reported[0].starts_with("-!c: decompressed size exceeds"),
        "{reported:?}"
    );
}

#[test]
fn empty_archives() {
    let empty = zip([]);
    let (_, summary) = run_stream(empty, &Options::default());
    assert_eq!(messages(&summary.notes), ["-: empty archive"]);
    assert!(summary.problems.is_empty(), "{summary:?}");
}
