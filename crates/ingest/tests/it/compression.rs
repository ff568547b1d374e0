//! Compression is seen by content, and a broken tail costs the tail.

use arrow::array::AsArray;
use podtrail_ingest::{Input, Options};
use sha2::Digest;

use crate::support::{Folder, event, gzip, lines, messages, run, run_stream, zstd};

fn log(ids: std::ops::Range<usize>) -> Vec<u8> {
    lines(ids.map(event))
}

#[test]
fn by_content() {
    let two_members = [gzip(&log(0..50)), gzip(&log(50..100))].concat();
    let split_line = {
        let whole = log(0..100);
        let (head, tail) = whole.split_at(whole.len() / 2);
        [gzip(head), gzip(tail)].concat()
    };
    let frames = [zstd(&log(0..50)), zstd(&log(50..100))].concat();
    let table = [
        ("plain", log(0..100)),
        ("gzip", gzip(&log(0..100))),
        ("two members", two_members),
        ("a line over two members", split_line),
        ("zstd", zstd(&log(0..100))),
        ("two frames", frames),
        ("gzip in gzip", gzip(&gzip(&log(0..100)))),
        ("gzip in zstd", zstd(&gzip(&log(0..100)))),
    ];
    for (name, bytes) in table {
        for file in ["audit.log", "audit.log.gz", "audit.zst", "x"] {
            let folder = Folder::new().with(file, &bytes);
            let (memory, summary) = run(&[folder.input()], &Options::default());
            assert_eq!(memory.rows().len(), 100, "{name} as {file}: {summary:?}");
            assert!(summary.problems.is_empty(), "{name} as {file}: {summary:?}");
            assert_eq!(summary.bytes_read, bytes.len() as u64);
            assert_eq!(summary.files, 1);
        }
        let (memory, _) = run_stream(bytes, &Options::default());
        assert_eq!(memory.rows().len(), 100, "{name} from a stream");
    }
}

#[test]
fn a_gzip_cut_short_keeps_what_stands_before() {
    let whole = gzip(&log(0..2000));
    for keep in [whole.len() / 2, whole.len() - 9, whole.len() - 4] {
        let folder = Folder::new().with("audit.log.gz", &whole[..keep]);
        let (memory, summary) = run(&[folder.input()], &Options::default());
        assert!(memory.rows().len() > 900, "{summary:?}");
        let told: Vec<_> = summary.problems.iter().filter(|p| p.message.contains("gzip")).collect();
        let [problem] = told[..] else { panic!("one problem: {summary:?}") };
        assert!(problem.offset.is_some() && problem.file.ends_with("audit.log.gz"));
        assert!(problem.message.starts_with("the gzip data ends too early"), "{problem}");
        assert!(summary.quarantined <= 1);
    }
}

#[test]
fn a_damaged_gzip_keeps_what_stands_before() {
    let mut whole = gzip(&log(0..2000));
    let middle = whole.len() / 2;
    whole[middle..middle + 8].fill(0xff);
    let folder = Folder::new().with("audit.log.gz", whole).with("b.log", log(0..3));
    let (memory, summary) = run(&[folder.input()], &Options::default());
    assert!(memory.rows().len() > 500, "{summary:?}");
    assert!(messages(&summary.problems)[0].contains("the gzip data"), "{summary:?}");
    assert_eq!(summary.files, 2);
}

#[test]
fn rubbish_after_a_gzip_member() {
    let folder =
        Folder::new().with("audit.log.gz", [gzip(&log(0..10)), b"rubbish".to_vec()].concat());
    let (memory, summary) = run(&[folder.input()], &Options::default());
    assert_eq!(memory.rows().len(), 10);
    assert_eq!(summary.problems.len(), 1);
}

#[test]
fn a_cut_zstd_keeps_what_stands_before() {
    let whole = zstd(&lines((0..20_000).map(event)));
    let folder = Folder::new().with("audit.log.zst", &whole[..whole.len() - 10]);
    let (memory, summary) = run(&[folder.input()], &Options::default());
    assert!(memory.rows().len() > 1000, "{summary:?}");
    assert!(summary.problems.iter().any(|p| p.message.starts_with("the zstd data")));
}

#[test]
fn other_formats_are_named() {
    let table: [(&[u8], &str); 4] = [
        (b"PK\x03\x04rest", "a zip archive: unpack it first"),
        (b"BZh91AY", "compressed with bzip2: decompress it first"),
        (b"\xfd7zXZ\0rest", "compressed with xz: decompress it first"),
        (b"\xff\xfe{\0}\0", "UTF-16 text: convert it to UTF-8 first"),
    ];
    for (bytes, reason) in table {
        let folder = Folder::new().with("f", bytes).with("g.log", log(0..1));
        let (memory, summary) = run(&[folder.input()], &Options::default());
        assert_eq!(messages(&summary.problems), [format!("f: not an audit log: {reason}")]);
        assert_eq!(memory.rows().len(), 1);
        assert_eq!(summary.files, 1);
    }
}

/// The digest is that of the file as it lies on disk.
#[test]
fn provenance() {
    let folder = Folder::new().with("a.log", log(0..1));
    let (memory, _) = run(&[Input::Path(folder.path("a.log"))], &Options::default());
    let batch = &memory.batches[0];
    let column =
        |name: &str| batch.column_by_name(name).expect("a column").as_string::<i32>().value(0);
    assert_eq!(column("source_sha256"), format!("{:x}", sha2::Sha256::digest(log(0..1))));
    assert_eq!(column("cluster"), "default");
}
