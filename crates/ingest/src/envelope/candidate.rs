//! A text on its way out of envelopes, until it is parsed as an audit event, and what the envelopes state about it.

use std::borrow::Cow;
use std::sync::Arc;

use podtrail_event::Micros;
use serde_json::value::RawValue;

use crate::envelope::event_text::mentions_events;
use crate::envelope::labels::Labels;
use crate::framing::span::{Place, Span};
use crate::json::{self, Object};
use crate::reject::component_line;

/// A value from an envelope: an audit event, another envelope, or text that is neither.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    /// Its text, borrowed from the log, or decoded from a string in it.
    pub(crate) json: Cow<'a, [u8]>,
    /// Its position, or that of the string it was decoded from.
    pub(crate) place: Place,
    /// The facts from the envelopes that were opened.
    pub(crate) facts: Facts<'a>,
}

impl<'a> Candidate<'a> {
    /// Returns the bytes at a position verbatim.
    pub(super) fn verbatim(at: Span<'a>, facts: Facts<'a>) -> Self {
        Self { json: at.bytes.into(), place: at.place(), facts }
    }

    /// Returns a JSON value of the envelope `whole`: an object or array verbatim, or the text in a string.
    ///
    /// Returns `None` for any other kind of value.
    pub(super) fn of(whole: Span<'a>, value: &'a RawValue, facts: Facts<'a>) -> Option<Self> {
        let at = whole.locate(value.get().as_bytes());
        Self::at(at, value, facts)
    }

    /// Returns a JSON value whose span is known, like [`of`](Self::of).
    pub(super) fn at(at: Span<'a>, value: &'a RawValue, facts: Facts<'a>) -> Option<Self> {
        let json = match value.get().as_bytes().first()? {
            b'{' | b'[' => Cow::Borrowed(at.bytes),
            b'"' => json::into_bytes(json::text(value)?),
            _ => return None,
        };
        Some(Self { json, place: at.place(), facts })
    }

    /// Returns a JSON value of the envelope `whole`, if it may contain audit events or is a component's log line.
    pub(super) fn content(whole: Span<'a>, value: &'a RawValue, facts: Facts<'a>) -> Option<Self> {
        let content = Self::of(whole, value, facts)?;
        let is_worthwhile =
            mentions_events(&content.json) || component_line(&content.json).is_some();
        is_worthwhile.then_some(content)
    }

    /// Returns an event that was rebuilt from the bytes at a position, which are kept with it.
    pub(super) fn rebuilt(from: Span<'a>, json: impl Into<Vec<u8>>, facts: Facts<'a>) -> Self {
        let facts = Facts { original: Some(from.bytes.into()), ..facts };
        Self { json: Cow::Owned(json.into()), place: from.place(), facts }
    }

    /// Returns the elements of a list in `whole` verbatim.
    pub(super) fn elements(whole: Span<'a>, list: Vec<&'a RawValue>) -> Vec<Self> {
        let mut rest = whole;
        let element = |element: &'a RawValue| rest.take(element.get().as_bytes());
        list.into_iter().map(element).map(|at| Self::verbatim(at, Facts::default())).collect()
    }
}

/// Facts about an event from its envelopes. The innermost value takes precedence.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts<'a> {
    /// The names of the envelopes, the outermost first.
    pub(crate) envelopes: Vec<&'static str>,
    /// The provider of the cluster, as in the `provider` column.
    pub(crate) provider: Option<&'static str>,
    pub(crate) cluster: Option<Cow<'a, str>>,
    /// The host or log stream of the API server.
    pub(crate) node: Option<Cow<'a, str>>,
    /// When the event was logged or shipped, by the envelope.
    pub(crate) shipped_at: Option<Micros>,
    /// The original record, if the event was rebuilt from it.
    pub(crate) original: Option<Cow<'a, [u8]>>,
    /// Whether a shipper or store truncated it.
    pub(crate) truncated: bool,
    /// Other labels of the envelopes.
    pub(crate) labels: Option<Arc<Labels>>,
    /// Whether it was joined from parts of which some may be missing.
    pub(crate) may_have_gap: bool,
}

impl<'a> Facts<'a> {
    /// Returns these facts, completed with those of the outer envelope.
    pub(super) fn inside(self, outer: &Facts<'a>, name: &'static str) -> Self {
        let mut envelopes = outer.envelopes.clone();
        envelopes.push(name);
        envelopes.extend(self.envelopes);
        Self {
            envelopes,
            provider: self.provider.or(outer.provider),
            cluster: self.cluster.or_else(|| outer.cluster.clone()),
            node: self.node.or_else(|| outer.node.clone()),
            shipped_at: self.shipped_at.or(outer.shipped_at),
            original: self.original.or_else(|| outer.original.clone()),
            truncated: self.truncated || outer.truncated,
            may_have_gap: self.may_have_gap || outer.may_have_gap,
            labels: match self.labels {
                None => outer.labels.clone(),
                Some(labels) => {
                    Some(Arc::new(Arc::unwrap_or_clone(labels).inside(outer.labels.as_ref())))
                }
            },
        }
    }

    /// Adds the labels of an envelope's members beside the event.
    pub(super) fn labelled(mut self, object: Option<&Object<'_>>) -> Self {
        let labels = object.map(Labels::of_object).filter(|labels| !labels.is_empty());
        if let Some(labels) = labels {
            self.labels = Some(Arc::new(labels.inside(self.labels.as_ref())));
        }
        self
    }

    /// Returns the cluster that the envelopes name.
    pub(crate) fn cluster(&self) -> Option<&str> {
        let labels = || self.labels.as_ref()?.cluster();
        self.cluster.as_deref().or_else(labels)
    }

    /// Returns who runs the cluster.
    pub(crate) fn provider(&self) -> Option<&'static str> {
        self.provider.or_else(|| self.labels.as_ref()?.provider())
    }

    /// Returns the log stream of the API server, or its host.
    pub(crate) fn node(&self) -> Option<&str> {
        let stream = self.labels.as_ref().and_then(|labels| labels.stream());
        stream.or(self.node.as_deref())
    }

    /// Returns the control plane component that wrote the log, if it is known not to be the API server.
    pub(crate) fn component(&self) -> Option<&'static str> {
        self.labels.as_ref()?.component()
    }

    pub(super) fn into_owned(self) -> Facts<'static> {
        Facts {
            envelopes: self.envelopes,
            provider: self.provider,
            cluster: self.cluster.map(|text| text.into_owned().into()),
            node: self.node.map(|text| text.into_owned().into()),
            shipped_at: self.shipped_at,
            original: self.original.map(|bytes| bytes.into_owned().into()),
            truncated: self.truncated,
            may_have_gap: self.may_have_gap,
            labels: self.labels,
        }
    }
}
