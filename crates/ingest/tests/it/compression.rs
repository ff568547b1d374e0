//! Compression is detected by content, and a damaged end affects only the end.

use arrow::array::AsArray;
use podtrail_ingest::{Input, Options};
use sha2::Digest;

use crate::support::{
    Folder, bzip2, event, gzip, lines, lz4, lz4_with, messages, run, run_stream, utf16, xz, zstd,
};

fn log(ids: std::ops::Range<usize>) -> Vec<u8> {
    lines(ids.map(event))
}

/// A hundred events in frames of different formats.
fn lz4_frames() -> Vec<u8> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};
    let linked = FrameInfo::new().block_mode(BlockMode::Linked).block_size(BlockSize::Max1MB);
    let large = FrameInfo::new().block_size(BlockSize::Max4MB).content_checksum(true);
    let small = FrameInfo::new().block_size(BlockSize::Max64KB).block_checksums(true);
    let frames = [(linked, 0..30), (large, 30..60), (small, 60..80)];
    let frames = frames.into_iter().map(|(frame, ids)| lz4_with(&log(ids), frame));
    // The legacy format ends only with the file.
    let legacy = lz4_with(&log(80..100), FrameInfo::new().legacy_frame(true));
    frames.chain([legacy]).flatten().collect()
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
        ("bzip2", bzip2(&log(0..100))),
        ("two bzip2 streams", [bzip2(&log(0..50)), bzip2(&log(50..100))].concat()),
        ("xz", xz(&log(0..100))),
        ("two xz streams", [xz(&log(0..50)), xz(&log(50..100))].concat()),
        ("lz4", lz4(&log(0..100))),
        ("two lz4 frames", [lz4(&log(0..50)), lz4(&log(50..100))].concat()),
        ("lz4 frames of all kinds", lz4_frames()),
        ("xz in bzip2 in lz4 in gzip", gzip(&lz4(&bzip2(&xz(&log(0..100)))))),
        ("UTF-16", utf16(&log(0..100))),
        ("UTF-16 without a mark", utf16(&log(0..100))[2..].to_vec()),
        (
            "UTF-16, big end first",
            utf16(&log(0..100)).chunks(2).flat_map(|c| [c[1], c[0]]).collect(),
        ),
        ("UTF-16 in gzip", gzip(&utf16(&log(0..100)))),
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
fn a_truncated_gzip_keeps_earlier_records() {
    let whole = gzip(&log(0..2000));
    for keep in [whole.len() / 2, whole.len() - 9, whole.len() - 4] {
        let folder = Folder::new().with("audit.log.gz", &whole[..keep]);
        let (memory, summary) = run(&[folder.input()], &Options::default());
        assert!(memory.rows().len() > 900, "{summary:?}");
        let reported: Vec<_> =
            summary.problems.iter().filter(|p| p.message.contains("gzip")).collect();
        let [problem] = reported[..] else { panic!("one problem: {summary:?}") };
        assert!(problem.offset.is_some() && problem.file.ends_with("audit.log.gz"));
        assert!(problem.message.starts_with("the gzip data ends unexpectedly"), "{problem}");
        assert!(summary.quarantined <= 1);
    }
}

