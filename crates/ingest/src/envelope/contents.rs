//! What a record contains, once all of its envelopes are opened.

use crate::envelope::candidate::Candidate;
use crate::envelope::part::Found;
use crate::envelope::unpack_budget::UnpackBudget;
use crate::framing::span::Place;

/// The contents of one or more records.
#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    pub(crate) candidates: Vec<Candidate<'a>>,
    pub(crate) damaged: Vec<Damage>,
    /// Number of empty envelopes. For other envelopes, their contents show whether the log is an audit log.
    pub(crate) envelopes: u64,
    /// Number of records that belong in the log and contain no audit event, such as the probes of a log service.
    pub(crate) skipped: u64,
    /// Parts of split records.
    pub(crate) parts: Vec<Found>,
    /// The offset at which the source begins.
    pub(crate) starts_at: Option<u64>,
    /// Whether records are already joined and must not be treated as parts.
    pub(crate) is_joined: bool,
    pub(crate) budget: UnpackBudget,
}

/// A damaged part of a record.
#[derive(Debug)]
pub(crate) struct Damage {
    pub(crate) bytes: Vec<u8>,
    pub(crate) place: Place,
    pub(crate) reason: String,
}

impl Contents<'_> {
    /// Returns empty contents for a value in the same record.
    pub(super) fn nested<'b>(&self, budget: UnpackBudget) -> Contents<'b> {
        Contents { budget, is_joined: self.is_joined, ..Contents::default() }
    }

    pub(super) fn append(&mut self, found: Self) {
        self.candidates.extend(found.candidates);
        self.damaged.extend(found.damaged);
        self.envelopes += found.envelopes;
        self.skipped += found.skipped;
        self.parts.extend(found.parts);
    }

    /// Returns these contents of a temporary text, each at a mapped position.
    pub(super) fn into_owned<'b>(mut self, place: impl Fn(Place) -> Place) -> Contents<'b> {
        for found in &mut self.parts {
            if let Found::Piece(part) = found {
                part.place = place(part.place);
            }
        }
        for damage in &mut self.damaged {
            damage.place = place(damage.place);
        }
        let candidates = self.candidates.into_iter().map(|candidate| Candidate {
            json: candidate.json.into_owned().into(),
            place: place(candidate.place),
            facts: candidate.facts.into_owned(),
        });
        Contents {
            candidates: candidates.collect(),
            damaged: self.damaged,
            envelopes: self.envelopes,
            skipped: self.skipped,
            parts: self.parts,
            starts_at: self.starts_at,
            is_joined: self.is_joined,
            budget: self.budget,
        }
    }
}
