//! The posture of a pod template, as a set of facts that pods share with the template they were created from.
//!
//! The facts exclude what controllers and the API server always add to pods: names, labels, defaults, tolerations, the
//! token volume, claims, environment.

use crate::column::Text;
use crate::objects::workload::{Container, PostureFact, Workload};

type Fact = (&'static str, Option<String>, Option<String>);

/// The posture of a whole pod template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Posture(Vec<Fact>);

impl Posture {
    /// Returns the posture; `None` if the body does not show the whole template.
    pub(crate) fn of(workload: &Workload<'_>) -> Option<Self> {
        let is_whole = matches!(workload.body_source.as_deref(), Some("request" | "response"))
            && workload.containers.is_some();
        if !is_whole {
            return None;
        }
        let mut facts = Vec::new();
        let flags = [
            ("host pid", workload.host_pid),
            ("host ipc", workload.host_ipc),
            ("host network", workload.host_network),
            ("host process", workload.host_process),
        ];
        for (fact, flag) in flags {
            if flag == Some(true) {
                facts.push((fact, None, None));
            }
        }
        // An unset account means `default`.
        let account = workload.service_account_name.as_deref().filter(|name| !name.is_empty());
        if let Some(account) = account.filter(|name| *name != "default") {
            facts.push(("service account", None, Some(account.to_owned())));
        }
        if let Some(user) = workload.run_as_user {
            facts.push(("user", None, Some(user.to_string())));
        }
        for sysctl in workload.sysctls.iter().flatten() {
            let part = |part: &Option<Text<'_>>| part.as_deref().unwrap_or_default().to_owned();
            let setting = format!("{}={}", part(&sysctl.name), part(&sysctl.value));
            facts.push(("sysctl", None, Some(setting)));
        }
        let host_path = |volume: &str| {
            let mut volumes = workload.volumes.iter().flatten();
            let volume = volumes.find(|other| other.name.as_deref() == Some(volume))?;
            Some(volume.host_path.as_deref()?.to_owned())
        };
        for volume in workload.volumes.iter().flatten() {
            if let Some(path) = volume.host_path.as_deref() {
                facts.push(("host path", None, Some(path.to_owned())));
            }
        }
        let containers = workload.containers.iter().flatten();
        for container in containers.filter(|other| other.role.as_deref() != Some("ephemeral")) {
            of_container(&mut facts, container, host_path);
        }
        facts.sort();
        facts.dedup();
        Some(Self(facts))
    }

    /// Returns a digest of the facts: equal for a pod and its template, regardless of the order of lists.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (fact, container, value) in &self.0 {
            for part in [Some(*fact), container.as_deref(), value.as_deref()] {
                // The length separates the parts.
                let part = part.unwrap_or_default();
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        hasher.finalize().to_hex()[..24].to_owned()
    }

    /// Returns the facts that another posture does not have.
    pub(crate) fn beyond<'a>(self, other: &Self) -> Vec<PostureFact<'a>> {
        let new = self.0.into_iter().filter(|fact| other.0.binary_search(fact).is_err());
        let rows = new.map(|(fact, container, value)| PostureFact {
            fact: Some(fact.into()),
            container: container.map(Text::from),
            value: value.map(Text::from),
        });
        rows.collect()
    }
}

fn of_container(
    facts: &mut Vec<Fact>,
    container: &Container<'_>,
    host_path: impl Fn(&str) -> Option<String>,
) {
    let name = container.name.as_deref().unwrap_or_default();
    let mut push = |fact, value: Option<String>| facts.push((fact, Some(name.to_owned()), value));
    let list = |values: &[Text<'_>]| {
        let values: Vec<&str> = values.iter().map(|value| &**value).collect();
        serde_json::Value::from(values).to_string()
    };
    push("container", container.role.as_deref().map(str::to_owned));
    if let Some(image) = container.image.as_deref() {
        push("image", Some(image.to_owned()));
    }
    for (fact, values) in [("command", &container.command), ("args", &container.args)] {
        if let Some(values) = values.as_deref().filter(|values| !values.is_empty()) {
            push(fact, Some(list(values)));
        }
    }
    for handler in container.handlers.iter().flatten() {
        if let Some(command) = handler.command.as_deref() {
            let handler = handler.name.as_deref().unwrap_or_default();
            push("handler", Some(format!("{handler} {}", list(command))));
        }
    }
    if container.privileged == Some(true) {
        push("privileged", None);
    }
    if container.allow_privilege_escalation == Some(true) {
        push("privilege escalation", None);
    }
    if container.host_process == Some(true) {
        push("host process", None);
    }
    for capability in container.capabilities_add.iter().flatten() {
        push("capability", Some((**capability).to_owned()));
    }
    if let Some(user) = container.run_as_user {
        push("user", Some(user.to_string()));
    }
    if let Some(mount) = container.proc_mount.as_deref().filter(|mount| *mount != "Default") {
        push("proc mount", Some(mount.to_owned()));
    }
    for mount in container.volume_mounts.iter().flatten() {
        if mount.read_only != Some(true)
            && let Some(path) = mount.name.as_deref().and_then(&host_path)
        {
            let path = match mount.sub_path.as_deref() {
                Some(sub_path) => format!("{path}/{sub_path}"),
                None => path,
            };
            push("writable host path", Some(path));
        }
    }
}
