//! Parses blocks into rows.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use podtrail_event::{
    BatchBuilder, DEFAULT_CLUSTER, Event, Map, Micros, ParseError, Parser, QuarantineRecord,
    RedactionKey, Text, TimeProblem, bounded_name, redact, redact_record,
};
use rayon::prelude::*;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::chunks::chunks;
use crate::envelope::contents::{Contents, Damage};
use crate::envelope::event_text::mentions_events;
use crate::envelope::labels::Labels;
use crate::envelope::lifted::is_lifted;
use crate::envelope::part::Found;
use crate::envelope::unpack_budget::UnpackBudget;
use crate::envelope::{self, salvage};
use crate::framing::block::{Block, Kind};
use crate::framing::span::{Place, Span};
use crate::json::{Object, ObjectWriter};
use crate::reject::{self, Verdict};
use crate::run::clock::now_micros;
use crate::run::clusters::Clusters;
use crate::run::options::Options;
use crate::source::must_gather::node_of_path;

/// In smaller blocks, the spare capacity of the builders would outweigh the rows.
const SMALL_BLOCK: usize = 1024 * 1024;

/// Maximum length of a cluster or node name in bytes: all events of an envelope repeat it.
const LONGEST_NAME: usize = 512;

/// Maximum length in characters of a reason, which may quote the log.
const MAX_REASON: usize = 300;

/// The columns that all rows of a source share.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The name given by an option, which takes precedence over the envelopes.
    pub(crate) cluster: Option<String>,
    /// The path of the envelope member that names the cluster, which takes precedence over the known members.
    pub(crate) cluster_field: Option<String>,
    /// The host of the API server, if the path of the source contains it.
    pub(crate) node: Option<String>,
    pub(crate) file: String,
    /// The offset at which reading began: 0, or the previous end of a growing file.
    pub(crate) starts_at: u64,
    pub(crate) sha256: Option<String>,
    /// The key for redaction; without it, secrets are kept.
    pub(crate) redaction: Option<RedactionKey>,
}

impl Origin {
    /// Returns the origin of a log that is read from its start.
    pub(crate) fn new(file: &str, options: &Options) -> Self {
        Self {
            cluster: options.cluster.clone(),
            cluster_field: options.cluster_field.clone(),
            node: node_of_path(file),
            file: file.to_owned(),
            starts_at: 0,
            sha256: None,
            redaction: options.redact.clone(),
        }
    }

    /// Returns the origin of a quarantined record. The name of the cluster is that of `options`, else the one given when
    /// the record was quarantined.
    pub(crate) fn of_quarantined(record: &QuarantineRecord, options: &Options) -> Self {
        let origin = Self::new(&record.source_file, options);
        Self {
            cluster: origin.cluster.or_else(|| record.cluster.clone()),
            starts_at: u64::MAX,
            sha256: record.source_sha256.clone(),
            ..origin
        }
    }

    /// Sets the columns of an event that describe its source, and `now` as the ingest time.
    fn mark<'e>(&'e self, event: &mut Event<'e>, place: Place, facts: &'e Facts<'_>, now: Micros) {
        let named = |name: &&str| !name.is_empty();
        let by_field = || facts.labels.as_ref()?.get(self.cluster_field.as_deref()?).filter(named);
        let cluster = self.cluster.as_deref().or_else(by_field);
        let cluster = cluster.or_else(|| facts.cluster()).filter(named);
        let cluster = bounded_name(cluster.unwrap_or(DEFAULT_CLUSTER), LONGEST_NAME);
        event.cluster = Some(cluster.into());
        event.envelopes = Some(facts.envelopes.iter().copied().map(Text::from).collect());
        event.provider = facts.provider().map(Text::from);
        let node = facts.node().or(self.node.as_deref());
        event.node = node.map(|node| bounded_name(node, LONGEST_NAME).into());
        if facts.truncated {
            event.truncated = Some(true);
        }
        event.source_file = Some(Text::from(self.file.as_str()));
        event.source_sha256 = self.sha256.as_deref().map(Text::from);
        event.source_line = i64::try_from(place.line).ok();
        event.source_offset = i64::try_from(place.offset).ok();
        if let Some(problem) = event.time.and_then(|time| TimeProblem::of_reading(time, now)) {
            event.time_problem = Some(problem.as_str().into());
        }
    }
}

