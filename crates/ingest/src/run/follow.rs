//! Follows logs that grow and rotate.
//!
//! A file is identified by its identity on disk, not by its name: a file that rotation renames is read on, and a file
//! that takes its name is a new one. Polling works on every file system, network file systems included. Only complete
//! lines are read. Positions are not stored: the next run reads the files again, and the lake recognizes duplicates.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(feature = "lake")]
use podtrail_lake::LogObject;

use crate::error::IngestError;
use crate::framing::span::Place;
use crate::run::options::Options;
use crate::run::pipeline::{Run, leave, run};
use crate::run::progress::Progress;
use crate::run::sink::Sink;
use crate::run::split_records::Line;
#[cfg(feature = "lake")]
use crate::run::summary::Problem;
use crate::run::summary::Summary;
use crate::source::decompress::is_plain;
use crate::source::input::Input;
use crate::source::sniff::SNIFFED_BYTES;
use crate::source::walk::{Growth, Source, SourceKind, Sources};

/// How often the stop flag is checked while idle.
const NAP: Duration = Duration::from_millis(100);

/// Reads `inputs` into `sink` as they grow, until [`Options::stop`] is set. Polls them at the interval `every`, and
/// commits new events after each poll.
///
/// Calls `report` with the summary of each poll that read anything. Returns the summary of the whole run, which is
/// interrupted if the run was stopped while it was reading.
///
/// # Errors
/// Returns an error if the sink rejects the rows.
pub fn follow(
    sink: &mut dyn Sink,
    inputs: &[Input],
    options: &Options,
    every: Duration,
    progress: &dyn Progress,
    report: &mut dyn FnMut(&Summary),
) -> Result<Summary, IngestError> {
    let started = Instant::now();
    let mut followed = Followed::default();
    let mut total = Summary::default();
    progress.started(0, 0);
    loop {
        let look = Instant::now();
        let summary = followed.look(sink, inputs, options, progress)?;
        let is_news = summary.records > 0 || !summary.warnings.is_empty();
        if is_news || !summary.problems.is_empty() || summary.interrupted {
            report(&summary);
        }
        total.add(&summary);
        // Quarantined records are already counted. Problems of inputs are reported once, so there are few.
        let of_inputs = summary.problems.into_iter().filter(|problem| problem.offset.is_none());
        total.problems.extend(of_inputs);
        while look.elapsed() < every {
            if options.stop.load(Ordering::Relaxed) {
                break;
            }
            thread::sleep(NAP.min(every.saturating_sub(look.elapsed())));
        }
        if options.stop.load(Ordering::Relaxed) {
            total.add(&followed.leave(sink, options, progress)?);
            total.seconds = started.elapsed().as_secs_f64();
            return Ok(total);
        }
    }
}

/// What identifies a file independently of its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    #[cfg(not(unix))]
    Path(PathBuf),
}

