//! Reads of a file at any position, for the Parquet library.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::store::patient::COLLECTED;
use crate::store::waiting::{plain, wait};

/// The size of a block of a larger one: a request takes as long as the transfer of about a megabyte.
const BLOCK: u64 = 2 << 20;

/// The number of blocks of a file in memory.
const KEPT_BLOCKS: usize = 8;

/// A file that was opened.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    size: u64,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    File(Arc<File>),
    Whole(Bytes),
    Blocks(Arc<Blocks>),
}

impl Opened {
    /// Returns a file on disk.
    pub(crate) fn file(file: File, size: u64) -> Self {
        Self { size, source: Source::File(Arc::new(file)) }
    }

    /// Opens an object. A small one is read at once.
    pub(crate) fn object(objects: &Arc<dyn ObjectStore>, path: &StorePath) -> io::Result<Self> {
        let (store, place) = (objects.clone(), path.clone());
        let (size, whole) = wait(async move {
            let found = store.get(&place).await?;
            let size = found.meta.size;
            // Dropped unread, the answer of a large object ends its transfer.
            let whole = if size <= COLLECTED { Some(found.bytes().await?) } else { None };
            Ok((size, whole))
        })?;
        let source = match whole {
            Some(whole) if whole.len() as u64 != size => return Err(truncated(size, whole.len())),
            Some(whole) => Source::Whole(whole),
            None => {
                let (store, path, kept) = (objects.clone(), path.clone(), Mutex::default());
                Source::Blocks(Arc::new(Blocks { store, path, size, kept }))
            }
        };
        Ok(Self { size, source })
    }

    /// Returns its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn bytes(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let end = start.saturating_add(length as u64);
        if end > self.size {
            return Err(truncated(end, usize::try_from(self.size).unwrap_or(usize::MAX)));
        }
        match &self.source {
            Source::File(file) => {
                let mut reader = file.try_clone()?;
                reader.seek(SeekFrom::Start(start))?;
                let mut buffer = Vec::with_capacity(length);
                let read = reader.take(length as u64).read_to_end(&mut buffer)?;
                if read == length { Ok(buffer.into()) } else { Err(truncated(end, read)) }
            }
            Source::Whole(whole) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                Ok(whole.slice(start..start + length))
            }
            Source::Blocks(blocks) => blocks.bytes(start, end),
        }
    }
}

fn truncated(expected: u64, found: usize) -> io::Error {
    let message = format!("truncated: expected {expected} bytes, read {found}");
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}

impl Length for Opened {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Opened {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        if let Source::File(file) = &self.source {
            let mut reader = file.try_clone()?;
            reader.seek(SeekFrom::Start(start))?;
            return Ok(Box::new(BufReader::new(reader)));
        }
        Ok(Box::new(Following { file: self.clone(), position: start, ahead: Bytes::new() }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(self.bytes(start, length)?)
    }
}

/// A stream of an object from a position on.
struct Following {
    file: Opened,
    position: u64,
    ahead: Bytes,
}

impl Read for Following {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            let end = (self.position / BLOCK + 1).saturating_mul(BLOCK).min(self.file.size);
            if self.position >= end {
                return Ok(0);
            }
            let length = usize::try_from(end - self.position).unwrap_or(usize::MAX);
            self.ahead = self.file.bytes(self.position, length)?;
            self.position = end;
        }
        let count = buffer.len().min(self.ahead.len());
        self.ahead.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// An object that is read in blocks.
#[derive(Debug)]
struct Blocks {
    store: Arc<dyn ObjectStore>,
    path: StorePath,
    size: u64,
    /// The blocks read last, with their numbers.
    kept: Mutex<VecDeque<(u64, Bytes)>>,
}

impl Blocks {
    fn bytes(&self, start: u64, end: u64) -> io::Result<Bytes> {
        if start == end {
            return Ok(Bytes::new());
        }
        if end - start > BLOCK {
            // The chunk of a column: read once, and larger than what is kept.
            return self.request(start, end);
        }
        let (first, last) = (start / BLOCK, (end - 1) / BLOCK);
        if first == last {
            let block = self.block(first)?;
            let from = usize::try_from(start - first * BLOCK).unwrap_or(usize::MAX);
            let to = usize::try_from(end - first * BLOCK).unwrap_or(usize::MAX);
            return Ok(block.slice(from..to));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(end - start).unwrap_or_default());
        for number in first..=last {
            let block = self.block(number)?;
            let at =
                |position: u64| usize::try_from(position - number * BLOCK).unwrap_or(usize::MAX);
            let from = at(start.max(number * BLOCK));
            let to = at(end.min((number + 1) * BLOCK));
            bytes.extend_from_slice(&block[from..to]);
        }
        Ok(bytes.into())
    }

    fn block(&self, number: u64) -> io::Result<Bytes> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, block)) = kept().iter().find(|(kept, _)| *kept == number) {
            return Ok(block.clone());
        }
        let start = number * BLOCK;
        let block = self.request(start, (start + BLOCK).min(self.size))?;
        let mut kept = kept();
        if kept.len() == KEPT_BLOCKS {
            kept.pop_front();
        }
        kept.push_back((number, block.clone()));
        Ok(block)
    }

    fn request(&self, start: u64, end: u64) -> io::Result<Bytes> {
        let (store, path) = (self.store.clone(), self.path.clone());
        let bytes = wait(async move { store.get_range(&path, start..end).await })?;
        if bytes.len() as u64 == end - start {
            Ok(bytes)
        } else {
            Err(truncated(end - start, bytes.len()))
        }
    }
}

/// Reads an object to its end; `None` if it does not exist.
pub(crate) async fn whole(
    objects: &dyn ObjectStore,
    path: &StorePath,
) -> object_store::Result<Option<Bytes>> {
    match objects.get(path).await {
        Ok(found) => {
            let size = found.meta.size;
            let bytes = found.bytes().await?;
            if bytes.len() as u64 == size {
                return Ok(Some(bytes));
            }
            let source = plain_source(&truncated(size, bytes.len()));
            Err(object_store::Error::Generic { store: "object store", source })
        }
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn plain_source(error: &io::Error) -> Box<dyn std::error::Error + Send + Sync> {
    error.to_string().into()
}

/// As [`whole`], from code that blocks.
pub(crate) fn read_whole(
    objects: &Arc<dyn ObjectStore>,
    path: StorePath,
) -> io::Result<Option<Bytes>> {
    let objects = objects.clone();
    wait(async move { whole(&*objects, &path).await })
}

/// Returns the error of a path that no store can have.
pub(crate) fn bad_path(error: object_store::path::Error) -> io::Error {
    plain(error.into())
}
