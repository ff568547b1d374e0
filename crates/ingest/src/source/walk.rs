//! Expands inputs into the files and streams to read.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use glob::MatchOptions;
#[cfg(feature = "lake")]
use podtrail_lake::{LogObject, LogObjects};
use walkdir::WalkDir;

use crate::envelope::Place;
use crate::run::summary::Problem;
use crate::source::input::Input;
use crate::source::shard::Shard;

/// The name of standard input in messages and in the lake.
pub(crate) const STDIN_NAME: &str = "-";

/// A file or stream to read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) kind: SourceKind,
}

#[derive(Debug)]
pub(crate) enum SourceKind {
    Stdin,
    /// A regular file: it is hashed, and read up to its length at that time.
    File(PathBuf),
    /// A named pipe or device, which can be read only once.
    Stream(PathBuf),
    /// What was appended to a file since the last poll.
    Growth(Growth),
    /// An object, with the contents that it had when it was listed.
    #[cfg(feature = "lake")]
    Object(LogObject),
}

/// Complete lines of a growing file.
#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) file: File,
    /// The position at which they begin.
    pub(crate) from: Place,
    /// The offset in bytes at which they end.
    pub(crate) to: u64,
}

/// The sources in the given order, folders sorted by file name, and the problems of the inputs.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) sources: Vec<Source>,
    pub(crate) bytes_total: u64,
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<Problem>,
    seen: HashSet<PathBuf>,
    exclude: Vec<PathBuf>,
    shard: Option<Shard>,
    /// The same as given, for URLs.
    #[cfg(feature = "lake")]
    exclude_urls: Vec<String>,
}

impl Sources {
    /// Expands `inputs`. A file that is named more than once is read once.
    pub(crate) fn expand(inputs: &[Input], exclude: &[PathBuf], shard: Option<Shard>) -> Self {
        let mut sources = Self { shard, ..Self::default() };
        #[cfg(feature = "lake")]
        sources.exclude_urls.extend(exclude.iter().filter_map(|path| url_of_folder(path)));
        sources.exclude = exclude.iter().filter_map(|path| path.canonicalize().ok()).collect();
        for input in inputs {
            match input {
                Input::Stdin => sources.add_stdin(),
                Input::Path(path) => sources.add_path(path),
                Input::Glob(pattern) => sources.add_glob(pattern),
                #[cfg(feature = "lake")]
                Input::Objects(objects) => sources.add_objects(objects),
            }
        }
        sources
    }

    fn add_stdin(&mut self) {
        if self.seen.insert(PathBuf::from(STDIN_NAME)) {
            self.add(STDIN_NAME.to_owned(), SourceKind::Stdin, 0);
        }
    }

    fn add_glob(&mut self, pattern: &str) {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
        let matches = match glob::glob_with(pattern, options) {
            Ok(matches) => matches,
            Err(error) => return self.problem(pattern, format!("not a valid pattern: {error}")),
        };
        let mut any = false;
        for matched in matches {
            any = true;
            match matched {
                Ok(path) => self.add_path(&path),
                Err(error) => {
                    self.problem(&error.path().to_string_lossy(), error.error().to_string());
                }
            }
        }
        if !any {
            self.problem(pattern, "pattern matches no file".to_owned());
        }
    }

    #[cfg(feature = "lake")]
    fn add_objects(&mut self, objects: &LogObjects) {
        let found = match objects.find() {
            Ok(found) => found,
            Err(error) => return self.problem(&objects.to_string(), error.to_string()),
        };
        if found.is_empty() {
            return self.problem(&objects.to_string(), "no object has this name".to_owned());
        }
        let mut in_lake = None;
        for object in found {
            let lake = self.exclude_urls.iter().find(|lake| object.name.starts_with(*lake));
            if lake.is_some() {
                in_lake = lake.cloned().or(in_lake);
            } else if self.seen.insert(PathBuf::from(&object.name)) {
                let (name, size) = (object.name.clone(), object.size);
                self.add(name, SourceKind::Object(object), size);
            }
        }
        if let Some(lake) = in_lake {
            self.note(&lake, "not read: this folder is the lake".to_owned());
        }
    }

    fn add_path(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.add_folder(path),
            Ok(metadata) if metadata.is_file() => self.add_file(path, metadata.len()),
            Ok(_) => {
                let name = path.to_string_lossy().into_owned();
                self.add(name, SourceKind::Stream(path.to_owned()), 0);
            }
            Err(error) => self.problem(&path.to_string_lossy(), format!("cannot be read: {error}")),
        }
    }

    fn add_file(&mut self, path: &Path, length: u64) {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !self.exclude.contains(&canonical) && self.seen.insert(canonical) {
            let name = path.to_string_lossy().into_owned();
            self.add(name, SourceKind::File(path.to_owned()), length);
        }
    }

    fn add_folder(&mut self, folder: &Path) {
        let mut entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.add_walk_error(folder, &error);
                    continue;
                }
            };
            let name = entry.path().to_string_lossy();
            let kind = entry.file_type();
            if kind.is_dir() {
                if self.is_excluded(entry.path()) {
                    self.note(&name, "not read: this folder is the lake".to_owned());
                    entries.skip_current_dir();
                }
            } else if kind.is_file() {
                let length = entry.metadata().map_or(0, |metadata| metadata.len());
                self.add_file(entry.path(), length);
            } else {
                // A pipe in a folder could block the run forever; a user can name it explicitly.
                self.problem(&name, "not read: neither a regular file nor a folder".to_owned());
            }
        }
    }

    /// Adds a source, unless it belongs to another shard.
    fn add(&mut self, name: String, kind: SourceKind, length: u64) {
        if self.shard.is_none_or(|shard| shard.contains(&name)) {
            self.sources.push(Source { name, kind });
            self.bytes_total += length;
        }
    }

    fn is_excluded(&self, folder: &Path) -> bool {
        !self.exclude.is_empty()
            && folder.canonicalize().is_ok_and(|canonical| self.exclude.contains(&canonical))
    }

    fn add_walk_error(&mut self, folder: &Path, error: &walkdir::Error) {
        let path = error.path().unwrap_or(folder).to_string_lossy();
        if error.loop_ancestor().is_some() {
            return self.note(&path, "not followed: link to a parent folder".to_owned());
        }
        let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
        self.problem(&path, format!("cannot be read: {reason}"));
    }

    fn problem(&mut self, file: &str, message: String) {
        self.problems.push(Problem::of_file(file, message));
    }

    fn note(&mut self, file: &str, message: String) {
        self.notes.push(Problem::of_file(file, message));
    }
}

/// Returns the URL of an excluded folder with a slash at its end; `None` for a local path.
#[cfg(feature = "lake")]
fn url_of_folder(path: &Path) -> Option<String> {
    let url = path.to_str().filter(|url| url.contains("://"))?;
    Some(format!("{}/", url.trim_end_matches('/')))
}
