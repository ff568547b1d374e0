//! Findings across runs: which are new, which were seen before, and which belong to the same episode.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use podtrail_event::{Finding, FindingState, RecordedFinding};
use podtrail_lake::{DetectRun, Snapshot};
use podtrail_query::{QueryError, Session, instant_sql};

use crate::findings::stored::read_recorded;

/// The maximum number of evidence events kept, first and last; a state of a finding must not grow without bound.
const MAX_EVENTS: usize = 1000;

/// The maximum number of reasons and images kept; more would add no information.
const MAX_NOTES: usize = 100;

/// The name that is stored as the author of states that detections record.
pub(crate) const RECORDER: &str = "podtrail";

/// A finding of a run, before it is known whether it is new.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) finding: Finding,
    /// The id of the exception that covers it.
    pub(crate) exception: Option<String>,
    /// Those of its events that no run has examined before.
    pub(crate) new_events: HashSet<String>,
    /// Whether only its id identifies it: other findings of its detection may have the same events.
    pub(crate) is_keyed: bool,
}

/// The recorded findings that candidates may match, and the changes that the candidates make to them.
pub(crate) struct Memory {
    entries: Vec<Entry>,
    by_id: HashMap<String, usize>,
    by_event: HashMap<EventKey, usize>,
}

/// Detection, cluster and event id.
type EventKey = (String, Option<String>, String);

struct Entry {
    recorded: RecordedFinding,
    /// The state before this run; `None` for a finding that is new in this run.
    before: Option<FindingState>,
    /// What this run changes.
    change: Change,
    /// Whether any match of this run is not covered by an exception.
    is_uncovered: bool,
    /// Whether it is more severe than recorded.
    is_raised: bool,
}

/// What a run changes of a recorded finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// Nothing.
    None,
    /// It becomes part of another incident.
    Incident,
    /// It is new, or seen again.
    Finding,
}

impl Memory {
    /// Reads the findings that any of the candidates may be: those with the same id, and those of the same detection
    /// that were last seen when the candidate was first seen or later, because they may share an event with it.
    pub(crate) async fn read(
        findings: &Snapshot,
        candidates: impl Iterator<Item = &Finding> + Clone,
    ) -> Result<Self, QueryError> {
        let mut memory =
            Self { entries: Vec::new(), by_id: HashMap::new(), by_event: HashMap::new() };
        let Some(first) = candidates.clone().map(|finding| finding.first_seen).min() else {
            return Ok(memory);
        };
        let session = Session::over_findings(findings)?;
        let ids = candidates.clone().map(|finding| finding.finding_id.as_str());
        let session = session.with_strings("candidate_ids", "finding_id", ids)?;
        let detections: BTreeSet<_> =
            candidates.map(|finding| finding.detection.as_str()).collect();
        let session = session.with_strings("candidate_detections", "detection", detections)?;
        let same = "SELECT * FROM findings
            WHERE finding_id IN (SELECT finding_id FROM candidate_ids)";
        let overlapping = format!(
            "SELECT * FROM findings
            WHERE detection IN (SELECT detection FROM candidate_detections)
              AND last_seen >= {}",
            instant_sql(first)
        );
        for sql in [same, &overlapping] {
            for recorded in read_recorded(&session, sql).await? {
                memory.add(Entry::recorded(recorded));
            }
        }
        Ok(memory)
    }

