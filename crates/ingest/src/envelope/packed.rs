//! Base64 data in an envelope, with or without compression.

use std::io::Read;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::bufread::MultiGzDecoder;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::family::{Opened, Record};
use crate::envelope::unpack_budget::UnpackBudget;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes base64, and decompresses the result if it is gzip.
fn unpack(base64: &str, budget: &UnpackBudget) -> Result<Vec<u8>, String> {
    let mut data =
        ENGINE.decode(base64.trim()).map_err(|error| format!("invalid base64: {error}"))?;
    if data.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        let limit = (budget.left() as u64).saturating_add(1);
        MultiGzDecoder::new(data.as_slice())
            .take(limit)
            .read_to_end(&mut text)
            .map_err(|error| format!("damaged gzip data: {error}"))?;
        data = text;
    }
    budget.take(data.len())?;
    Ok(data)
}

/// Opens an envelope with base64 contents.
pub(super) fn open_packed<'a>(name: &'static str, record: &Record<'a>, base64: &str) -> Opened<'a> {
    match unpack(base64, &record.budget) {
        Ok(text) => {
            let (place, facts) = (record.span.place(), Facts::default());
            Opened::with(name, vec![Candidate { json: text.into(), place, facts }])
        }
        Err(reason) => {
            let damaged = Some((record.span, format!("{name}: {reason}")));
            Opened { name, damaged, ..Opened::default() }
        }
    }
}