/// The result of parsing a block.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) batches: Vec<RecordBatch>,
    /// Number of rows in `batches`.
    pub(crate) events: u64,
    /// Damaged records in the order of the block.
    pub(crate) damaged: Vec<Damaged>,
    /// Number of empty envelopes.
    pub(crate) envelopes: u64,
    /// Number of records that belong in the log and contain no audit event.
    pub(crate) skipped: u64,
    /// The kind of the first skipped record, if it is known.
    pub(crate) skipped_as: Option<&'static str>,
    pub(crate) clusters: Clusters,
    /// Parts of split records.
    pub(crate) pieces: Vec<Found>,
}

impl Parsed {
    fn take_rows(&mut self, batch: Option<RecordBatch>) {
        self.events += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        self.batches.extend(batch);
    }

    /// Appends the result of the records that follow.
    fn and(mut self, next: Self) -> Self {
        self.batches.extend(next.batches);
        self.events += next.events;
        self.damaged.extend(next.damaged);
        self.envelopes += next.envelopes;
        self.skipped += next.skipped;
        self.skipped_as = self.skipped_as.or(next.skipped_as);
        self.clusters.merge(next.clusters);
        self.pieces.extend(next.pieces);
        self
    }
}

/// A record that is not an audit event.
#[derive(Debug)]
pub(crate) struct Damaged {
    pub(crate) fault: Fault,
    pub(crate) offset: u64,
    pub(crate) line: u64,
    /// Its full length in bytes; `bytes` may be cut.
    pub(crate) length: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) reason: String,
}

impl From<Damage> for Damaged {
    fn from(damage: Damage) -> Self {
        Self {
            fault: Fault::Broken,
            offset: damage.place.offset,
            line: damage.place.line,
            length: damage.bytes.len() as u64,
            bytes: damage.bytes,
            reason: shorten(&damage.reason),
        }
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nul,
    TooLong,
    /// Invalid JSON.
    Broken,
    /// JSON that is not an audit event.
    Foreign,
    /// A record of another product, which the reason names.
    Named,
}

/// Parses all records of a block. A bug in the parser affects only the record that triggers it, which is quarantined.
pub(crate) fn parse_safely(block: &Block, origin: &Origin) -> Parsed {
    contain_panic(block, &|block| parse_block(block, origin))
}

/// Parses a block; after a panic, parses its halves.
fn contain_panic(block: &Block, parse: &dyn Fn(&Block) -> Parsed) -> Parsed {
    // State that the parser had during a panic is not used again.
    catch_unwind(AssertUnwindSafe(|| parse(block))).unwrap_or_else(|panic| {
        if let Some([first, second]) = block.halves() {
            let first = contain_panic(&first, parse);
            return first.and(contain_panic(&second, parse));
        }
        let reason =
            shorten(&format!("internal error in podtrail (a bug): {}", panic_message(&*panic)));
        let damaged = block.records.iter().map(|record| Damaged {
            fault: Fault::Broken,
            offset: block.offset + record.start as u64,
            line: record.line,
            length: record.length,
            bytes: block.bytes[record.start..record.end].to_vec(),
            reason: reason.clone(),
        });
        Parsed { damaged: damaged.collect(), ..Parsed::default() }
    })
}

/// Returns the first line of a panic message.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("it panicked")
}

