//! Data that an envelope carries as base64, compressed or not.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::bufread::MultiGzDecoder;

use super::{Facts, Inner, Opened, Record};

/// Audit logs shrink to a tenth or less; what shrinks to a fiftieth is no log.
const MAX_RATIO: usize = 50;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How many bytes may still be unpacked out of a block, by all that is in it and in what was unpacked: a small block must
/// not fill the memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room(Arc<AtomicUsize>);

impl Room {
    /// The room for what is in a block of that many bytes.
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

    /// Takes all the room, in equal parts for those who work side by side.
    pub(super) fn divide(&self, parts: usize) -> Vec<Self> {
        let left = self.0.swap(0, Ordering::Relaxed);
        (0..parts).map(|_| Self::new(left / parts)).collect()
    }

    /// Gives back what is left of a part.
    pub(super) fn give_back(&self, part: &Self) {
        self.0.fetch_add(part.left(), Ordering::Relaxed);
    }

    /// Takes a part of the room; false if there is not so much left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let left = self.left().checked_sub(bytes);
        self.0.store(left.unwrap_or(0), Ordering::Relaxed);
        left.is_some()
    }
}

/// Decodes base64, and decompresses what was decoded if it is gzip.
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

/// An envelope that carries its contents as such data.
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
