//! Detection of records from several clusters that are stored under one name, based on the labels of envelopes.

use std::collections::{BTreeMap, BTreeSet};

use podtrail_event::DEFAULT_CLUSTER;

use crate::envelope::labels::Labels;

/// Limits of the recorded values, which bound the memory for a hostile log.
const MAX_CLUSTERS: usize = 256;
const MAX_PATHS: usize = 32;
const MAX_VALUES: usize = 8;
const LONGEST_VALUE: usize = 256;

/// The values of labels that distinguish clusters, by the cluster under which events are stored, and by path.
#[derive(Debug, Default)]
pub(crate) struct Clusters {
    stored: BTreeMap<String, Stored>,
    /// Number of events without the member given by `cluster_field`.
    pub(crate) unnamed: u64,
}

#[derive(Debug, Default)]
struct Stored {
    identities: BTreeMap<String, BTreeSet<String>>,
    hints: BTreeMap<String, BTreeSet<String>>,
}

impl Clusters {
    /// Records the labels of an event that is stored under `cluster`. `field` is the path of the label that names the
    /// cluster, if a user chose one; `is_given` states whether a user gave the name itself.
    pub(crate) fn note(
        &mut self,
        cluster: &str,
        labels: Option<&Labels>,
        field: Option<&str>,
        is_given: bool,
    ) {
        let has_field = field.is_some_and(|field| labels.is_some_and(|l| l.get(field).is_some()));
        self.unnamed += u64::from(field.is_some() && !has_field);
        let Some(labels) = labels else { return };
        if !self.stored.contains_key(cluster) {
            if self.stored.len() >= MAX_CLUSTERS {
                return;
            }
            self.stored.insert(cluster.to_owned(), Stored::default());
        }
        let Some(stored) = self.stored.get_mut(cluster) else { return };
        // A name taken from the chosen field already distinguishes clusters.
        if !has_field {
            labels.identities().for_each(|(path, value)| add(&mut stored.identities, path, value));
        }
        if cluster == DEFAULT_CLUSTER && !is_given {
            labels.hints().for_each(|(path, value)| add(&mut stored.hints, path, value));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.unnamed += other.unnamed;
        for (cluster, other) in other.stored {
            if self.stored.len() >= MAX_CLUSTERS && !self.stored.contains_key(&cluster) {
                continue;
            }
            let stored = self.stored.entry(cluster).or_default();
            for (ours, theirs) in
                [(&mut stored.identities, other.identities), (&mut stored.hints, other.hints)]
            {
                for (path, values) in theirs {
                    for value in &values {
                        add(ours, &path, value);
                    }
                }
            }
        }
    }

    /// Returns the warnings for the summary.
    pub(crate) fn warnings(&self, cluster_field: Option<&str>) -> Vec<String> {
        let mut warnings = Vec::new();
        for (cluster, stored) in &self.stored {
            let several = |(_, values): &(&String, &BTreeSet<String>)| values.len() > 1;
            if let Some((path, values)) = stored.identities.iter().find(several) {
                warnings.push(format!(
                    "records of several clusters are stored as '{cluster}': {path} has the values {}; \
                     omit --cluster, or name the field that distinguishes them with --cluster-field",
                    listed(values)
                ));
            } else if let Some((path, values)) = stored.hints.iter().find(several) {
                warnings.push(format!(
                    "records of several clusters may be stored as '{cluster}': {path} has the values {}; \
                     if it names the cluster, add --cluster-field {path}",
                    listed(values)
                ));
            }
        }
        if let Some(field) = cluster_field.filter(|_| self.unnamed > 0) {
            warnings.push(format!(
                "{} events lack the field {field}, which names the cluster",
                self.unnamed
            ));
        }
        warnings
    }
}

fn add(paths: &mut BTreeMap<String, BTreeSet<String>>, path: &str, value: &str) {
    if let Some(values) = paths.get_mut(path) {
        if values.len() < MAX_VALUES && value.len() <= LONGEST_VALUE && !values.contains(value) {
            values.insert(value.to_owned());
        }
    } else if paths.len() < MAX_PATHS && value.len() <= LONGEST_VALUE {
        paths.insert(path.to_owned(), BTreeSet::from([value.to_owned()]));
    }
}

fn listed(values: &BTreeSet<String>) -> String {
    let quoted: Vec<_> = values.iter().map(|value| format!("'{value}'")).collect();
    let more = if values.len() >= MAX_VALUES { " …" } else { "" };
    format!("{}{more}", quoted.join(", "))
}