/// Parses all records of a block. Rows are in the order of the block, except that events from envelopes come last.
pub(crate) fn parse_block(block: &Block, origin: &Origin) -> Parsed {
    let mut damaged = Vec::new();
    let mut odd = Vec::new();
    let mut items = Vec::new();
    let mut rows = Rows::new(origin, &block.bytes);
    for record in &block.records {
        let bytes = &block.bytes[record.start..record.end];
        let offset = block.offset + record.start as u64;
        let line = record.line;
        let fault = |fault, reason| Damaged {
            fault,
            offset,
            line,
            length: record.length,
            bytes: bytes.to_vec(),
            reason,
        };
        match record.kind {
            Kind::Nul => damaged.push(fault(Fault::Nul, "NUL bytes".to_owned())),
            Kind::TooLong => {
                damaged.push(fault(
                    Fault::TooLong,
                    format!("record too long: {} bytes", record.length),
                ));
            }
            Kind::Text => {
                let span = Span { bytes, offset, line };
                if let Some(enclosing) = &record.enclosing {
                    items.push((span, enclosing));
                } else if envelope::is_likely(bytes) || !rows.append_bare(span) {
                    odd.push(span);
                }
            }
        }
    }

    let budget = UnpackBudget::of_block(block.bytes.len());
    let mut contents =
        Contents { budget, starts_at: Some(origin.starts_at), ..Contents::default() };
    for span in odd {
        envelope::unwrap(span, &mut contents);
    }
    for (span, enclosing) in items {
        envelope::unwrap_item(span, enclosing, &mut contents);
    }
    let is_small = block.bytes.len() < SMALL_BLOCK;
    let mut parsed = Parsed { damaged, ..Parsed::default() };
    parsed.take_rows(rows.finish(is_small));
    let chunks = chunks(contents.candidates, |candidate| candidate.json.len());
    let chunks = chunks.into_par_iter().map(|chunk| {
        let mut rows = Rows::new(origin, &block.bytes);
        let mut parsed = rows.append_candidates(&chunk);
        parsed.clusters = std::mem::take(&mut rows.clusters);
        parsed.take_rows(rows.finish(is_small));
        parsed
    });
    let mut parsed = chunks.collect::<Vec<_>>().into_iter().fold(parsed, Parsed::and);
    parsed.pieces = contents.parts;
    parsed.envelopes += contents.envelopes;
    parsed.skipped += contents.skipped;
    parsed.damaged.extend(contents.damaged.into_iter().map(Damaged::from));
    parsed.damaged.sort_by_key(|damaged| damaged.offset);
    parsed
}

/// Parses a record that was joined from parts, or a part whose other parts are missing.
pub(crate) fn parse_joined(
    record: &[u8],
    place: Place,
    facts: &Facts<'static>,
    origin: &Origin,
) -> Parsed {
    let budget = UnpackBudget::of_block(record.len());
    let mut contents = Contents { budget, is_joined: true, ..Contents::default() };
    envelope::unwrap_joined(Span::at(place, record), facts, &mut contents);
    let log = Buffer::from(Vec::<u8>::new());
    let mut rows = Rows::new(origin, &log);
    let candidates: Vec<_> = contents
        .candidates
        .into_iter()
        .map(|candidate| Candidate {
            // The record is cut where the part ends.
            json: candidate.json.into_owned().into(),
            ..candidate
        })
        .collect();
    let mut parsed = rows.append_candidates(&candidates);
    parsed.clusters = std::mem::take(&mut rows.clusters);
    parsed.take_rows(rows.finish(true));
    parsed.skipped += contents.skipped;
    parsed.damaged.extend(contents.damaged.into_iter().map(Damaged::from));
    parsed
}

fn shorten(reason: &str) -> String {
    match reason.char_indices().nth(MAX_REASON) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}

/// Returns whether the name of a path suggests a credential.
fn is_credential(path: &str) -> bool {
    const WORDS: [&str; 8] = [
        "authorization",
        "token",
        "password",
        "passwd",
        "secret",
        "credential",
        "apikey",
        "cookie",
    ];
    let plain: String = path.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    WORDS.iter().any(|word| plain.contains(word))
}

/// Rows under construction.
struct Rows<'a> {
    origin: &'a Origin,
    log: &'a Buffer,
    /// The time of reading: a stream may be followed for days.
    now: Micros,
    parser: Parser,
    builder: Option<Box<BatchBuilder>>,
    clusters: Clusters,
}

