//! The pack: the built-in detections, and those of folders that extend or replace them.
//!
//! Besides `<family>/<id>.sql`, a folder may contain `<family>/family.yaml` with texts, `tables/<name>.csv` and
//! `views/<name>.sql`, which its detections share, and `exceptions/<name>.yaml`. The folder `hunts/` is for [`SavedQuery`](crate::SavedQuery).

pub(crate) mod attack_names;
pub(crate) mod built_in;
pub(crate) mod detection;
pub(crate) mod exception;
pub(crate) mod exceptions;
pub(crate) mod facts;
pub(crate) mod head;
pub(crate) mod lookup_table;
pub(crate) mod navigator;
pub(crate) mod pattern;
pub(crate) mod saved_query;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use chrono::{DateTime, Utc};
use podtrail_query::{QueryError, Session};
use walkdir::WalkDir;

use crate::indicators::{INDICATORS, Indicators};
use crate::pack::attack_names::AttackNames;
use crate::pack::built_in::{BUILT_IN, SAVED};
use crate::pack::detection::{Detection, HeadError, Input, ParameterError};
use crate::pack::exceptions::{
    Exception, ExceptionError, ExceptionLimits, Origin, parse_exceptions,
};
use crate::pack::head::Family;
use crate::pack::lookup_table::TableError;
use crate::text_file::{MAX_WRITTEN, read_text};

/// The maximum size of a table file, in bytes: some are indicator lists that a program writes.
const MAX_TABLE: u64 = 16 << 20;

/// The detections, ordered by id.
#[derive(Debug, Clone, Default)]
pub struct Pack {
    detections: BTreeMap<String, Detection>,
    /// By the name of their folders.
    families: BTreeMap<String, Family>,
    tables: BTreeMap<String, RecordBatch>,
    /// SQL by name.
    pub(crate) views: BTreeMap<String, String>,
    exceptions: Vec<Exception>,
    indicators: Indicators,
    /// BLAKE3 of the file of each detection, table and view.
    digests: BTreeMap<(FileRole, String), blake3::Hash>,
}

/// The role of a file in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FileRole {
    Detection,
    Table,
    View,
}

/// Why a pack could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file is not a detection.
    #[error("{}: {source}", path.display())]
    Head {
        /// The file.
        path: PathBuf,
        /// The problem.
        source: HeadError,
    },
    /// A file is not a table.
    #[error("{}: {source}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The problem.
        source: TableError,
    },
    /// A file is not a list of exceptions.
    #[error(transparent)]
    Exceptions(#[from] ExceptionError),
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The folder contains no `.sql` file.
    #[error("{}: no detection in this folder; expected files <family>/<id>.sql", .0.display())]
    Empty(PathBuf),
}

