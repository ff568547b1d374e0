//! The names of MITRE ATT&CK techniques and tactics.

use std::collections::BTreeMap;

/// The version of the ATT&CK matrix in `attack_techniques` and `attack_tactics`.
pub const ATTACK_VERSION: &str = "19";

/// The names of techniques, the ids of tactics, and the successors of earlier ones, in
/// [`ATTACK_VERSION`](crate::ATTACK_VERSION).
#[derive(Debug, Clone, Default)]
pub struct AttackNames {
    techniques: BTreeMap<String, String>,
    tactics: Vec<(String, String)>,
    successors: BTreeMap<String, String>,
}

impl AttackNames {
    /// Creates the names from pairs of technique id and name (sub-techniques as `Scheduled Task/Job: Cron`), pairs of
    /// tactic id and name, and pairs of a former technique id or tactic name and its successor.
    pub(crate) fn new<'a>(
        techniques: impl Iterator<Item = (&'a str, &'a str)>,
        tactics: impl Iterator<Item = (&'a str, &'a str)>,
        successors: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut names = Self::default();
        for (id, name) in techniques {
            // A technique may be listed by its sub-techniques only.
            if let (Some((technique, _)), Some((of_technique, own))) =
                (id.split_once('.'), name.split_once(": "))
            {
                names.techniques.insert(technique.to_owned(), of_technique.to_owned());
                names.techniques.insert(id.to_owned(), own.to_owned());
            } else {
                names.techniques.insert(id.to_owned(), name.to_owned());
            }
        }
        names.tactics = tactics.map(|(id, name)| (id.to_owned(), name.to_owned())).collect();
        names.successors = successors.map(|(old, new)| (old.to_owned(), new.to_owned())).collect();
        names
    }

    /// Returns the name of a technique, such as `Deploy Container`, or of a sub-technique, such as `Container
    /// Orchestration Job`.
    pub fn technique(&self, id: &str) -> Option<&str> {
        self.techniques.get(id).map(String::as_str)
    }

    /// Returns the id of a tactic, such as `TA0002` for `Execution`.
    pub fn tactic_id(&self, name: &str) -> Option<&str> {
        self.tactics().find(|(_, known)| *known == name).map(|(id, _)| id)
    }

    /// Returns the successor of a technique or tactic of an earlier version, such as `T1685` for `T1562`.
    pub fn successor(&self, old: &str) -> Option<&str> {
        self.successors.get(old).map(String::as_str)
    }

    /// Returns the ids and names of the tactics, in the order of the matrix.
    pub fn tactics(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tactics.iter().map(|(id, name)| (id.as_str(), name.as_str()))
    }
}
