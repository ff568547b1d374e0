//! Reads one source: opens it, unpacks archives, and frames logs into blocks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::framing::block::Block;
use crate::framing::frame::{Framer, Limits};
use crate::framing::span::Place;
use crate::run::options::Options;
use crate::run::parse::{Origin, Parsed, parse_safely};
use crate::run::progress::Progress;
use crate::run::summary::{Few, Problem};
use crate::source::archive::{self, Spool, TakeMember, member_name};
use crate::source::decompress::{Content, Refusal, decode};
use crate::source::expansion::Expansion;
use crate::source::open::{Counted, Counter, FileDigest, open_file};
#[cfg(feature = "lake")]
use crate::source::open::{OpenedObject, open_object};
use crate::source::sniff::{SNIFFED_BYTES, describe, is_audit_log};
use crate::source::walk::{Growth, Source, SourceKind};

/// The context of reading, besides the source.
pub(crate) struct Reading<'a> {
    pub(crate) options: &'a Options,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) bytes_read: &'a AtomicU64,
}

/// A block of a source.
pub(crate) enum ReadBlock {
    Unparsed(Block),
    /// Already parsed, to check whether the source is an audit log. The number is the size of the raw bytes.
    Parsed(Parsed, usize),
}

/// Takes the blocks of one source in order. Returns false to stop reading.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&Arc<Origin>, ReadBlock) -> bool;

/// How reading a source ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Number of logs read: one, or those in an archive.
    pub(crate) logs: u64,
    /// Whether reading was stopped from outside.
    pub(crate) stopped: bool,
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<Problem>,
}

impl Reading<'_> {
    /// Reads a source to its end and passes its blocks to `take`.
    pub(crate) fn read(
        &self,
        source: &Source,
        stdin: Option<Box<dyn Read + Send>>,
        take: Take<'_>,
    ) -> Outcome {
        let unreadable = |error| Outcome {
            problems: vec![Problem::of_file(&source.name, format!("cannot be read: {error}"))],
            ..Outcome::default()
        };
        #[cfg_attr(not(feature = "lake"), expect(unused_mut, reason = "objects are streams too"))]
        let mut stream: Option<Box<dyn Read + Send>> = stdin;
        let (file, digest) = match &source.kind {
            SourceKind::Growth(growth) => return self.read_growth(&source.name, growth, take),
            SourceKind::Stdin => (None, None),
            SourceKind::Stream(path) => match File::open(path) {
                Ok(file) => (Some(file), None),
                Err(error) => return unreadable(error),
            },
            SourceKind::File(path) => match open_file(path) {
                Ok((file, digest)) => (Some(file), Some(digest)),
                Err(error) => return unreadable(error),
            },
            #[cfg(feature = "lake")]
            SourceKind::Object(object) => match open_object(object) {
                Ok(OpenedObject::Copy(file, digest)) => (Some(file), Some(digest)),
                Ok(OpenedObject::Stream(reader)) => {
                    stream = Some(Box::new(reader));
                    (None, None)
                }
                Err(error) => return unreadable(error),
            },
        };
        let reader: Box<dyn Read> = match (&file, &digest, stream) {
            (Some(file), Some(digest), _) => Box::new(file.take(digest.length)),
            (Some(file), None, _) => Box::new(file),
            (None, _, Some(stream)) => stream,
            (None, _, None) => Box::new(io::empty()),
        };
        let counter = Counter::new(self.bytes_read, self.progress);
        let expansion = Expansion::new(self.options.max_expanded_bytes);
        let mut reader_of_source = SourceReader {
            file: file.as_ref(),
            digest: digest.as_ref(),
            ..SourceReader::new(self.options, &counter, &expansion, take)
        };
        let reader = Box::new(Counted { reader, counter: &counter });
        reader_of_source.read(&source.name, reader, 0);
        reader_of_source.into_outcome(&source.name)
    }

    /// Reads what was appended to a file. It is plain text: compressed files are not written line by line.
    fn read_growth(&self, name: &str, growth: &Growth, take: Take<'_>) -> Outcome {
        let counter = Counter::new(self.bytes_read, self.progress);
        let expansion = Expansion::new(self.options.max_expanded_bytes);
        let mut reader = SourceReader::new(self.options, &counter, &expansion, take);
        let mut file = &growth.file;
        match file.seek(SeekFrom::Start(growth.from.offset)) {
            Ok(from) => {
                let growing = Counted { reader: file.take(growth.to - from), counter: &counter };
                reader.read_log(name, Box::new(growing), growth.from);
            }
            Err(error) => reader.cannot_read(name, &error),
        }
        reader.into_outcome(name)
    }
}

