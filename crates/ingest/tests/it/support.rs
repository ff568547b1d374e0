//! Small logs, and a sink that keeps its rows.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::Int64Type;
use podtrail_ingest::{
    Committed, IngestError, Input, NoProgress, Options, QuarantineRecord, Sink, Summary,
    ingest_into,
};
use tempfile::TempDir;

/// Returns an audit event as the log backend writes it.
pub(crate) fn event(id: usize) -> String {
    format!(r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata",{}"#, members(id))
}

/// Returns the same event as an item of an `EventList`.
pub(crate) fn item(id: usize) -> String {
    format!(r#"{{"level":"Metadata",{}"#, members(id))
}

fn members(id: usize) -> String {
    format!(
        r#""auditID":"id-{id}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/pods?x={{}}","verb":"list","user":{{"username":"alice","groups":["system:authenticated"]}},"sourceIPs":["10.0.0.1"],"objectRef":{{"resource":"pods","namespace":"a","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"2026-11-23T21:55:01.374797Z","stageTimestamp":"2026-11-23T21:55:01.374797Z"}}"#
    )
}

/// Returns an `EventList` in one line.
pub(crate) fn event_list(ids: impl IntoIterator<Item = usize>) -> String {
    let items: Vec<_> = ids.into_iter().map(item).collect();
    format!(
        r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{}]}}"#,
        items.join(",")
    )
}

/// Returns the same JSON over many lines.
pub(crate) fn pretty(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).expect("valid JSON");
    serde_json::to_string_pretty(&value).expect("printable")
}

/// Returns lines, each with its end.
pub(crate) fn lines<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut log = Vec::new();
    for line in lines {
        log.extend_from_slice(line.as_ref().as_bytes());
        log.push(b'\n');
    }
    log
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("memory");
    // As the command line tool does.
    encoder.include_checksum(true).expect("memory");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).expect("memory");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn lz4(bytes: &[u8]) -> Vec<u8> {
    use lz4_flex::frame::{BlockSize, FrameInfo};
    lz4_with(bytes, FrameInfo::new().block_size(BlockSize::Max64KB).block_checksums(true))
}

pub(crate) fn lz4_with(bytes: &[u8], frame: lz4_flex::frame::FrameInfo) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(frame, Vec::new());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Returns the text in UTF-16, little-endian, with a byte order mark.
pub(crate) fn utf16(text: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).expect("text");
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Returns a tar archive of files.
pub(crate) fn tar<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if name.starts_with('/') || name.contains("..") {
            // The builder rejects such names.
            header.as_gnu_mut().expect("a GNU header").name[..name.len()]
                .copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, bytes).expect("memory");
        } else {
            builder.append_data(&mut header, name, bytes).expect("memory");
        }
    }
    builder.into_inner().expect("memory")
}

/// Returns a zip archive of deflated files.
pub(crate) fn zip<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut zip);
    for (name, bytes) in members {
        let name = rawzip::path::EntryPath::verbatim(name.as_bytes());
        let (mut entry, config) = archive
            .new_file(name)
            .compression_method(rawzip::CompressionMethod::DEFLATE)
            .start()
            .expect("memory");
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
        let mut writer = config.wrap(encoder);
        writer.write_all(bytes).expect("memory");
        let (encoder, descriptor) = writer.finish().expect("memory");
        encoder.finish().expect("memory");
        entry.finish(descriptor).expect("memory");
    }
    archive.finish().expect("memory");
    zip
}

/// One event in the output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) file: String,
    pub(crate) offset: i64,
    pub(crate) line: i64,
    pub(crate) audit_id: String,
}

/// A sink that keeps its rows.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) quarantine: Vec<QuarantineRecord>,
    pub(crate) commits: usize,
    pub(crate) on_commit: Option<Box<dyn FnMut()>>,
}

impl Sink for Memory {
    fn commit(
        &mut self,
        events: Vec<RecordBatch>,
        quarantine: Vec<QuarantineRecord>,
    ) -> Result<Committed, IngestError> {
        self.commits += 1;
        let added = events.iter().map(|batch| batch.num_rows() as u64).sum();
        self.batches.extend(events.iter().map(as_in_the_table));
        self.quarantine.extend(quarantine);
        if let Some(on_commit) = &mut self.on_commit {
            on_commit();
        }
        Ok(Committed { added, duplicates: 0 })
    }
}

/// Returns a batch with strings instead of references to the log.
fn as_in_the_table(batch: &RecordBatch) -> RecordBatch {
    let schema = podtrail_event::schema();
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type()).expect("a cast"));
    RecordBatch::try_new(schema.clone(), columns.collect()).expect("a batch")
}

impl Memory {
    /// Returns the events, in the order of files and offsets.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = self.rows_as_read();
        rows.sort();
        rows
    }

    /// Returns the events, in the order of arrival.
    pub(crate) fn rows_as_read(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for batch in &self.batches {
            let text = |column: &str, row: usize| {
                let column = batch.column_by_name(column).expect("a column");
                column.as_string::<i32>().value(row).to_owned()
            };
            let number = |column: &str, row: usize| {
                let column = batch.column_by_name(column).expect("a column");
                assert!(!column.is_null(row));
                column.as_primitive::<Int64Type>().value(row)
            };
            for row in 0..batch.num_rows() {
                rows.push(Row {
                    file: text("source_file", row),
                    offset: number("source_offset", row),
                    line: number("source_line", row),
                    audit_id: text("audit_id", row),
                });
            }
        }
        rows
    }

    pub(crate) fn audit_ids(&self) -> Vec<String> {
        self.rows().into_iter().map(|row| row.audit_id).collect()
    }

    /// Returns offset, line and bytes of the quarantined records, in order.
    pub(crate) fn damage(&self) -> Vec<(i64, i64, Vec<u8>)> {
        let mut damage: Vec<_> = self
            .quarantine
            .iter()
            .map(|record| {
                (record.source_offset, record.source_line.expect("a line"), record.bytes.clone())
            })
            .collect();
        damage.sort();
        damage
    }
}

/// Ingests `inputs` and checks the invariants.
pub(crate) fn run(inputs: &[Input], options: &Options) -> (Memory, Summary) {
    run_with(Memory::default(), Vec::new(), inputs, options)
}

pub(crate) fn run_with(
    mut memory: Memory,
    stdin: Vec<u8>,
    inputs: &[Input],
    options: &Options,
) -> (Memory, Summary) {
    let stdin = Box::new(Cursor::new(stdin));
    let summary = ingest_into(&mut memory, stdin, inputs, options, &NoProgress).expect("a summary");
    let sum = summary.events_added + summary.duplicates + summary.quarantined;
    assert_eq!(summary.records, sum, "{summary:?}");
    (memory, summary)
}

/// Ingests `log` from standard input.
pub(crate) fn run_stream(log: impl Into<Vec<u8>>, options: &Options) -> (Memory, Summary) {
    run_with(Memory::default(), log.into(), &[Input::Stdin], options)
}

/// A folder of files.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn input(&self) -> Input {
        Input::Path(self.root().to_owned())
    }
}

/// Returns the messages of `problems`, each with the file name only.
pub(crate) fn messages(problems: &[podtrail_ingest::Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| {
            let problem = problem.to_string();
            problem.rsplit_once('/').map_or(problem.clone(), |(_, name)| name.to_owned())
        })
        .collect()
}
