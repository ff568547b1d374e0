//! The pack: the detections compiled into the binary, and those of a folder laid over them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use walkdir::WalkDir;

use crate::detection::{Detection, HeadError};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../queries");

/// Detections, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Pack {
    detections: BTreeMap<String, Detection>,
}

/// Why a pack could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file is not a detection.
    #[error("{}: {source}", path.display())]
    Head {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: HeadError,
    },
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder holds no `.sql` file.
    #[error("{}: no detection in this folder: one is a file <family>/<id>.sql", .0.display())]
    Empty(PathBuf),
}

impl Pack {
    /// The detections compiled into the binary.
    ///
    /// # Errors
    /// Never in a build whose tests pass.
    pub fn built_in() -> Result<Self, PackError> {
        let mut pack = Self::default();
        let mut folders = vec![&BUILT_IN];
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            for file in folder.files() {
                if let Some(text) = file.contents_utf8() {
                    pack.add(file.path(), text)?;
                }
            }
        }
        Ok(pack)
    }

    /// Adds the detections of a folder and its subfolders; one with a known id replaces it.
    ///
    /// # Errors
    /// When the folder cannot be read, holds none, or one of them is wrong.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), PackError> {
        let mut found = false;
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.map_err(|error| PackError::Read {
                path: error.path().unwrap_or(folder).to_owned(),
                source: error.into(),
            })?;
            if entry.path().extension().is_some_and(|extension| extension == "sql") {
                let text = std::fs::read_to_string(entry.path())
                    .map_err(|source| PackError::Read { path: entry.path().to_owned(), source })?;
                self.add(entry.path(), &text)?;
                found = true;
            }
        }
        if found { Ok(()) } else { Err(PackError::Empty(folder.to_owned())) }
    }

    fn add(&mut self, path: &Path, text: &str) -> Result<(), PackError> {
        if path.extension().is_none_or(|extension| extension != "sql") {
            return Ok(());
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let detection = Detection::parse(&name, text)
            .map_err(|source| PackError::Head { path: path.to_owned(), source })?;
        self.detections.insert(detection.head.id.clone(), detection);
        Ok(())
    }

    /// The detections, in the order of their ids.
    pub fn detections(&self) -> impl Iterator<Item = &Detection> {
        self.detections.values()
    }

    /// A pack of the detection with this id alone; empty where there is none.
    #[must_use]
    pub fn only(&self, id: &str) -> Self {
        let detections = self.detections.get_key_value(id);
        let detections = detections.map(|(id, detection)| (id.clone(), detection.clone()));
        Self { detections: detections.into_iter().collect() }
    }

    /// The detection with this id.
    pub fn get(&self, id: &str) -> Option<&Detection> {
        self.detections.get(id)
    }
}