    /// Returns the first and the last event of the findings that this run changes and that no exception covers.
    pub(crate) fn changed_period(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let changed =
            self.entries.iter().filter(|entry| entry.change == Change::Finding && entry.is_shown());
        let periods = changed.map(|entry| {
            let finding = &entry.recorded.finding;
            (finding.first_seen, finding.last_seen)
        });
        periods.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)))
    }

    /// Reads the findings of incidents that have events in a period, too.
    pub(crate) async fn read_incidents(
        &mut self,
        findings: &Snapshot,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<(), QueryError> {
        let session = Session::over_findings(findings)?;
        let sql = format!(
            "SELECT * FROM findings
            WHERE incident_id IS NOT NULL AND last_seen >= {} AND first_seen <= {}",
            instant_sql(from),
            instant_sql(to)
        );
        for recorded in read_recorded(&session, &sql).await? {
            self.add(Entry::recorded(recorded));
        }
        Ok(())
    }

    /// Returns the findings that can be part of incidents. Their incidents are set by
    /// [`set_incidents`](Self::set_incidents), in the same order.
    pub(crate) fn shown(&self) -> Vec<Finding> {
        let shown = self.entries.iter().filter(|entry| entry.is_shown());
        shown.map(|entry| entry.recorded.finding.clone()).collect()
    }

    /// Sets the incidents of the findings that [`shown`](Self::shown) returned.
    pub(crate) fn set_incidents(&mut self, findings: Vec<Finding>) {
        let shown = self.entries.iter_mut().filter(|entry| entry.is_shown());
        for (entry, found) in shown.zip(findings) {
            let finding = &mut entry.recorded.finding;
            if finding.incident_id != found.incident_id {
                entry.change = entry.change.max(Change::Incident);
            }
            finding.incident_id = found.incident_id;
            finding.incident_reason = found.incident_reason;
        }
    }

    fn add(&mut self, entry: Entry) {
        let id = entry.recorded.finding.finding_id.clone();
        if self.by_id.contains_key(&id) {
            return;
        }
        let index = self.entries.len();
        self.by_id.insert(id, index);
        self.entries.push(entry);
        self.index_events(index);
    }

    fn index_events(&mut self, index: usize) {
        let finding = &self.entries[index].recorded.finding;
        for id in &finding.event_ids {
            self.by_event.entry(event_key(finding, id)).or_insert(index);
        }
    }

    /// Returns the recorded finding that a finding matches: the one with the same id, or an episode that shares an
    /// event with it unless only the id identifies it.
    fn find(&self, Candidate { finding, is_keyed, .. }: &Candidate) -> Option<usize> {
        let same = self.by_id.get(&finding.finding_id);
        let mut ids = finding.event_ids.iter().filter(|_| !is_keyed);
        let sharing = ids.find_map(|id| self.by_event.get(&event_key(finding, id)));
        same.or(sharing).copied()
    }

    /// Adds a candidate of a run.
    pub(crate) fn observe(&mut self, candidate: &Candidate, run: &DetectRun) {
        let is_uncovered = candidate.exception.is_none();
        let Some(index) = self.find(candidate) else {
            self.add(Entry {
                recorded: first_state(candidate, run),
                before: None,
                change: Change::Finding,
                is_uncovered,
                is_raised: false,
            });
            return;
        };
        let entry = &mut self.entries[index];
        let known: HashSet<&String> = entry.recorded.finding.event_ids.iter().collect();
        let is_new = |id: &String| candidate.new_events.contains(id) && !known.contains(id);
        let new: Vec<bool> = candidate.finding.event_ids.iter().map(is_new).collect();
        let is_raised = candidate.finding.severity > entry.recorded.finding.severity;
        if !(new.contains(&true) || is_raised && is_uncovered) {
            return;
        }
        merge(&mut entry.recorded.finding, &candidate.finding, &new);
        entry.change = Change::Finding;
        entry.is_uncovered |= is_uncovered;
        entry.is_raised |= is_raised;
        if let Some(exception) = &candidate.exception {
            entry.recorded.exception = Some(exception.clone());
        }
        self.index_events(index);
    }

    /// Adds a finding of a health check of the lake. It has no events: it is new if it was not seen within `pause`
    /// before.
    pub(crate) fn observe_health(
        &mut self,
        candidate: &Candidate,
        run: &DetectRun,
        pause: Duration,
    ) {
        let Some(&index) = self.by_id.get(&candidate.finding.finding_id) else {
            return self.observe(candidate, run);
        };
        let Entry { recorded, before, change, is_uncovered, .. } = &mut self.entries[index];
        let (known, found) = (&mut recorded.finding, &candidate.finding);
        let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
        if found.first_seen.signed_duration_since(known.last_seen) > pause {
            known.first_seen = known.first_seen.min(found.first_seen);
            known.last_seen = found.last_seen;
            known.count += found.count;
            known.reasons.clone_from(&found.reasons);
            *before = before.and(Some(FindingState::Closed));
            (*change, *is_uncovered) = (Change::Finding, true);
        }
    }

    /// Returns the states that this run adds.
    pub(crate) fn into_changes(self, run: &DetectRun) -> Vec<RecordedFinding> {
        let changed = self.entries.into_iter().filter(|entry| entry.change != Change::None);
        changed.map(|entry| entry.into_state(run)).collect()
    }
}

impl Entry {
    /// Returns a finding as recorded, before this run.
    fn recorded(recorded: RecordedFinding) -> Self {
        Self {
            before: Some(recorded.state),
            recorded,
            change: Change::None,
            is_uncovered: false,
            is_raised: false,
        }
    }