impl Identity {
    #[cfg(unix)]
    fn of(file: &File, _: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata()?;
        Ok(Self::Inode(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of(_: &File, path: &Path) -> io::Result<Self> {
        path.canonicalize().map(Self::Path)
    }
}

/// The files found so far.
#[derive(Default)]
struct Followed {
    files: HashMap<Identity, Tail>,
    /// Split records whose last part has not arrived.
    split: Vec<Line>,
    /// The contents of each object that were read.
    #[cfg(feature = "lake")]
    objects: HashMap<String, Contents>,
    /// Problems that were already reported: file and message.
    reported: HashSet<(String, String)>,
}

/// What distinguishes the contents of an object from others that had its name: an object does not grow.
#[cfg(feature = "lake")]
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    e_tag: Option<String>,
    size: u64,
}

#[cfg(feature = "lake")]
impl Contents {
    fn new(object: &LogObject) -> Self {
        Self { e_tag: object.e_tag.clone(), size: object.size }
    }

    /// Returns the name of a source that is an object, and its contents.
    fn of(source: &Source) -> Option<(String, Self)> {
        match &source.kind {
            SourceKind::Object(object) => Some((source.name.clone(), Self::new(object))),
            _ => None,
        }
    }
}

/// A file, and the position up to which it was read.
struct Tail {
    file: File,
    name: String,
    path: PathBuf,
    read: Place,
    state: State,
    /// Whether the last poll found it.
    is_there: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was read yet.
    New,
    /// An audit log that may grow.
    Log,
    /// Read completely, once, or not an audit log.
    Done,
}

impl Followed {
    fn look(
        &mut self,
        sink: &mut dyn Sink,
        inputs: &[Input],
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<Summary, IngestError> {
        let expanded = Sources::expand(inputs, &options.exclude, options.shard);
        self.files.values_mut().for_each(|tail| tail.is_there = false);
        #[cfg(feature = "lake")]
        let mut objects = Vec::new();
        for source in expanded.sources {
            match source.kind {
                // A file that vanished was rotated: the next poll finds its new name.
                SourceKind::File(path) => drop(self.meet(path, source.name)),
                #[cfg(feature = "lake")]
                SourceKind::Object(object) if self.is_new(&object) => {
                    let name = source.name;
                    objects.push(Source { name, kind: SourceKind::Object(object) });
                }
                _ => {}
            }
        }

        let mut grown = Vec::new();
        let mut sources = Vec::new();
        for (identity, tail) in &mut self.files {
            match tail.growth() {
                Ok(Some((source, to))) => {
                    sources.push(source);
                    grown.push((identity.clone(), to));
                }
                Ok(None) => {}
                // Unreadable for now. If that persists, `meet` no longer finds it either.
                Err(_) => tail.is_there = false,
            }
        }
        #[cfg(feature = "lake")]
        let read: Vec<_> = objects.iter().filter_map(Contents::of).collect();
        #[cfg(feature = "lake")]
        sources.append(&mut objects);
        let Run { mut summary, logs } =
            run(sink, Box::new(io::empty()), &sources, options, progress, Some(&mut self.split))?;
        for ((identity, to), logs) in grown.into_iter().zip(logs) {
            if let Some(tail) = self.files.get_mut(&identity) {
                tail.advance(to, logs > 0);
            }
        }
        // An object that could not be read is read again.
        #[cfg(feature = "lake")]
        self.objects.extend(read.into_iter().filter(|(name, _)| {
            let is_unread = |problem: &Problem| {
                problem.file == *name && problem.message.starts_with("cannot be read")
            };
            !summary.interrupted && !summary.problems.iter().any(is_unread)
        }));
        // A file that vanished has just been read to its end.
        self.files.retain(|_, tail| tail.is_there);
        summary.problems.splice(0..0, expanded.problems);
        // A persistent problem of an input is reported once.
        summary.problems.retain(|problem| {
            problem.offset.is_some()
                || self.reported.insert((problem.file.clone(), problem.message.clone()))
        });
        let reported = &mut self.reported;
        summary.warnings.retain(|warning| reported.insert((String::new(), warning.clone())));
        summary.notes.clear();
        Ok(summary)
    }

    /// Stores what can be read of incomplete split records.
    fn leave(
        &mut self,
        sink: &mut dyn Sink,
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<Summary, IngestError> {
        if self.split.is_empty() {
            return Ok(Summary::default());
        }
        let options = Options { stop: Arc::default(), ..options.clone() };
        let mut split = std::mem::take(&mut self.split);
        leave(sink, &options, progress, &mut split)
    }

    /// Returns whether an object has contents that were not read yet.
    #[cfg(feature = "lake")]
    fn is_new(&self, object: &LogObject) -> bool {
        self.objects.get(&object.name) != Some(&Contents::new(object))
    }

    /// Registers a file.
    fn meet(&mut self, path: PathBuf, name: String) -> io::Result<()> {
        let file = File::open(&path)?;
        let identity = Identity::of(&file, &path)?;
        let tail = self.files.entry(identity).or_insert_with(|| Tail {
            file,
            name: String::new(),
            path: PathBuf::new(),
            read: Place::START,
            state: State::New,
            is_there: true,
        });
        (tail.path, tail.name, tail.is_there) = (path, name, true);
        Ok(())
    }
}

impl Tail {
    /// Returns the part to read now, if any.
    fn growth(&mut self) -> io::Result<Option<(Source, Place)>> {
        let length = self.file.metadata()?.len();
        if length < self.read.offset {
            // The file was truncated and is written from the start.
            (self.read, self.state) = (Place::START, State::New);
        }
        if self.state == State::Done || length == self.read.offset {
            return Ok(None);
        }
        let name = self.name.clone();
        if self.state == State::New && !is_plain(&self.file)? {
            let kind = SourceKind::File(self.path.clone());
            return Ok(Some((Source { name, kind }, Place { offset: length, line: 1 })));
        }
        let to = self.whole_lines(length)?;
        if to.offset == self.read.offset {
            return Ok(None);
        }
        let growth = Growth { file: self.file.try_clone()?, from: self.read, to: to.offset };
        Ok(Some((Source { name, kind: SourceKind::Growth(growth) }, to)))
    }

    /// Returns the end of the last complete line; for a file that vanished, its end.
    fn whole_lines(&mut self, length: u64) -> io::Result<Place> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.read.offset))?;
        let mut rest = file.take(length - self.read.offset);
        let mut end = self.read;
        let mut at = self.read.offset;
        let mut chunk = vec![0; 256 * 1024];
        loop {
            let count = match rest.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            for newline in memchr::memchr_iter(b'\n', &chunk[..count]) {
                end = Place { offset: at + newline as u64 + 1, line: end.line + 1 };
            }
            at += count as u64;
        }
        if !self.is_there {
            end.offset = at;
        }
        Ok(end)
    }

    fn advance(&mut self, to: Place, is_log: bool) {
        let was_whole = to.line == Place::START.line;
        self.state = match self.state {
            State::New if was_whole => State::Done,
            // An audit log may begin with other lines.
            State::New if !is_log && to.offset < SNIFFED_BYTES as u64 => return,
            State::New if !is_log => State::Done,
            _ => State::Log,
        };
        self.read = to;
    }
}