impl Pack {
    /// Returns the detections compiled into the binary.
    ///
    /// # Errors
    /// Returns an error only if a built-in file is invalid, which is a bug.
    pub fn built_in() -> Result<Self, PackError> {
        let mut pack = Self::default();
        let mut folders = vec![&BUILT_IN];
        let mut added = BTreeSet::new();
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            for file in folder.files() {
                if let Some(text) = file.contents_utf8() {
                    added.extend(pack.add(&Path::new("queries").join(file.path()), text)?);
                }
            }
        }
        pack.complete(&added);
        for exception in &mut pack.exceptions {
            exception.origin = Origin::BuiltIn;
        }
        Ok(pack)
    }

    /// Adds the detections of a folder and its subfolders; a detection with a known id replaces the existing one.
    ///
    /// # Errors
    /// If the folder cannot be read, contains no detection, or one of them is invalid.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), PackError> {
        let mut found = false;
        let mut added = BTreeSet::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.map_err(|error| PackError::Read {
                path: error.path().unwrap_or(folder).to_owned(),
                source: error.into(),
            })?;
            let is_ours =
                |extension: &OsStr| ["sql", "csv", "yaml"].iter().any(|ours| extension == *ours);
            if entry.path().extension().is_some_and(is_ours) {
                let is_table = entry.path().extension().is_some_and(|extension| extension == "csv");
                let most = if is_table { MAX_TABLE } else { MAX_WRITTEN };
                let text = read_text(entry.path(), most)
                    .map_err(|source| PackError::Read { path: entry.path().to_owned(), source })?;
                added.extend(self.add(entry.path(), &text)?);
                found = true;
            }
        }
        self.complete(&added);
        if found { Ok(()) } else { Err(PackError::Empty(folder.to_owned())) }
    }

    /// Adds the shared texts of their families to these detections.
    fn complete(&mut self, ids: &BTreeSet<String>) {
        for id in ids {
            let Some(detection) = self.detections.get_mut(id) else { continue };
            if let Some(family) = self.families.get(&*detection.family()) {
                family.complete(&mut detection.head);
            }
        }
    }

    /// Adds a file, and returns the id of the detection in it.
    fn add(&mut self, path: &Path, text: &str) -> Result<Option<String>, PackError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = path.parent().and_then(Path::file_name).and_then(OsStr::to_str);
        match (folder, path.extension().and_then(OsStr::to_str)) {
            (Some("tables"), Some("csv")) => {
                let table = lookup_table::read(text)
                    .map_err(|source| PackError::Table { path: path.to_owned(), source })?;
                self.tables.insert(name.clone(), table);
                self.digests.insert((FileRole::Table, name), blake3::hash(text.as_bytes()));
            }
            (Some("views"), Some("sql")) => {
                self.views.insert(name.clone(), text.to_owned());
                self.digests.insert((FileRole::View, name), blake3::hash(text.as_bytes()));
            }
            (Some("exceptions"), Some("yaml")) => {
                // As with detections, an exception with a known id replaces the existing one.
                let exceptions = parse_exceptions(path, text)?;
                self.exceptions.retain(|known| exceptions.iter().all(|new| new.id != known.id));
                self.exceptions.extend(exceptions);
            }
            // Saved queries, not detections.
            (Some(SAVED), Some("sql")) => {}
            (Some(family), Some("yaml")) if name == "family" => {
                let texts = Family::parse(text)
                    .map_err(|source| PackError::Head { path: path.to_owned(), source })?;
                self.families.insert(family.to_owned(), texts);
            }
            (_, Some("sql")) => {
                let mut detection = Detection::parse(&name, text)
                    .map_err(|source| PackError::Head { path: path.to_owned(), source })?;
                path.clone_into(&mut detection.file);
                self.detections.insert(name.clone(), detection);
                let digest = blake3::hash(text.as_bytes());
                self.digests.insert((FileRole::Detection, name.clone()), digest);
                return Ok(Some(name));
            }
            _ => {}
        }
        Ok(None)
    }

    /// Returns what the detections of a family look at; empty without a file `family.yaml`.
    pub fn family_title(&self, family: &str) -> &str {
        self.families.get(family).map_or("", |family| &family.title)
    }

    /// Returns the id of the detection that has this id, or had it before.
    fn current_id(&self, id: &str) -> Option<&str> {
        let has_alias = |detection: &&Detection| detection.head.aliases.iter().any(|a| a == id);
        let detection = self.detections.get(id).or_else(|| self.detections().find(has_alias))?;
        Some(&detection.head.id)
    }

    /// Returns the names of ATT&CK, from the tables `attack_techniques`, `attack_tactics` and `attack_successors`.
    pub fn attack_names(&self) -> AttackNames {
        AttackNames::new(
            self.pairs("attack_techniques", ["id", "name"]),
            self.pairs("attack_tactics", ["id", "name"]),
            self.pairs("attack_successors", ["old", "new"]),
        )
    }

    /// Returns two columns of a shared table; nothing if the table does not exist.
    fn pairs(&self, table: &str, columns: [&str; 2]) -> impl Iterator<Item = (&str, &str)> {
        let table = self.tables.get(table);
        let [left, right] = columns.map(|column| {
            let column =
                table.and_then(|table| table.column_by_name(column)?.as_string_opt::<i32>());
            column.into_iter().flatten()
        });
        left.zip(right).filter_map(|(left, right)| left.zip(right))
    }

    /// Returns the session with the shared tables and views, and the indicators that have not expired at `now`.
    ///
    /// # Errors
    /// If a view is not a query, or views read each other in a circle.
    pub fn prepare(&self, session: &Session, now: DateTime<Utc>) -> Result<Session, QueryError> {
        let indicators = self.indicators.table(now);
        let indicators = indicators.map_err(|error| QueryError::Sql(error.into()))?;
        let tables = self.tables.iter().map(|(name, table)| (name.as_str(), table.clone()));
        session.with_tables(tables.chain([(INDICATORS, indicators)]))?.with_views(&self.views)
    }

    /// Returns the detections that an exception covers only if it names them by full id, from the table
    /// `never_excepted`: their findings, such as attacker commands, are never part of ordinary work.
    pub fn never_excepted(&self) -> BTreeSet<String> {
        self.pairs("never_excepted", ["detection", "why"]).map(|(id, _)| id.to_owned()).collect()
    }

    /// Returns those of them that are not lowered either if their events are routine.
    pub(crate) fn never_routine(&self) -> BTreeSet<String> {
        let rows = self.pairs("never_excepted", ["detection", "may_be_routine"]);
        rows.filter(|(_, may_be)| *may_be == "no").map(|(id, _)| id.to_owned()).collect()
    }

    /// Returns the limits of what exceptions may cover.
    pub(crate) fn limits_of_exceptions(&self) -> ExceptionLimits {
        let by_hand = self.pairs("client_tools", ["tool", "kind"]);
        let by_hand =
            by_hand.filter(|(_, kind)| *kind != "library").map(|(tool, _)| tool.to_owned());
        let aliases = self.detections().filter(|detection| !detection.head.aliases.is_empty());
        let aliases =
            aliases.map(|Detection { head, .. }| (head.id.clone(), head.aliases.clone())).collect();
        ExceptionLimits { never: self.never_excepted(), aliases, by_hand: by_hand.collect() }
    }

    /// Returns the views and columns that no detection has to read, from the table `unread_columns`, if it exists.
    pub(crate) fn unread_columns(&self) -> Option<BTreeSet<(&str, &str)>> {
        let is_there = self.tables.contains_key("unread_columns");
        is_there.then(|| self.pairs("unread_columns", ["view", "column"]).collect())
    }

    /// Returns the SQL of the detections and of their shared views.
    pub(crate) fn queries(&self) -> impl Iterator<Item = &str> {
        let detections = self.detections.values().map(|detection| detection.sql.as_str());
        detections.chain(self.views.values().map(String::as_str))
    }

    /// Returns the exceptions, in the order in which they were read.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// Adds exceptions.
    pub fn add_exceptions(&mut self, exceptions: impl IntoIterator<Item = Exception>) {
        self.exceptions.extend(exceptions);
    }

    /// Replaces the indicators that its detections search for.
    pub fn set_indicators(&mut self, indicators: Indicators) {
        self.indicators = indicators;
    }

    /// Removes all exceptions.
    pub fn clear_exceptions(&mut self) {
        self.exceptions.clear();
    }

    /// Sets a parameter of the detection with this id or alias to the value of `text`. An unknown id has no effect.
    ///
    /// # Errors
    /// If it has no such parameter, or the text does not have its type; the pack must not be used then.
    pub fn set_parameter(
        &mut self,
        id: &str,
        name: &str,
        text: &str,
    ) -> Result<(), ParameterError> {
        let id = self.current_id(id).map(str::to_owned);
        match id.and_then(|id| self.detections.get_mut(&id)) {
            Some(detection) => detection.set_parameter(name, text),
            None => Ok(()),
        }
    }

    /// Returns the detections, ordered by id.
    pub fn detections(&self) -> impl Iterator<Item = &Detection> {
        self.detections.values()
    }

    /// Returns the ids of the detections that add up the findings of others.
    pub fn combined(&self) -> BTreeSet<String> {
        let combined = self.detections().filter(|detection| detection.head.input == Input::Facts);
        combined.map(|detection| detection.head.id.clone()).collect()
    }

    /// Returns a pack of only the detection with this id or alias, with all tables and views but no exceptions.
    #[must_use]
    pub fn only(&self, id: &str) -> Self {
        let mut pack = self.clone();
        pack.keep(|detection| detection.has_id(id));
        pack.clear_exceptions();
        pack
    }

    /// Returns BLAKE3, in hexadecimal digits, over the files of its detections, tables and views and over the
    /// parameters that were set: packs with the same digest detect the same. Exceptions are not included.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for ((part, name), digest) in &self.digests {
            // Detections may have been removed.
            if *part != FileRole::Detection || self.detections.contains_key(name) {
                hasher.update(blake3::hash(name.as_bytes()).as_bytes());
                hasher.update(digest.as_bytes());
            }
        }
        for (id, detection) in &self.detections {
            for text in detection.set_parameters().iter().flat_map(|(name, text)| [id, name, text])
            {
                hasher.update(blake3::hash(text.as_bytes()).as_bytes());
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Returns the ids of the detections for each ATT&CK technique that they name.
    pub fn techniques(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut techniques: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for detection in self.detections() {
            for technique in &detection.head.attack {
                techniques.entry(technique).or_default().push(&detection.head.id);
            }
        }
        techniques
    }

    /// Removes the detections for which `keep` returns false.
    pub fn keep(&mut self, keep: impl Fn(&Detection) -> bool) {
        self.detections.retain(|_, detection| keep(detection));
    }

    /// Returns the detection with this id or alias.
    pub fn get(&self, id: &str) -> Option<&Detection> {
        self.detections.get(self.current_id(id)?)
    }
}
