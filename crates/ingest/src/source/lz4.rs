//! Reads all frames of an lz4 file.
//!
//! The library's decoder reads one frame, and treats the end of the file as the end of the frame.

use std::io::{self, BufRead, Read};

use lz4_flex::frame::FrameDecoder;

/// The magic number of a frame.
pub(crate) const FRAME: &[u8] = b"\x04\x22\x4d\x18";

/// The magic number of a legacy frame, which ends only with the file.
pub(crate) const LEGACY_FRAME: &[u8] = b"\x02\x21\x4c\x18";

/// Reads frame after frame.
pub(crate) struct Frames<R: Read> {
    /// The current frame; `None` at the end of the file.
    frame: Option<FrameDecoder<Input<R>>>,
    is_legacy: bool,
}

impl<R: BufRead> Frames<R> {
    pub(crate) fn new(reader: R) -> io::Result<Self> {
        let mut frames = Self { frame: None, is_legacy: false };
        frames.begin(Input { reader, is_at_end: false })?;
        Ok(frames)
    }

    /// Begins a frame, if one follows.
    fn begin(&mut self, mut input: Input<R>) -> io::Result<()> {
        if let Some(first) = input.reader.fill_buf()?.first() {
            self.is_legacy = LEGACY_FRAME.first() == Some(first);
            self.frame = Some(FrameDecoder::new(input));
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(frame) = self.frame.take() else { return Ok(()) };
        let input = frame.into_inner();
        if input.is_at_end && !self.is_legacy {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.begin(input)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(frame) = &mut self.frame {
            let read = frame.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.end()?;
        }
        Ok(0)
    }
}

/// A reader that remembers whether it has reached its end.
struct Input<R> {
    reader: R,
    is_at_end: bool,
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.is_at_end |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}
