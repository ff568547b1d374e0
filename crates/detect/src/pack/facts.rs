//! The table `facts`: one row per event of a finding, for detections that combine the findings of others.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::evidence::Evidence;
use podtrail_event::Finding;

/// The name of the table.
pub(crate) const FACTS: &str = "facts";

fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        text("event_id"),
        Field::new("time", time, true),
        text("cluster"),
        text("identity"),
        text("resource"),
        text("namespace"),
        text("name"),
        text("detection"),
        text("title"),
        text("severity"),
        text("confidence"),
        text("reason"),
        Field::new("risk", DataType::Int64, true),
    ]))
}

/// Returns the facts of these findings; `event` returns an event by its id.
pub(crate) fn facts<'a>(
    findings: &[Finding],
    event: impl Fn(&Finding, &str) -> Option<&'a Evidence>,
) -> Result<RecordBatch, ArrowError> {
    let mut texts: [StringBuilder; 11] = Default::default();
    let mut times = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    let mut risks = Int64Builder::new();
    for finding in findings {
        for evidence in finding.event_ids.iter().filter_map(|id| event(finding, id)) {
            let values = [
                Some(evidence.event_id.as_str()),
                finding.cluster.as_deref(),
                finding.identity.as_deref(),
                finding.resource.as_deref(),
                finding.namespace.as_deref(),
                finding.name.as_deref(),
                Some(finding.detection.as_str()),
                Some(finding.title.as_str()),
                Some(finding.severity.as_str()),
                Some(finding.confidence.as_str()),
                finding.reasons.first().map(String::as_str),
            ];
            for (column, value) in texts.iter_mut().zip(values) {
                column.append_option(value);
            }
            times.append_value(evidence.time.timestamp_micros());
            risks.append_value(finding.risk);
        }
    }
    let mut columns: Vec<ArrayRef> =
        texts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
    columns.insert(1, Arc::new(times.finish()));
    columns.push(Arc::new(risks.finish()));
    RecordBatch::try_new(schema(), columns)
}