#[test]
fn a_damaged_gzip_keeps_earlier_records() {
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
fn trailing_bytes_after_a_gzip_member() {
    let folder =
        Folder::new().with("audit.log.gz", [gzip(&log(0..10)), b"rubbish".to_vec()].concat());
    let (memory, summary) = run(&[folder.input()], &Options::default());
    assert_eq!(memory.rows().len(), 10);
    assert_eq!(summary.problems.len(), 1);
}

#[test]
fn records_before_the_damage_are_kept() {
    type Compress = fn(&[u8]) -> Vec<u8>;
    let table: [(&str, Compress); 5] =
        [("gzip", gzip), ("zstd", zstd), ("bzip2", bzip2), ("xz", xz), ("lz4", lz4)];
    // At this level bzip2 produces blocks of 100 kB; xz produces its first bytes early.
    let text = log(0..3_000);
    for (name, compress) in table {
        let whole = compress(&text);
        let cut = whole[..whole.len() - 10].to_vec();
        let mut broken = whole.clone();
        let middle = whole.len() / 2;
        broken[middle..middle + 64].fill(0xff);
        let rubbish = [&whole[..], b"rubbish!"].concat();
        for (what, bytes) in [("cut", cut), ("broken", broken), ("rubbish", rubbish)] {
            let folder = Folder::new().with("a", &bytes).with("b", log(0..3));
            let (memory, summary) = run(&[folder.input()], &Options::default());
            let what = format!("{name}, {what}: {summary:?}");
            assert!(memory.rows().len() > 500, "{} rows of {what}", memory.rows().len());
            let reported: Vec<_> =
                summary.problems.iter().filter(|p| p.message.contains(name)).collect();
            let [problem] = reported[..] else { panic!("one problem: {what}") };
            assert!(problem.message.starts_with(&format!("the {name} data ")), "{what}");
            assert!(problem.offset.is_some_and(|offset| offset > 0), "{what}");
            assert!(problem.file.ends_with("/a"), "{what}");
            // A damaged file may yield more garbage, until a checksum reveals it.
            assert!(summary.quarantined <= 1 || what.contains("broken"), "{what}");
            assert_eq!(summary.files, 2, "{what}");
        }
    }
}

/// A single last byte is not a character; it affects only its record.
#[test]
fn utf16_truncated_in_a_character() {
    let whole = utf16(&log(0..10));
    let (memory, summary) = run_stream(&whole[..whole.len() - 9], &Options::default());
    assert_eq!(memory.rows().len(), 9);
    assert_eq!(summary.quarantined, 1);
}

#[test]
fn other_formats_are_named() {
    let five = gzip(&gzip(&gzip(&gzip(&gzip(&log(0..1))))));
    let table: [(&[u8], &str); 8] = [
        (b"7z\xbc\xaf\x27\x1crest", "a 7z archive: unpack it first"),
        (b"Rar!\x1a\x07\x01\0rest", "a RAR archive: unpack it first"),
        (b"PAR1rest", "a Parquet file: export it as JSON lines first"),
        (b"Obj\x01rest", "an Avro file: export it as JSON lines first"),
        (b"\xff\x06\0\0sNaPpYrest", "compressed with Snappy: decompress it first"),
        (b"\x7fELF\x02", "a program"),
        (b"BZh is how this text begins", "text without audit events"),
        (&five, "more than four layers of compression"),
    ];
    for (bytes, reason) in table {
        let folder = Folder::new().with("f", bytes).with("g.log", log(0..1));
        let (memory, summary) = run(&[folder.input()], &Options::default());
        assert_eq!(messages(&summary.problems), [format!("f: not an audit log: {reason}")]);
        assert_eq!(memory.rows().len(), 1);
        assert_eq!(summary.files, 1);
    }
}

/// A decompression bomb costs a limited time and its own events.
#[test]
fn a_file_expands_up_to_a_limit() {
    let options = Options { max_expanded_bytes: 100_000, ..Options::default() };
    let bomb = gzip(&gzip(&[&log(0..100)[..], &vec![0; 10_000_000]].concat()));
    let folder = Folder::new().with("a", bomb).with("b", gzip(&log(0..100)));
    let (memory, summary) = run(&[folder.input()], &options);
    assert_eq!(memory.rows().len(), 200);
    let message = summary.problems.iter().find(|problem| problem.file.ends_with("/a"));
    let message = &message.expect("a problem").message;
    let start = "decompressed size exceeds 100000 bytes (see --max-expanded) after ";
    assert!(message.starts_with(start), "{message}");

    let plain = log(0..1000);
    assert!(plain.len() > 100_000);
    let (memory, summary) = run_stream(plain, &options);
    assert_eq!((memory.rows().len(), summary.problems.len()), (1000, 0));
}

/// The digest covers the file on disk.
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
