//! What a family of envelopes receives and returns.

use crate::envelope::candidate::Candidate;
use crate::envelope::part::Part;
use crate::envelope::unpack_budget::UnpackBudget;
use crate::framing::span::Span;
use crate::json::Object;

/// A family of envelopes.
pub(super) trait Envelope: Sync {
    /// Opens `record`; returns `None` if it is not an envelope of this family.
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>>;
}

/// A record, or a value from an envelope, as the families receive it.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// One JSON value, complete or truncated, or a line of text.
    pub(super) span: Span<'a>,
    /// Its members, if it is a complete JSON object.
    pub(super) object: Option<Object<'a>>,
    /// The allowance for data that is unpacked from it.
    pub(super) budget: UnpackBudget,
    /// Whether its source begins with it.
    pub(super) is_first: bool,
}

impl<'a> Record<'a> {
    pub(super) fn new(span: Span<'a>, budget: &UnpackBudget) -> Self {
        let is_object = span.bytes.first() == Some(&b'{');
        let object = if is_object { Object::read(span.bytes) } else { None };
        Self { span, object, budget: budget.clone(), is_first: false }
    }
}

/// The contents of an envelope.
#[derive(Debug, Default)]
pub(super) struct Opened<'a> {
    /// The name of this kind of envelope.
    pub(super) name: &'static str,
    /// Its values. Their facts lack the names of the envelopes.
    pub(super) values: Vec<Candidate<'a>>,
    /// If the envelope is damaged, the rest after the last value, with the reason.
    pub(super) damaged: Option<(Span<'a>, String)>,
    /// Number of records in it that are expected there and are not audit events.
    pub(super) skipped: u64,
    /// Parts of lines whose other parts are elsewhere, without the facts of outer envelopes.
    pub(super) parts: Vec<Part>,
}

impl<'a> Opened<'a> {
    /// Returns an envelope that contains these values.
    pub(super) fn with(name: &'static str, values: Vec<Candidate<'a>>) -> Self {
        Self { name, values, ..Self::default() }
    }

    /// Returns an envelope around an expected record that is not an audit event.
    pub(super) fn skipped(name: &'static str) -> Self {
        Self { name, skipped: 1, ..Self::default() }
    }
}