impl<'a> Rows<'a> {
    fn new(origin: &'a Origin, log: &'a Buffer) -> Self {
        let parser = Parser::new(origin.redaction.clone());
        Self {
            origin,
            log,
            now: Micros(now_micros()),
            parser,
            builder: None,
            clusters: Clusters::default(),
        }
    }

    /// Appends a record that should be an event. Returns false if it is not one, or has members of an envelope.
    fn append_bare(&mut self, record: Span<'_>) -> bool {
        let bare = Facts::default();
        let Ok(mut event) = self.parser.parse(record.bytes, None) else { return false };
        let is_bare = !event.extra.as_deref().is_some_and(is_lifted);
        if is_bare {
            self.origin.mark(&mut event, record.place(), &bare, self.now);
            self.builder
                .get_or_insert_with(|| Box::new(BatchBuilder::over(self.log)))
                .append(&event);
        }
        is_bare
    }

    /// Appends events from envelopes. Returns what is damaged or skipped.
    fn append_candidates(&mut self, candidates: &[Candidate<'_>]) -> Parsed {
        let mut parsed = Parsed::default();
        for candidate in candidates {
            let Err(error) = self.append_candidate(candidate) else { continue };
            let component = candidate.facts.component();
            if let Some(what) = component.filter(|_| !mentions_events(&candidate.json)) {
                parsed.skipped += 1;
                parsed.skipped_as = parsed.skipped_as.or(Some(what));
                continue;
            }
            let (fault, reason) = match reject::judge(&candidate.json) {
                Some(Verdict::Skipped(what)) => {
                    parsed.skipped += 1;
                    parsed.skipped_as = parsed.skipped_as.or(Some(what));
                    continue;
                }
                Some(Verdict::Foreign(what)) => (Fault::Named, what.to_owned()),
                None if matches!(error, ParseError::Json(_)) => (Fault::Broken, error.to_string()),
                None => (Fault::Foreign, error.to_string()),
            };
            let Place { offset, line } = candidate.place;
            let length = candidate.json.len() as u64;
            let (bytes, reason) = (candidate.json.to_vec(), shorten(&reason));
            parsed.damaged.push(Damaged { fault, offset, line, length, bytes, reason });
        }
        parsed
    }

    /// Appends an event from an envelope, completed if it was truncated.
    fn append_candidate(&mut self, candidate: &Candidate<'_>) -> Result<(), ParseError> {
        let Candidate { json, place, facts } = candidate;
        let error = match self.append(json, *place, facts) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // An event that is truncated at the end of a file may be complete later. A string in an envelope is final.
        let is_from_string = matches!(json, Cow::Owned(_)) && !facts.envelopes.is_empty();
        if !matches!(error, ParseError::Json(_)) || !(is_from_string || salvage::has_mark(json)) {
            return Err(error);
        }
        let Some(completed) = salvage::complete(json) else { return Err(error) };
        let original = Some(Cow::Borrowed(&**json));
        let facts = Facts { original, truncated: true, ..facts.clone() };
        self.append(&completed, *place, &facts).map_err(|_| error)
    }

    fn append(&mut self, json: &[u8], place: Place, facts: &Facts<'_>) -> Result<(), ParseError> {
        let without = if facts.may_have_gap { self.without_bodies(json) } else { None };
        if let Some(without) = without {
            let facts = Facts { may_have_gap: false, truncated: true, ..facts.clone() };
            return self.append(&without, place, &facts);
        }
        let original = facts.original.as_deref().map(|original| {
            let key = self.origin.redaction.as_ref();
            let redacted = key.and_then(|key| redact_record(original, json, facts.truncated, key));
            redacted.map_or(Cow::Borrowed(original), Cow::Owned)
        });
        let labels = facts.labels.as_ref().map(|labels| self.redacted(labels, json));
        let mut event = self.parser.parse(json, facts.shipped_at)?;
        event.envelope = labels.filter(|map| !map.0.is_empty());
        event.original = original.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into());
        self.origin.mark(&mut event, place, facts, self.now);
        let cluster = event.cluster.as_deref().unwrap_or(DEFAULT_CLUSTER);
        let field = self.origin.cluster_field.as_deref();
        let is_given = self.origin.cluster.is_some();
        self.clusters.note(cluster, facts.labels.as_deref(), field, is_given);
        self.builder.get_or_insert_with(|| Box::new(BatchBuilder::over(self.log))).append(&event);
        Ok(())
    }

