//! Responses of log stores: a list of records in one JSON object.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::labels::Labels;
use crate::envelope::lifted::is_bare_event;
use crate::envelope::member_path::{find, find_text};
use crate::framing::span::Span;
use crate::instant::instant;
use crate::json::{self, Object};

/// Elasticsearch's `{"hits":{"hits":[…]}}`, Splunk's `{"results":[…]}`, Loki's `{"data":{"result":[{"values":[…]}]}}`.
pub(super) struct Listing;

/// The name of each envelope and the path of its list.
const LISTS: &[(&str, &str)] =
    &[("elasticsearch-search", "hits.hits"), ("splunk-results", "results")];

/// The paths of streams in a query response of Loki and in a push request to it.
const STREAMS: &[&str] = &["data.result", "streams"];

/// The labels that may name the host, as common agents set them.
pub(super) const HOST_LABELS: &[&str] =
    &["node", "node_name", "nodename", "host", "hostname", "instance"];

impl Envelope for Listing {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let object = record.object.as_ref()?;
        if is_bare_event(object) {
            return None;
        }
        let list = |path| json::list(find(object, path)?).filter(|list| !list.is_empty());
        let found = LISTS.iter().find_map(|(name, path)| Some((*name, list(path)?)));
        if let Some((name, elements)) = found {
            let mut rest = record.span;
            let values = elements
                .into_iter()
                .map(|element| {
                    element_of(rest.take(element.get().as_bytes()), element, Facts::default())
                })
                .collect();
            return Some(Opened::with(name, values));
        }
        let streams = STREAMS.iter().find_map(|path| list(path))?;
        let mut rest = record.span;
        let mut values = Vec::new();
        for stream in streams {
            add_stream(&mut rest, &json::object(stream)?, &mut values)?;
        }
        Some(Opened::with("loki", values))
    }
}

/// Adds the lines of a Loki stream: `{"stream":{labels},"values":[["nanoseconds","line"],…]}`.
fn add_stream<'a>(
    rest: &mut Span<'a>,
    stream: &Object<'a>,
    values: &mut Vec<Candidate<'a>>,
) -> Option<()> {
    let labels = stream.object("stream")?;
    let node = find_text(&labels, HOST_LABELS);
    let labels = Labels::of_object(&labels);
    let labels = (!labels.is_empty()).then(|| Arc::new(labels));
    for entry in stream.list("values")? {
        let entry = json::list(entry)?;
        let line = *entry.get(1)?;
        let shipped_at = entry.first().and_then(|time| instant(time));
        let labels = labels.clone();
        let facts = Facts { node: node.clone(), shipped_at, labels, ..Facts::default() };
        values.push(element_of(rest.take(line.get().as_bytes()), line, facts));
    }
    Some(())
}

/// Returns the content of a list element, or the element itself if it is neither text, object nor array.
fn element_of<'a>(at: Span<'a>, element: &'a RawValue, facts: Facts<'a>) -> Candidate<'a> {
    Candidate::at(at, element, facts.clone()).unwrap_or_else(|| Candidate::verbatim(at, facts))
}