/// The kind of a text stream.
enum Found {
    Log,
    /// It contains no record. It counts as a log.
    Nothing,
    /// Not an audit log, or undetermined because the run was stopped.
    Other,
}

/// Reads one source on disk, or one stream, with all archive members in it.
struct SourceReader<'a> {
    options: &'a Options,
    file: Option<&'a File>,
    digest: Option<&'a FileDigest>,
    counter: &'a Counter<'a>,
    expansion: &'a Expansion,
    take: Take<'a>,
    logs: u64,
    stopped: bool,
    /// Sources that are not audit logs.
    refused: Few,
    /// Sources that could not be read completely.
    broken: Few,
    notes: Few,
}

impl<'a> SourceReader<'a> {
    fn new(
        options: &'a Options,
        counter: &'a Counter<'a>,
        expansion: &'a Expansion,
        take: Take<'a>,
    ) -> Self {
        Self {
            options,
            file: None,
            digest: None,
            counter,
            expansion,
            take,
            logs: 0,
            stopped: false,
            refused: Few::default(),
            broken: Few::default(),
            notes: Few::default(),
        }
    }

    /// Reads a log or an archive at some nesting depth of archives.
    fn read(&mut self, name: &str, reader: Box<dyn Read + '_>, depth: usize) {
        let content = match decode(reader, self.expansion) {
            Ok(content) => content,
            Err(Refusal::Io(error)) => return self.cannot_read(name, &error),
            Err(Refusal::Format(reason)) => return self.refuse(name, reason),
        };
        match content {
            Content::Text(stream) => self.read_log(name, stream, Place::START),
            Content::Tar(_) | Content::Zip { .. } if depth >= archive::MAX_DEPTH => {
                self.refuse(name, "archives nested too deeply");
            }
            Content::Tar(stream) => {
                self.read_members(name, depth, |take| archive::read_tar(stream, take));
            }
            Content::Zip { stream, was_compressed } => {
                let is_on_disk = depth == 0 && !was_compressed;
                match self.spool(stream, is_on_disk) {
                    Ok(spool) => {
                        let expansion = self.expansion;
                        self.read_members(name, depth, |take| {
                            archive::read_zip(spool, expansion, take)
                        });
                    }
                    Err(error) => self.cannot_read(name, &error),
                }
            }
        }
    }

    /// Returns a seekable form of a zip archive: the source itself, if it is a file.
    fn spool(&self, stream: Box<dyn Read + '_>, is_on_disk: bool) -> io::Result<Spool> {
        match (self.file, self.digest) {
            (Some(file), Some(digest)) if is_on_disk => {
                let length = digest.length;
                self.counter.add(length.saturating_sub(self.counter.of_source()));
                Ok(Spool { file: file.try_clone()?, length })
            }
            _ => Spool::of(stream),
        }
    }