    /// Returns an event that may contain secrets without its bodies: after a gap, a secret could be where redaction
    /// does not look.
    fn without_bodies(&self, json: &[u8]) -> Option<Vec<u8>> {
        const BODIES: [&str; 3] = ["requestObject", "responseObject", "annotations"];
        redact(json, self.origin.redaction.as_ref()?)?;
        let event = Object::read(json)?;
        let members = event.iter().filter(|(key, _)| !BODIES.contains(key));
        let members = members.map(|(key, value)| (key, Cow::Borrowed(value.get())));
        Some(ObjectWriter::write(members).into_bytes())
    }

    /// Returns the labels of envelopes without potential secrets.
    fn redacted<'l>(&self, labels: &'l Labels, json: &[u8]) -> Map<'l, Text<'l>> {
        let mut entries = labels.entries(json.len());
        if let Some(key) = self.origin.redaction.as_ref() {
            for (path, value) in &mut entries {
                if is_credential(path) {
                    *value = key.digest_of(value).into();
                }
            }
            let text = Labels::to_json(&entries);
            let redacted = redact_record(text.as_bytes(), json, false, key);
            let redacted = redacted
                .and_then(|text| serde_json::from_slice::<BTreeMap<String, String>>(&text).ok());
            if let Some(redacted) = redacted {
                let own = |(path, value): (String, String)| (path.into(), value.into());
                return Map(redacted.into_iter().map(own).collect());
            }
        }
        Map(entries.into_iter().map(|(path, value)| (path.into(), value.into())).collect())
    }

    fn finish(self, is_small: bool) -> Option<RecordBatch> {
        let batch = self.builder?.finish();
        Some(if is_small { shrink(batch) } else { batch })
    }
}

/// Releases the spare capacity of the builders: with thousands of small files it would amount to gigabytes.
fn shrink(batch: RecordBatch) -> RecordBatch {
    use arrow::array::Array;

    let (schema, mut columns, rows) = batch.into_parts();
    for column in &mut columns {
        column.shrink_to_fit();
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    match RecordBatch::try_new_with_options(schema, columns, &options) {
        Ok(batch) => batch,
        Err(error) => unreachable!("the columns are those of a batch: {error}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a defect is what is tested")]

    use super::*;
    use crate::framing::block::Record;
    use crate::framing::frame::{Framer, Limits};

    #[test]
    fn a_defect_affects_only_the_record() {
        let log = "a\nboom 1\nb\nc\nd\nboom 2\n";
        let limits = Limits { block: 1000, record: 1000 };
        let block = Framer::new(log.as_bytes(), limits).next_block().unwrap();
        assert_eq!(block.records.len(), 6);
        let parsed = contain_panic(&block, &|block| {
            let text = |record: &Record| {
                str::from_utf8(&block.bytes[record.start..record.end]).unwrap().to_owned()
            };
            let texts: Vec<_> = block.records.iter().map(text).collect();
            if let Some(text) = texts.iter().find(|text| text.starts_with("boom")) {
                panic!("{text} is wrong\nand more");
            }
            Parsed { events: texts.len() as u64, ..Parsed::default() }
        });
        assert_eq!(parsed.events, 4);
        let damaged: Vec<_> = parsed
            .damaged
            .iter()
            .map(|d| (d.offset, d.line, d.length, d.bytes.as_slice(), d.reason.as_str()))
            .collect();
        let reasons = [
            "internal error in podtrail (a bug): boom 1 is wrong",
            "internal error in podtrail (a bug): boom 2 is wrong",
        ];
        let expected =
            [(2, 2, 6, b"boom 1".as_slice(), reasons[0]), (15, 6, 6, b"boom 2", reasons[1])];
        assert_eq!(damaged, expected);
    }
}
