//! Writes an object: at once if it is small, else in parts while it is being made.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use object_store::path::Path as StorePath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};
use tokio::task::JoinHandle;

use crate::store::NewFile;
use crate::store::waiting::{requests, wait};

/// The size of a part, and the largest object that is written at once. Stores require at least 5 MiB, and some that all
/// parts but the last have the same size.
const PART: usize = 16 << 20;

/// The number of parts that are sent at the same time: with the one being filled, a file takes 48 MiB of memory.
const SENT_AT_ONCE: usize = 2;

/// An object that is being written. Nobody sees it before it is closed.
pub(crate) struct Upload {
    objects: Arc<dyn ObjectStore>,
    path: StorePath,
    buffer: Vec<u8>,
    size: u64,
    parts: Option<Parts>,
}

struct Parts {
    upload: Box<dyn MultipartUpload>,
    sent: Vec<JoinHandle<object_store::Result<()>>>,
}

impl Upload {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, path: StorePath) -> Self {
        Self { objects, path, buffer: Vec::new(), size: 0, parts: None }
    }

    /// Sends the buffer as the next part.
    fn send(&mut self) -> io::Result<()> {
        let mut parts = if let Some(parts) = self.parts.take() {
            parts
        } else {
            let (objects, path) = (self.objects.clone(), self.path.clone());
            let upload = wait(async move { objects.put_multipart(&path).await })?;
            Parts { upload, sent: Vec::new() }
        };
        let is_full = parts.sent.len() == SENT_AT_ONCE;
        let first = if is_full { Some(parts.sent.remove(0)) } else { None };
        let sent = first.map_or(Ok(()), arrived).and_then(|()| {
            let part = parts.upload.put_part(std::mem::take(&mut self.buffer).into());
            parts.sent.push(requests()?.spawn(part));
            Ok(())
        });
        self.parts = Some(parts);
        sent
    }

    fn complete(&mut self) -> io::Result<()> {
        let (objects, path, size) = (self.objects.clone(), self.path.clone(), self.size);
        if self.parts.is_none() {
            let contents = std::mem::take(&mut self.buffer);
            return wait(async move { objects.put(&path, contents.into()).await }).map(drop);
        }
        if !self.buffer.is_empty() {
            self.send()?;
        }
        let Some(mut parts) = self.parts.take() else { return Ok(()) };
        for sent in std::mem::take(&mut parts.sent) {
            if let Err(error) = arrived(sent) {
                self.parts = Some(parts);
                return Err(error);
            }
        }
        let mut upload = parts.upload;
        let completed = wait(async move { upload.complete().await });
        let Err(error) = completed else { return Ok(()) };
        // The object may be complete although its writer did not learn it.
        match wait(async move { objects.head(&path).await }) {
            Ok(there) if there.size == size => Ok(()),
            _ => Err(error),
        }
    }
}

/// Waits until a part has arrived.
fn arrived(part: JoinHandle<object_store::Result<()>>) -> io::Result<()> {
    wait(async move { part.await? })
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == PART {
            self.send()?;
        }
        let count = bytes.len().min(PART - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewFile for Upload {
    fn close(mut self: Box<Self>) -> io::Result<u64> {
        self.complete()?;
        Ok(self.size)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Parts of an upload that is not completed are invisible, but cost money until they are removed.
        if let Some(Parts { mut upload, sent }) = self.parts.take() {
            sent.iter().for_each(JoinHandle::abort);
            if let Err(error) = wait(async move { upload.abort().await }) {
                tracing::debug!(path = %self.path, %error, "cannot remove the parts of an upload");
            }
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Upload").field(&self.path).finish()
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn an_object_is_written_at_once_or_in_parts() {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        for size in [0, 1, PART - 1, PART, PART + 1, 4 * PART, 4 * PART + 7] {
            let path = StorePath::from(format!("{size}"));
            let contents: Vec<u8> =
                (0..size).map(|byte| u8::try_from(byte / 251 % 256).unwrap()).collect();
            let mut upload = Box::new(Upload::new(objects.clone(), path.clone()));
            for chunk in contents.chunks(1 << 20) {
                upload.write_all(chunk).unwrap();
            }
            assert_eq!(upload.close().unwrap(), size as u64);
            let read = crate::store::reader::read_whole(&objects, path).unwrap().unwrap();
            assert!(read == contents, "{size}");
        }
    }

    #[test]
    fn an_object_that_is_not_closed_does_not_exist() {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        for size in [1, 3 * PART] {
            let mut upload = Upload::new(objects.clone(), StorePath::from("x"));
            upload.write_all(&vec![1; size]).unwrap();
        }
        let read = crate::store::reader::read_whole(&objects, StorePath::from("x")).unwrap();
        assert_eq!(read, None);
    }
}