    fn read_members(
        &mut self,
        archive: &str,
        depth: usize,
        read: impl FnOnce(TakeMember<'_>) -> Result<(), String>,
    ) {
        let mut is_empty = true;
        let mut broken_before = self.broken.count();
        let result = read(&mut |member, contents| {
            is_empty = false;
            broken_before = self.broken.count();
            let name = member_name(archive, member);
            match contents {
                Ok(reader) => self.read(&name, reader, depth + 1),
                Err(reason) => self.broken.push(Problem::of_file(&name, reason)),
            }
            self.stopped |= self.options.stop.load(Ordering::Relaxed);
            if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match result {
            // The error that ended the archive was already reported if it truncated a log.
            Err(reason) if self.broken.count() == broken_before => {
                self.broken.push(Problem::of_file(archive, reason));
            }
            Ok(()) if is_empty => self.notes.push(Problem::of_file(archive, "empty archive")),
            Err(_) | Ok(()) => {}
        }
    }

    /// Reads text that begins at a position in its file.
    fn read_log(&mut self, name: &str, stream: Box<dyn Read + '_>, from: Place) {
        let origin = Arc::new(Origin {
            starts_at: from.offset,
            sha256: self.digest.map(|digest| digest.sha256.clone()),
            ..Origin::new(name, self.options)
        });
        let limits =
            Limits { block: self.options.block_bytes, record: self.options.max_record_bytes };
        let mut framer = Framer::new(stream, limits).starting_at(from);
        // The kind of the file was determined at its beginning.
        let is_log = from.offset > 0;
        let found = self.read_blocks(&mut framer, &origin, is_log);
        let offset = framer.offset();
        match (found, framer.take_failure()) {
            (Found::Log | Found::Nothing, Some(error)) => {
                let bytes_read = self.counter.of_source();
                let message = format!(
                    "{error} after {bytes_read} bytes of the file; \
                     the {offset} bytes of log before it were read"
                );
                let offset = Some(offset);
                self.broken.push(Problem { offset, ..Problem::of_file(name, message) });
            }
            (Found::Nothing, None) => self.notes.push(Problem::of_file(name, "empty")),
            (Found::Log | Found::Other, _) => {}
        }
    }

    /// Passes on the blocks of a log.
    fn read_blocks(
        &mut self,
        framer: &mut Framer<impl Read>,
        origin: &Arc<Origin>,
        mut is_log: bool,
    ) -> Found {
        let mut undecided = Vec::new();
        let mut sniffed = 0;
        let mut description = None;
        while !is_log
            && sniffed < SNIFFED_BYTES
            && let Some(block) = framer.next_block()
        {
            if self.options.stop.load(Ordering::Relaxed) {
                self.stopped = true;
                return Found::Other;
            }
            let parsed = parse_safely(&block, origin);
            is_log = is_audit_log(&parsed);
            description = description.or_else(|| describe(&block, &parsed));
            sniffed += block.bytes.len();
            undecided.push(ReadBlock::Parsed(parsed, block.bytes.len()));
        }
        if let Some(description) = description
            && !is_log
        {
            self.refused.push(Problem::of_file(&origin.file, description));
            return Found::Other;
        }
        self.logs += 1;
        if undecided.is_empty() && !is_log {
            return Found::Nothing;
        }
        let others = std::iter::from_fn(|| framer.next_block().map(ReadBlock::Unparsed));
        for block in undecided.into_iter().chain(others) {
            let stop = self.options.stop.load(Ordering::Relaxed);
            if stop || !(self.take)(origin, block) {
                self.stopped = true;
                break;
            }
        }
        Found::Log
    }

    fn cannot_read(&mut self, name: &str, error: &io::Error) {
        self.broken.push(Problem::of_file(name, format!("cannot be read: {error}")));
    }

    fn refuse(&mut self, name: &str, reason: &str) {
        self.refused.push(Problem::of_file(name, format!("not an audit log: {reason}")));
    }

    fn into_outcome(mut self, name: &str) -> Outcome {
        let is_short = self.digest.is_some_and(|digest| self.counter.of_source() < digest.length);
        if is_short && self.logs > 0 && self.broken.is_empty() && !self.stopped {
            let message = "file became shorter while it was read";
            self.broken.push(Problem::of_file(name, message));
        }
        let mut problems =
            self.broken.into_problems(name, "more members could not be read completely");
        problems.extend(self.refused.into_problems(name, "more members are not audit logs"));
        let notes = self.notes.into_problems(name, "more members are empty");
        Outcome { logs: self.logs, stopped: self.stopped, problems, notes }
    }
}
