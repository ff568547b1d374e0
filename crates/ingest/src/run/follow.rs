//! Following logs that grow and rotate.
//!
//! A file is known by its identity on disk, not by its name, so one that is renamed by rotation is read on, and what takes
//! its name is a new file. Files are looked at again and again: that works on every file system, network ones included.
//! Only whole lines are read. Where the reading stood is not remembered beyond the run: the next one reads the files
//! again, and the table knows what it has.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::envelope::Place;
use crate::error::IngestError;
use crate::run::options::Options;
use crate::run::pipeline::{Run, leave, run};
use crate::run::progress::Progress;
use crate::run::sink::Sink;
use crate::run::split_records::Line;
use crate::run::summary::Summary;
use crate::source::decompress::is_plain;
use crate::source::input::Input;
use crate::source::sniff::SNIFFED_BYTES;
use crate::source::walk::{Growth, Source, SourceKind, Sources};

/// How often the stop flag is looked at while nothing is to be done.
const NAP: Duration = Duration::from_millis(100);

/// Reads `inputs` into `sink` as they grow, until [`Options::stop`] is set; looks at them every so often, and commits what
/// came since.
///
/// `told` hears what each look brought, if it brought anything. The summary is that of the whole run, and interrupted if
/// it was stopped while something was being read.
///
/// # Errors
/// When the sink does not take the rows.
pub fn follow(
    sink: &mut dyn Sink,
    inputs: &[Input],
    options: &Options,
    every: Duration,
    progress: &dyn Progress,
    told: &mut dyn FnMut(&Summary),
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
            told(&summary);
        }
        total.add(&summary);
        // What was quarantined is counted. The others are told once, so they are few.
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

/// What tells a file from all others, whatever its name.
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

/// The files that were seen.
#[derive(Default)]
struct Followed {
    files: HashMap<Identity, Tail>,
    /// Split records of which a part is still to come.
    split: Vec<Line>,
    /// What was told of inputs: file and message.
    told: HashSet<(String, String)>,
}

/// A file, and how far it was read.
struct Tail {
    file: File,
    name: String,
    path: PathBuf,
    read: Place,
    state: State,
    /// Whether the last look found it.
    is_there: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was read yet.
    New,
    /// An audit log that may grow.
    Log,
    /// Read once, as a whole, or no audit log.
    Done,
}

/// A part of a file to be read at one look.
struct Part {
    identity: Identity,
    to: Place,
}

impl Followed {
    fn look(
        &mut self,
        sink: &mut dyn Sink,
        inputs: &[Input],
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<Summary, IngestError> {
        let expanded = Sources::expand(inputs, &options.exclude);
        self.files.values_mut().for_each(|tail| tail.is_there = false);
        for source in expanded.sources {
            if let SourceKind::File(path) = source.kind {
                // A file that is gone again was rotated away: its new name is met at the next look.
                drop(self.meet(path, source.name));
            }
        }

        let mut parts = Vec::new();
        let mut sources = Vec::new();
        for (identity, tail) in &mut self.files {
            match tail.growth() {
                Ok(Some((source, to))) => {
                    sources.push(source);
                    parts.push(Part { identity: identity.clone(), to });
                }
                Ok(None) => {}
                // It cannot be looked at now; if that stays so, it is not there any more for `meet` either.
                Err(_) => tail.is_there = false,
            }
        }
        let Run { mut summary, logs } =
            run(sink, Box::new(io::empty()), &sources, options, progress, Some(&mut self.split))?;
        for (part, logs) in parts.into_iter().zip(logs) {
            if let Some(tail) = self.files.get_mut(&part.identity) {
                tail.advance(part.to, logs > 0);
            }
        }
        // What is gone was read to its end just now.
        self.files.retain(|_, tail| tail.is_there);
        summary.problems.splice(0..0, expanded.problems);
        // What is wrong with an input stays wrong: it is told once.
        summary.problems.retain(|problem| {
            problem.offset.is_some()
                || self.told.insert((problem.file.clone(), problem.message.clone()))
        });
        let told = &mut self.told;
        summary.warnings.retain(|warning| told.insert((String::new(), warning.clone())));
        summary.notes.clear();
        Ok(summary)
    }

    /// Stores what is left of split records.
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

    /// Takes note of a file.
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
    /// What is to be read now, and where that ends.
    fn growth(&mut self) -> io::Result<Option<(Source, Place)>> {
        let length = self.file.metadata()?.len();
        if length < self.read.offset {
            // It was emptied, and is written anew.
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

    /// The end of the last whole line; of a file that is gone, its end.
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
            // The first lines of an audit log may be of something else.
            State::New if !is_log && to.offset < SNIFFED_BYTES as u64 => return,
            State::New if !is_log => State::Done,
            _ => State::Log,
        };
        self.read = to;
    }
}
