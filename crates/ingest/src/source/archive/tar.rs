//! Tar archives, read as a stream.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::ops::ControlFlow;

use ::tar::{Archive, EntryType};

use super::{TakeMember, name_of};

const BLOCK: usize = 512;

/// Maximum length of the headers with long names between two members. The library holds them in memory, whatever length
/// they claim.
const MAX_HEADER_BYTES: u64 = 1024 * 1024;

/// Returns whether `head` begins a tar archive. The checksum excludes text that has the mark at the same position.
pub(crate) fn is_tar(head: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(header) = head.get(..BLOCK) else { return false };
    if header[257..262] != *b"ustar" {
        return false;
    }
    let others = header.iter().enumerate().filter(|(at, _)| !CHECKSUM.contains(at));
    let sum = others.map(|(_, byte)| u32::from(*byte)).sum::<u32>()
        + u32::from(b' ') * u32::try_from(CHECKSUM.len()).unwrap_or_default();
    let field =
        header[CHECKSUM].split(|byte| matches!(byte, 0 | b' ')).find(|part| !part.is_empty());
    let stored = field.and_then(|digits| std::str::from_utf8(digits).ok());
    stored.and_then(|digits| u32::from_str_radix(digits, 8).ok()) == Some(sum)
}

/// Passes every file in the archive to `take`, also from concatenated archives. Folders, links and devices have no
/// content.
///
/// # Errors
///
/// Returns why the archive could not be read to its end. The members before that were passed on.
pub(crate) fn read_tar(stream: Box<dyn Read + '_>, take: TakeMember<'_>) -> Result<(), String> {
    let state = State::default();
    let mut stream = Watched { reader: stream, state: &state };
    let mut head = Vec::new();
    loop {
        let mut archive = Archive::new(head.as_slice().chain(&mut stream));
        if read_members(&mut archive, &state, take)
            .map_err(|error| state.message(&error))?
            .is_break()
        {
            return Ok(());
        }
        head = next_block(&mut stream).map_err(|error| state.message(&error))?;
        if head.is_empty() {
            return Ok(());
        }
    }
}

fn read_members(
    archive: &mut Archive<impl Read>,
    state: &State,
    take: TakeMember<'_>,
) -> io::Result<ControlFlow<()>> {
    let mut entries = archive.entries()?;
    loop {
        state.left.set(Some(MAX_HEADER_BYTES));
        let Some(entry) = entries.next() else { break };
        let entry = entry?;
        state.left.set(None);
        let has_contents = has_contents(entry.header().entry_type());
        let name = name_of(&entry.path_bytes());
        let mut member = Member { left: entry.size(), reader: entry, state };
        if has_contents && take(&name, Ok(Box::new(&mut member))).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(error) = state.failure.take() {
            return Err(error);
        }
        io::copy(&mut member, &mut io::sink())?;
    }
    state.left.set(None);
    Ok(ControlFlow::Continue(()))
}

fn has_contents(kind: EntryType) -> bool {
    !(kind.is_dir()
        || kind.is_symlink()
        || kind.is_hard_link()
        || kind.is_character_special()
        || kind.is_block_special()
        || kind.is_fifo()
        || kind.is_pax_global_extensions())
}

/// Returns the next block that is not all zeros; an empty one at the end. An archive ends with blocks of zeros, and
/// another may follow.
fn next_block(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        block.clear();
        stream.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        if block.iter().any(|byte| *byte != 0) || block.is_empty() {
            return Ok(block);
        }
    }
}

/// The state of the stream beneath the archive.
#[derive(Default)]
struct State {
    position: Cell<u64>,
    /// Bytes that may still be read, if limited.
    left: Cell<Option<u64>>,
    /// The error that ended the stream while a member was read.
    failure: RefCell<Option<io::Error>>,
}

impl State {
    /// Keeps a copy of the error for the reader of the archive.
    fn fail(&self, error: io::Error) -> io::Error {
        let copy = io::Error::new(error.kind(), error.to_string());
        *self.failure.borrow_mut() = Some(copy);
        error
    }

    fn message(&self, error: &io::Error) -> String {
        let position = self.position.get();
        format!("{error} at byte {position} of the archive; the members before it were read")
    }
}

/// The stream beneath the archive.
struct Watched<'a, R> {
    reader: R,
    state: &'a State,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.state;
        let length = match state.left.get() {
            Some(0) if !buffer.is_empty() => {
                return Err(io::Error::other("tar header is too long"));
            }
            Some(left) => buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX)),
            None => buffer.len(),
        };
        let read = match self.reader.read(&mut buffer[..length]) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return Err(state.fail(error));
            }
            result => result?,
        };
        state.position.set(state.position.get() + read as u64);
        state.left.set(state.left.get().map(|left| left - read as u64));
        Ok(read)
    }
}

/// The complete content of a member: the library treats the end of the stream as the end of the member.
struct Member<'a, R> {
    reader: R,
    left: u64,
    state: &'a State,
}

impl<R: Read> Read for Member<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            let kind = io::ErrorKind::UnexpectedEof;
            return Err(self.state.fail(io::Error::new(kind, "the tar archive ends unexpectedly")));
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}
