//! Base64 data in an envelope, with or without compression.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::bufread::MultiGzDecoder;

use super::{Facts, Inner, Opened, Record};

/// Maximum compression ratio. Audit logs compress about tenfold; a ratio of 50 is not a log.
const MAX_RATIO: usize = 50;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The allowance of bytes that may still be unpacked from a block, nested data included, so that a small block cannot
/// fill the memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room(Arc<AtomicUsize>);

impl Room {
    /// Returns the allowance for a block of this size.
    pub(crate) fn of_block(bytes: usize) -> Self {
        const LEAST: usize = 64 * 1024;
        Self::new(bytes.max(LEAST).saturating_mul(MAX_RATIO))
    }

    fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes the whole allowance, in equal parts for parallel workers.
    pub(super) fn divide(&self, parts: usize) -> Vec<Self> {
        let left = self.0.swap(0, Ordering::Relaxed);
        (0..parts).map(|_| Self::new(left / parts)).collect()
    }

    /// Returns the unused rest of a part to the allowance.
    pub(super) fn give_back(&self, part: &Self) {
        self.0.fetch_add(part.left(), Ordering::Relaxed);
    }

    /// Takes bytes from the allowance. Returns false if it is exceeded.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let left = self.left().checked_sub(bytes);
        self.0.store(left.unwrap_or(0), Ordering::Relaxed);
        left.is_some()
    }
}

/// Decodes base64, and decompresses the result if it is gzip.
fn unpack(base64: &str, room: &Room) -> Result<Vec<u8>, String> {
    let decoded =
        ENGINE.decode(base64.trim()).map_err(|error| format!("invalid base64: {error}"))?;
    if !decoded.starts_with(&[0x1f, 0x8b]) {
        return if room.take(decoded.len()) { Ok(decoded) } else { Err(too_much()) };
    }
    let left = room.left();
    let mut text = Vec::new();
    let limit = (left as u64).saturating_add(1);
    MultiGzDecoder::new(decoded.as_slice())
        .take(limit)
        .read_to_end(&mut text)
        .map_err(|error| format!("damaged gzip data: {error}"))?;
    if room.take(text.len()) { Ok(text) } else { Err(too_much()) }
}

/// Opens an envelope with base64 contents.
pub(super) fn open_packed<'a>(name: &'static str, record: &Record<'a>, base64: &str) -> Opened<'a> {
    match unpack(base64, &record.room) {
        Ok(text) => {
            let (place, facts) = (record.span.place(), Facts::default());
            Opened::with(name, vec![Inner { text: text.into(), place, facts }])
        }
        Err(reason) => {
            let damaged = Some((record.span, format!("{name}: {reason}")));
            Opened { name, damaged, ..Opened::default() }
        }
    }
}

pub(super) fn too_much() -> String {
    format!("decompressed size exceeds {MAX_RATIO} times the size of the surrounding block")
}