    /// Returns whether no exception hides it.
    fn is_shown(&self) -> bool {
        self.is_uncovered || self.before.is_some_and(|state| state != FindingState::Suppressed)
    }

    fn into_state(self, run: &DetectRun) -> RecordedFinding {
        if self.change == Change::Incident {
            return RecordedFinding { sequence: self.recorded.sequence + 1, ..self.recorded };
        }
        let state = match self.before {
            // A new finding is printed first, even if exceptions cover its later matches.
            Some(FindingState::New) => FindingState::New,
            _ if !self.is_uncovered => FindingState::Suppressed,
            // Readers of the earlier finding have seen a lower severity.
            _ if self.is_raised => FindingState::New,
            // A closed or suppressed finding that continues must be looked at again.
            None | Some(FindingState::Suppressed | FindingState::Closed) => FindingState::New,
            Some(FindingState::Delivered | FindingState::SeenAgain) => FindingState::SeenAgain,
            Some(FindingState::Acknowledged) => FindingState::Acknowledged,
        };
        let by_person = self.before == Some(state) && state == FindingState::Acknowledged;
        let recorded = self.recorded;
        RecordedFinding {
            sequence: recorded.sequence + 1,
            state,
            state_at: run.finished_at,
            state_by: if by_person { recorded.state_by } else { Some(RECORDER.to_owned()) },
            note: if by_person { recorded.note } else { None },
            exception: recorded.exception.filter(|_| state == FindingState::Suppressed),
            detect_run: Some(run.id.clone()),
            events_version: Some(run.events_version),
            finding: recorded.finding,
        }
    }
}

/// Returns the first state of a finding; whether it is new is decided at the end of the run.
fn first_state(candidate: &Candidate, run: &DetectRun) -> RecordedFinding {
    let mut finding = candidate.finding.clone();
    cut(&mut finding);
    RecordedFinding {
        sequence: 0,
        state: FindingState::New,
        state_at: run.finished_at,
        state_by: None,
        note: None,
        exception: candidate.exception.clone(),
        detect_run: None,
        events_version: None,
        finding,
    }
}

fn event_key(finding: &Finding, event_id: &str) -> EventKey {
    (finding.detection.clone(), finding.cluster.clone(), event_id.to_owned())
}

/// Adds the events of `found`, the same finding seen again, that are `new`.
fn merge(known: &mut Finding, found: &Finding, new: &[bool]) {
    let is_earlier = found.first_seen < known.first_seen;
    known.first_seen = known.first_seen.min(found.first_seen);
    known.last_seen = known.last_seen.max(found.last_seen);
    if found.severity > known.severity {
        known.severity = found.severity;
        known.lowered.clone_from(&found.lowered);
    }
    let added = found.event_ids.iter().zip(&found.sources).zip(new).filter(|(_, new)| **new);
    for ((id, source), _) in added {
        known.count += 1;
        known.event_ids.push(id.clone());
        known.sources.push(source.clone());
    }
    for (known, found) in [
        (&mut known.audit_ids, &found.audit_ids),
        (&mut known.images, &found.images),
        (&mut known.reasons, &found.reasons),
    ] {
        let have: BTreeSet<String> = known.iter().cloned().collect();
        known.extend(found.iter().filter(|text| !have.contains(*text)).cloned());
    }
    if is_earlier {
        // Late logs: the attributes that a finding takes from its first event now come from an earlier one.
        known.identity.clone_from(&found.identity);
        known.impersonated_identity.clone_from(&found.impersonated_identity);
        known.verb.clone_from(&found.verb);
        known.namespace.clone_from(&found.namespace);
        known.resource.clone_from(&found.resource);
        known.name.clone_from(&found.name);
        known.outcome.clone_from(&found.outcome);
        known.client_ip.clone_from(&found.client_ip);
        known.user_agent.clone_from(&found.user_agent);
        known.source.clone_from(&found.source);
    }
    cut(known);
}

/// Drops the middle of lists that are too long, and keeps their first and last items.
fn cut(finding: &mut Finding) {
    fn cut<T>(list: &mut Vec<T>, most: usize) {
        if list.len() > most {
            list.drain(1..=list.len() - most);
        }
    }
    cut(&mut finding.event_ids, MAX_EVENTS);
    cut(&mut finding.audit_ids, MAX_EVENTS);
    cut(&mut finding.sources, MAX_EVENTS);
    cut(&mut finding.images, MAX_NOTES);
    cut(&mut finding.reasons, MAX_NOTES);
}
