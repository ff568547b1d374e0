//! Reading one source: from its name to blocks.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::decode::{Refusal, decode};
use crate::frame::{Block, Framer, Limits};
use crate::open::{Counted, open_file};
use crate::must_gather::node_of_path;
use crate::options::Options;
use crate::parse::{Origin, Parsed, parse_block};
use crate::progress::Progress;
use crate::sniff::{SNIFFED_BYTES, describe, is_audit_log};
use crate::summary::Problem;
use crate::walk::{Source, SourceKind};

/// What reading needs beside the source.
pub(crate) struct Reading<'a> {
    pub(crate) options: &'a Options,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) bytes_read: &'a AtomicU64,
}

/// A piece of a source, handed on.
pub(crate) enum Piece {
    Block(Block),
    /// The first pieces are parsed at once, to see whether the source is an audit log. The number is that of the raw bytes.
    Parsed(Parsed, usize),
}

/// Takes the pieces of one source in order; false ends the reading.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&Arc<Origin>, Piece) -> bool;

/// How the reading of a source ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Whether it was read as an audit log.
    pub(crate) is_log: bool,
    /// Whether the reading was ended from outside.
    pub(crate) stopped: bool,
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<Problem>,
}

impl Reading<'_> {
    /// Reads a source to its end and hands its blocks to `take`.
    pub(crate) fn read(
        &self,
        source: &Source,
        stdin: Option<Box<dyn Read + Send>>,
        take: Take<'_>,
    ) -> Outcome {
        let (reader, digest): (Box<dyn Read>, _) = match &source.kind {
            SourceKind::Stdin => (stdin.map_or(Box::new(io::empty()), |stdin| stdin as _), None),
            SourceKind::Stream(path) => match File::open(path) {
                Ok(file) => (Box::new(file), None),
                Err(error) => return Outcome::unreadable(&source.name, &error),
            },
            SourceKind::File(path) => match open_file(path) {
                Ok((file, digest)) => (Box::new(file), Some(digest)),
                Err(error) => return Outcome::unreadable(&source.name, &error),
            },
        };
        let bytes_of_source = AtomicU64::new(0);
        let counted = Counted {
            reader,
            of_source: &bytes_of_source,
            of_run: self.bytes_read,
            progress: self.progress,
        };
        let (length, sha256) = digest.map(|digest| (digest.length, digest.sha256)).unzip();
        let origin = Arc::new(Origin {
            cluster: self.options.cluster.clone(),
            node: node_of_path(&source.name),
            file: source.name.clone(),
            sha256,
        });

        let stream = match decode(counted) {
            Ok(stream) => stream,
            Err(Refusal::Io(error)) => return Outcome::unreadable(&source.name, &error),
            Err(Refusal::Format(reason)) => {
                return Outcome::refused(&source.name, format!("not an audit log: {reason}"));
            }
        };
        let limits =
            Limits { block: self.options.block_bytes, record: self.options.max_record_bytes };
        let mut framer = Framer::new(stream, limits);
        let mut outcome = self.read_blocks(&mut framer, &origin, take);

        let offset = framer.offset();
        let bytes_read = bytes_of_source.load(Ordering::Relaxed);
        let failure = framer.take_failure().filter(|_| outcome.is_log);
        if let Some(error) = failure {
            outcome.notes.clear();
            outcome.problems.push(Problem {
                offset: Some(offset),
                ..Problem::of_file(
                    &source.name,
                    format!(
                        "{error}, after {bytes_read} bytes of the file; \
                         the {offset} bytes of log before that were read"
                    ),
                )
            });
        } else if !outcome.stopped
            && outcome.is_log
            && length.is_some_and(|length| bytes_read < length)
        {
            let message = "it became shorter while it was read";
            outcome.problems.push(Problem::of_file(&source.name, message));
        }
        outcome
    }

    fn read_blocks(
        &self,
        framer: &mut Framer<impl Read>,
        origin: &Arc<Origin>,
        take: Take<'_>,
    ) -> Outcome {
        let stopped = || self.options.stop.load(Ordering::Relaxed);
        let mut outcome = Outcome::default();
        let mut undecided = Vec::new();
        let mut sniffed = 0;
        let mut description = None;
        while !outcome.is_log
            && sniffed < SNIFFED_BYTES
            && let Some(block) = framer.next_block()
        {
            if stopped() {
                outcome.stopped = true;
                return outcome;
            }
            let parsed = parse_block(&block, origin);
            outcome.is_log = is_audit_log(&parsed);
            description = description.or_else(|| describe(&block, &parsed));
            sniffed += block.bytes.len();
            undecided.push(Piece::Parsed(parsed, block.bytes.len()));
        }
        if let Some(description) = description
            && !outcome.is_log
        {
            return Outcome::refused(&origin.file, description);
        }
        if undecided.is_empty() {
            outcome.notes.push(Problem::of_file(&origin.file, "empty"));
        }
        outcome.is_log = true;
        for piece in undecided {
            if !take(origin, piece) {
                outcome.stopped = true;
                return outcome;
            }
        }
        while let Some(block) = framer.next_block() {
            if stopped() || !take(origin, Piece::Block(block)) {
                outcome.stopped = true;
                break;
            }
        }
        outcome
    }
}

impl Outcome {
    fn unreadable(name: &str, error: &io::Error) -> Self {
        Self::refused(name, format!("cannot be read: {error}"))
    }

    fn refused(name: &str, reason: String) -> Self {
        Self { problems: vec![Problem::of_file(name, reason)], ..Self::default() }
    }
}
