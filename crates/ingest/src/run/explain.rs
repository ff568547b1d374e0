//! A summary of what a log contains, and therefore of what can be detected in it.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::TimestampMicrosecondType;
use podtrail_event::QuarantineRecord;
use serde::Serialize;

use crate::error::IngestError;
use crate::run::sink::{Committed, Sink};

/// A summary of the events in some logs. As a [`Sink`] it inspects events and stores none.
#[derive(Debug, Default, Serialize)]
pub struct Explanation {
    /// Number of audit events, duplicates included.
    pub events: u64,
    /// The earliest time of an event, in microseconds since the Unix epoch.
    pub first: Option<i64>,
    /// The latest time of an event, in microseconds since the Unix epoch.
    pub last: Option<i64>,
    /// Number of events by their envelopes, the outermost first; the empty string is an event without an envelope.
    pub envelopes: BTreeMap<String, u64>,
    /// Number of events by `apiVersion`; the empty string is an event without one.
    pub api_versions: BTreeMap<String, u64>,
    /// Number of events by cluster.
    pub clusters: BTreeMap<String, u64>,
    /// Number of events by the provider of the cluster, where the envelope names it.
    pub providers: BTreeMap<String, u64>,
    /// Number of events by audit level; the empty string is an event without one.
    pub levels: BTreeMap<String, u64>,
    /// Number of events by stage.
    pub stages: BTreeMap<String, u64>,
    /// Number of distinct user names by kind of identity.
    pub identities: BTreeMap<String, u64>,
    /// Number of events that complete a workload write.
    pub workload_writes: u64,
    /// Number of those whose object or patch is visible.
    pub workload_bodies: u64,
    /// Number of exec, attach and port-forward requests.
    pub execs: u64,
    /// Number of those whose request URI, and so the command, is visible.
    pub exec_uris: u64,
    /// Number of events that the API server or a shipper truncated.
    pub truncated: u64,
    #[serde(skip)]
    seen: HashSet<String>,
}

impl Explanation {
    /// Returns one sentence for each kind of activity that cannot be detected in this log.
    pub fn blind_spots(&self) -> Vec<String> {
        let mut spots = Vec::new();
        let hidden = self.workload_writes - self.workload_bodies;
        if hidden > 0 {
            spots.push(format!(
                "{hidden} of {} workload writes have no body: their privileges, host paths and images are unknown",
                self.workload_writes
            ));
        }
        if self.events > 0 && self.workload_writes == 0 {
            spots.push("no request writes a workload: the audit policy may omit them".to_owned());
        }
        if self.execs > self.exec_uris {
            let hidden = self.execs - self.exec_uris;
            spots.push(format!("{hidden} of {} execs have no command", self.execs));
        }
        let ends = ["ResponseComplete", "ResponseStarted", "Panic"];
        if self.events > 0 && !ends.iter().any(|stage| self.stages.contains_key(*stage)) {
            spots.push("no event has a response: the outcome of requests is unknown".to_owned());
        }
        if self.truncated > 0 {
            spots.push(format!(
                "{} events are truncated: the missing parts are unknown",
                self.truncated
            ));
        }
        spots
    }

    fn look(&mut self, batch: &RecordBatch) {
        let column = |name: &str| batch.column_by_name(name);
        let text = |name: &str, row: usize| text_at(column(name), row);
        self.events += batch.num_rows() as u64;
        let times =
            column("time").and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        for time in times.into_iter().flatten().flatten() {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
        let workloads = column("workload").and_then(|workloads| workloads.as_struct_opt());
        let envelopes = column("envelopes").and_then(|envelopes| envelopes.as_list_opt::<i32>());
        let truncated = column("truncated").and_then(|truncated| truncated.as_boolean_opt());
        for row in 0..batch.num_rows() {
            let names = envelopes.filter(|envelopes| envelopes.is_valid(row)).map(|e| e.value(row));
            let names = names.as_ref().and_then(|names| names.as_string_opt::<i32>());
            let names: Vec<_> = names.into_iter().flatten().flatten().collect();
            count(&mut self.envelopes, &names.join(" > "));
            count(&mut self.api_versions, text("audit_api_version", row));
            count(&mut self.clusters, text("cluster", row));
            count(&mut self.levels, text("level", row));
            count(&mut self.stages, text("stage", row));
            if !text("provider", row).is_empty() {
                count(&mut self.providers, text("provider", row));
            }
            let username = text("username", row);
            if !self.seen.contains(username) {
                self.seen.insert(username.to_owned());
                count(&mut self.identities, text("identity_kind", row));
            }
            self.truncated += u64::from(
                truncated.is_some_and(|column| column.is_valid(row) && column.value(row)),
            );
            self.look_at_request(workloads, row, &text);
        }
    }

    fn look_at_request<'b>(
        &mut self,
        workloads: Option<&'b StructArray>,
        row: usize,
        text: &dyn Fn(&str, usize) -> &'b str,
    ) {
        if text("stage", row) == "RequestReceived" {
            return;
        }
        if let Some(workloads) = workloads.filter(|workloads| workloads.is_valid(row)) {
            let source = text_at(workloads.column_by_name("body_source"), row);
            self.workload_writes += 1;
            self.workload_bodies += u64::from(!matches!(source, "" | "none"));
        }
        if matches!(text("subresource", row), "exec" | "attach" | "portforward") {
            self.execs += 1;
            self.exec_uris += u64::from(text("request_uri", row).contains('?'));
        }
    }
}

impl Sink for Explanation {
    fn commit(
        &mut self,
        events: Vec<RecordBatch>,
        _: Vec<QuarantineRecord>,
    ) -> Result<Committed, IngestError> {
        for batch in &events {
            self.look(batch);
        }
        let added = events.iter().map(|batch| batch.num_rows() as u64).sum();
        Ok(Committed { added, duplicates: 0 })
    }
}

/// Returns the text in a row, or the empty string.
fn text_at(column: Option<&ArrayRef>, row: usize) -> &str {
    let texts = column.and_then(|column| column.as_string_opt::<i32>());
    texts.filter(|texts| texts.is_valid(row)).map_or("", |texts| texts.value(row))
}

fn count(counts: &mut BTreeMap<String, u64>, key: &str) {
    match counts.get_mut(key) {
        Some(count) => *count += 1,
        None => drop(counts.insert(key.to_owned(), 1)),
    }
}
