//! Which findings belong to one incident, and why.
//!
//! Findings of medium severity or above by one identity from one address, each within an hour of another, form a
//! session. Sessions are joined by traces that an intruder leaves: a token, a pod and its account, a binding, an
//! address that few identities use. Findings of lower severity join nothing: they are added to the session in which
//! they lie, and those of severity low form sessions of their own otherwise. A finding that adds up others goes where
//! most of its events are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use podtrail_event::identity::service_account;
use podtrail_event::{Finding, Severity};

use super::traces::{Trace, Traces};

/// The maximum pause within a session, and between sessions that only an address joins.
pub(super) const PAUSE: TimeDelta = TimeDelta::hours(1);

/// How long after a credential, pod or binding was made its use still joins.
pub(crate) const REACH: TimeDelta = TimeDelta::hours(24);

/// The maximum number of identities at an address that joins them; with more it is a gateway or proxy.
const MAX_IDENTITIES: usize = 3;

/// What a finding does to incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It forms incidents and joins them.
    Strong,
    /// It forms an incident if it lies in no other.
    Weak,
    /// It is added to incidents.
    Context,
    /// It adds up other findings.
    Sum,
}

impl Weight {
    /// Returns the weight of a finding. `combined` are the ids of detections that add up the findings of others.
    pub(crate) fn of(finding: &Finding, combined: &BTreeSet<String>) -> Self {
        if combined.contains(&finding.detection) {
            return Self::Sum;
        }
        // Findings of health checks have no events.
        match finding.severity {
            _ if finding.event_ids.is_empty() => Self::Context,
            Severity::Info => Self::Context,
            Severity::Low => Self::Weak,
            Severity::Medium | Severity::High | Severity::Critical => Self::Strong,
        }
    }
}

/// An identity at an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    cluster: Option<String>,
    identity: Option<String>,
    client_ip: Option<String>,
}

/// The findings of an identity at an address, without a pause longer than [`PAUSE`].
struct IdentitySession {
    place: Place,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    seeds: Vec<usize>,
}

impl IdentitySession {
    fn name(&self) -> &str {
        self.place.identity.as_deref().unwrap_or("an unauthenticated client")
    }

    /// Returns whether a period lies within `gap` of the session.
    fn is_near(&self, first: DateTime<Utc>, last: DateTime<Utc>, gap: TimeDelta) -> bool {
        first.signed_duration_since(self.last) <= gap
            && self.first.signed_duration_since(last) <= gap
    }
}

/// A reason why two sessions belong together.
struct Link {
    from: usize,
    to: usize,
    reason: String,
}

/// Sets the incident of each finding, and the reason. `combined` are the ids of detections that add up the findings of
/// others.
///
/// Findings that have an incident already keep it: of several that turn out to be one, the id of the earliest finding
/// remains, for all of them.
pub(crate) fn join(findings: &mut [Finding], traces: &Traces, combined: &BTreeSet<String>) {
    let weights: Vec<Weight> =
        findings.iter().map(|finding| Weight::of(finding, combined)).collect();
    let of =
        |weight| weights.iter().enumerate().filter(move |(_, w)| **w == weight).map(|(i, _)| i);
    let strong = sessions(
        of(Weight::Strong).map(|index| (index, place(&findings[index], traces))),
        findings,
    );
    let links = links(&strong, findings, traces);
    let mut former: HashMap<String, String> = HashMap::new();
    assign(&strong, &links, findings, &mut former);

    let mut places = Places::default();
    places.add(&strong, findings);
    let weak = of(Weight::Weak).filter(|index| !places.attach(&mut findings[*index], &former));
    let weak: Vec<_> = weak.collect();
    let weak = weak.into_iter().map(|index| (index, own_place(&findings[index])));
    let weak = sessions(weak, findings);
    assign(&weak, &[], findings, &mut former);
    places.add(&weak, findings);
    for index in of(Weight::Context) {
        places.attach(&mut findings[index], &former);
    }

    let sums: Vec<_> = of(Weight::Sum).collect();
    let mut of_events: HashMap<(Option<&str>, &str), Vec<&str>> = HashMap::new();
    for finding in
        weights.iter().zip(&*findings).filter(|(w, _)| **w == Weight::Strong).map(|(_, f)| f)
    {
        for id in &finding.event_ids {
            let incidents = of_events.entry((finding.cluster.as_deref(), id)).or_default();
            incidents.extend(finding.incident_id.as_deref());
        }
    }
    let homes: Vec<_> = sums
        .iter()
        .map(|index| {
            let finding = &findings[*index];
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for id in &finding.event_ids {
                let incidents = of_events.get(&(finding.cluster.as_deref(), id.as_str()));
                for incident in incidents.into_iter().flatten() {
                    *counts.entry(incident).or_default() += 1;
                }
            }
            counts.into_iter().max_by_key(|(_, count)| *count).map(|(id, _)| id.to_owned())
        })
        .collect();
    for (index, home) in sums.into_iter().zip(homes) {
        let finding = &mut findings[index];
        match home {
            Some(id) => {
                finding.incident_id = Some(id);
                finding.incident_reason = Some("adds up findings of this incident".to_owned());
            }
            None => {
                places.attach(finding, &former);
            }
        }
    }
}

/// Gives the findings of sessions, and of those that links join to them, one incident each. `former` receives the ids
/// of incidents that became part of others.
fn assign(
    sessions: &[IdentitySession],
    links: &[Link],
    findings: &mut [Finding],
    former: &mut HashMap<String, String>,
) {
    let mut neighbours: Vec<Vec<&Link>> = sessions.iter().map(|_| Vec::new()).collect();
    for link in links {
        neighbours[link.from].push(link);
        neighbours[link.to].push(link);
    }
    // Incidents that earlier runs have recorded stay together.
    let mut recorded: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, session) in sessions.iter().enumerate() {
        for seed in &session.seeds {
            if let Some(id) = &findings[*seed].incident_id {
                let known = recorded.entry(id.clone()).or_default();
                if known.last() != Some(&index) {
                    known.push(index);
                }
            }
        }
    }
    let mut reasons: Vec<Option<String>> = vec![None; sessions.len()];
    for start in 0..sessions.len() {
        if reasons[start].is_some() {
            continue;
        }
        reasons[start] = Some(same_place(&sessions[start].place));
        let mut members = vec![start];
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for link in &neighbours[at] {
                let next = if link.from == at { link.to } else { link.from };
                if reasons[next].is_none() {
                    reasons[next] = Some(link.reason.clone());
                    members.push(next);
                    queue.push_back(next);
                }
            }
            let ids = sessions[at].seeds.iter().filter_map(|s| findings[*s].incident_id.as_ref());
            for next in ids.filter_map(|id| recorded.get(id)).flatten() {
                if reasons[*next].is_none() {
                    reasons[*next] = Some(same_place(&sessions[*next].place));
                    members.push(*next);
                    queue.push_back(*next);
                }
            }
        }
        let id = incident_id(members.iter().map(|member| &sessions[*member]), findings);
        for member in members {
            for seed in &sessions[member].seeds {
                let finding = &mut findings[*seed];
                let replaced = finding.incident_id.replace(id.clone());
                former
                    .extend(replaced.filter(|other| *other != id).map(|other| (other, id.clone())));
                if finding.incident_reason.is_none() {
                    finding.incident_reason.clone_from(&reasons[member]);
                }
            }
        }
    }
}

/// The periods of sessions by place, with their incidents.
#[derive(Default)]
struct Places(HashMap<Place, Vec<Period>>);

struct Period {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    incident_id: String,
}

impl Places {
    fn add(&mut self, sessions: &[IdentitySession], findings: &[Finding]) {
        for session in sessions {
            let incident =
                session.seeds.first().and_then(|seed| findings[*seed].incident_id.clone());
            if let Some(incident_id) = incident {
                let period = Period { first: session.first, last: session.last, incident_id };
                self.0.entry(session.place.clone()).or_default().push(period);
            }
        }
    }

    /// Adds a finding to the incident of the nearest session at its place, unless it has one; returns whether it has
    /// one then. `former` are the ids of incidents that became part of others.
    fn attach(&self, finding: &mut Finding, former: &HashMap<String, String>) -> bool {
        if let Some(id) = &mut finding.incident_id {
            if let Some(remaining) = former.get(id) {
                id.clone_from(remaining);
            }
            return true;
        }
        // A finding of a health check concerns no identity.
        if finding.event_ids.is_empty() {
            return false;
        }
        let place = own_place(finding);
        let distance = |period: &&Period| {
            (period.first - finding.last_seen).max(finding.first_seen - period.last)
        };
        let periods = self.0.get(&place).into_iter().flatten();
        let Some(period) = periods.filter(|period| distance(period) <= PAUSE).min_by_key(distance)
        else {
            return false;
        };
        finding.incident_id = Some(period.incident_id.clone());
        finding.incident_reason = Some(same_place(&place));
        true
    }
}

fn own_place(finding: &Finding) -> Place {
    Place {
        cluster: finding.cluster.clone(),
        identity: finding.identity.clone(),
        client_ip: finding.client_ip.clone(),
    }
}

fn same_place(place: &Place) -> String {
    let identity = place.identity.as_deref().unwrap_or("an unauthenticated client");
    match &place.client_ip {
        Some(client_ip) => format!("{identity} at {client_ip}"),
        None => identity.to_owned(),
    }
}

/// Returns the id of an incident: that of the finding seen first, among those that have one; else a digest of the
/// finding seen first.
fn incident_id<'s>(
    sessions: impl Iterator<Item = &'s IdentitySession>,
    findings: &[Finding],
) -> String {
    let mut seeds: Vec<&Finding> =
        sessions.flat_map(|session| &session.seeds).map(|seed| &findings[*seed]).collect();
    seeds.sort_by_key(|finding| (finding.first_seen, &finding.finding_id));
    if let Some(id) = seeds.iter().find_map(|finding| finding.incident_id.as_ref()) {
        return id.clone();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"incident\n");
    hasher.update(seeds.first().map_or("", |finding| finding.finding_id.as_str()).as_bytes());
    let mut id = hasher.finalize().to_hex().to_string();
    id.truncate(32);
    id
}

/// Returns the sessions of findings with these places, first seen first.
fn sessions(
    seeds: impl Iterator<Item = (usize, Place)>,
    findings: &[Finding],
) -> Vec<IdentitySession> {
    let mut places: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
    for (index, place) in seeds {
        places.entry(place).or_default().push(index);
    }
    let mut sessions = Vec::new();
    for (place, mut seeds) in places {
        seeds.sort_by_key(|seed| findings[*seed].first_seen);
        let mut open: Option<IdentitySession> = None;
        for seed in seeds {
            let (first, last) = (findings[seed].first_seen, findings[seed].last_seen);
            match &mut open {
                Some(session) if first.signed_duration_since(session.last) <= PAUSE => {
                    session.last = session.last.max(last);
                    session.seeds.push(seed);
                }
                _ => {
                    let next =
                        IdentitySession { place: place.clone(), first, last, seeds: vec![seed] };
                    sessions.extend(open.replace(next));
                }
            }
        }
        sessions.extend(open);
    }
    sessions.sort_by(|a, b| (a.first, &a.place).cmp(&(b.first, &b.place)));
    sessions
}

/// Returns the place of most events of a finding; an episode may have events of several identities.
fn place(finding: &Finding, traces: &Traces) -> Place {
    let mut counts: BTreeMap<(Option<&str>, Option<&str>), usize> = BTreeMap::new();
    for trace in traces.of(finding) {
        *counts.entry(traces.actor(trace)).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    let (identity, client_ip) = most
        .map_or((finding.identity.as_deref(), finding.client_ip.as_deref()), |(actor, _)| actor);
    Place {
        cluster: finding.cluster.clone(),
        identity: identity.map(str::to_owned),
        client_ip: client_ip.map(str::to_owned),
    }
}

/// Returns the links between sessions, the strongest kind first.
fn links(sessions: &[IdentitySession], findings: &[Finding], traces: &Traces) -> Vec<Link> {
    let marks = Marks::of(sessions, findings, traces);
    let mut links = marks.token_links(sessions);
    links.extend(marks.pod_links(sessions));
    links.extend(marks.binding_links(sessions));
    links.extend(address_links(sessions, &Addresses::of(traces)));
    links
}

/// A name in a cluster.
type InCluster<'a> = (Option<&'a str>, &'a str);

/// The uses of the tokens of pods, by name: session and time.
type PodUses<'a> = BTreeMap<&'a str, Vec<(usize, DateTime<Utc>)>>;

/// What a session leaves for others to use, and what it uses.
struct Marks<'a> {
    traces: &'a Traces,
    /// The traces of the seeds of each session.
    of: Vec<Vec<&'a Trace>>,
    /// The sessions of each identity of a cluster.
    identities: HashMap<InCluster<'a>, Vec<usize>>,
}

impl<'a> Marks<'a> {
    fn of(sessions: &'a [IdentitySession], findings: &'a [Finding], traces: &'a Traces) -> Self {
        let of = |session: &'a IdentitySession| {
            let seeds = session.seeds.iter().flat_map(|seed| traces.of(&findings[*seed]));
            let mut known = HashSet::new();
            seeds.filter(|trace| known.insert(&trace.event_id)).collect()
        };
        let mut identities: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, session) in sessions.iter().enumerate() {
            if let Some(identity) = session.place.identity.as_deref() {
                let key = (session.place.cluster.as_deref(), identity);
                identities.entry(key).or_default().push(index);
            }
        }
        Self { traces, of: sessions.iter().map(of).collect(), identities }
    }

    fn allowed(&self) -> impl Iterator<Item = (usize, &'a Trace)> {
        let all = self.of.iter().enumerate();
        all.flat_map(|(index, traces)| traces.iter().map(move |trace| (index, *trace)))
            .filter(|(_, trace)| trace.outcome.as_deref() == Some("allowed"))
    }

    /// Returns the sessions of `username` that begin at `time` or later, within [`REACH`], other than `index`: an
    /// identity with earlier findings did not need what happened at `time`.
    fn later<'s>(
        &'s self,
        sessions: &'s [IdentitySession],
        index: usize,
        username: &'s str,
        time: DateTime<Utc>,
    ) -> impl Iterator<Item = usize> + 's {
        let cluster = sessions[index].place.cluster.as_deref();
        let candidates = self.identities.get(&(cluster, username)).into_iter().flatten().copied();
        candidates.filter(move |other| {
            let session = &sessions[*other];
            *other != index
                && session.first >= time
                && session.first.signed_duration_since(time) <= REACH
        })
    }

    /// A token that one session requested and another uses.
    fn token_links(&self, sessions: &[IdentitySession]) -> Vec<Link> {
        let mut issued: HashMap<(Option<&str>, &str), (usize, &Trace)> = HashMap::new();
        for (index, trace) in self.allowed() {
            if let Some(id) = &trace.issued_credential_id {
                issued.insert((trace.cluster.as_deref(), id), (index, trace));
            }
        }
        let mut links = BTreeMap::new();
        for (to, traces) in self.of.iter().enumerate() {
            for trace in traces {
                let Some(id) = trace.token_credential_id.as_deref() else { continue };
                let Some((from, request)) = issued.get(&(trace.cluster.as_deref(), id)) else {
                    continue;
                };
                if *from != to {
                    links.entry((*from, to)).or_insert_with(|| {
                        format!(
                            "{} uses the token of {} that {} requested at {}",
                            sessions[to].name(),
                            object(request),
                            sessions[*from].name(),
                            clock(request.time),
                        )
                    });
                }
            }
        }
        into_links(links)
    }

    /// A pod that one session created or entered, and whose account another uses.
    fn pod_links(&self, sessions: &[IdentitySession]) -> Vec<Link> {
        let pods = self.pods();
        let mut links = BTreeMap::new();
        for (from, trace) in self.allowed() {
            let (Some(namespace), Some(name)) = (&trace.namespace, &trace.name) else { continue };
            let is_entry = trace.resource.as_deref() == Some("pods")
                && matches!(
                    trace.subresource.as_deref(),
                    Some("exec" | "attach" | "ephemeralcontainers")
                );
            let account = trace.runs_as.as_deref().filter(|_| trace.subresource.is_none());
            if !is_entry && account.is_none() {
                continue;
            }
            let did = if is_entry { "entered" } else { "created" };
            if let Some(pods) = pods.get(&(trace.cluster.as_deref(), namespace)) {
                // The pods of a workload are named after it.
                let made = format!("{name}-");
                let of_workload =
                    pods.range(made.as_str()..).take_while(|(pod, _)| pod.starts_with(&made));
                let of_workload = of_workload.filter(|_| account.is_some()).map(|(_, uses)| uses);
                for (to, used) in pods.get(name.as_str()).into_iter().chain(of_workload).flatten() {
                    if *to != from && *used >= trace.time {
                        links.entry((from, *to)).or_insert_with(|| {
                            format!(
                                "{} uses the token of {}, which {} {did} at {}",
                                sessions[*to].name(),
                                object(trace),
                                sessions[from].name(),
                                clock(trace.time),
                            )
                        });
                    }
                }
            }
            // Without names of pods: an account that nobody used before the workload that runs as it.
            let Some(account) = account.filter(|account| *account != "default") else { continue };
            let username = format!("system:serviceaccount:{namespace}:{account}");
            let is_new = self.traces.addresses.iter().all(|used| {
                used.username.as_deref() != Some(&*username)
                    || used.cluster != trace.cluster
                    || used.first >= trace.time
            });
            if is_new {
                for to in self.later(sessions, from, &username, trace.time) {
                    links.entry((from, to)).or_insert_with(|| {
                        format!(
                            "{username} is first used after {} created {}, which runs as it, at {}",
                            sessions[from].name(),
                            object(trace),
                            clock(trace.time),
                        )
                    });
                }
            }
        }
        into_links(links)
    }

    /// Returns the uses of tokens that a kubelet requested for pods, by cluster and namespace, and by pod.
    fn pods(&self) -> HashMap<InCluster<'a>, PodUses<'a>> {
        let mut pods: HashMap<_, BTreeMap<_, Vec<_>>> = HashMap::new();
        for (session, traces) in self.of.iter().enumerate() {
            for trace in traces {
                let account = trace.username.as_deref().and_then(service_account);
                let namespace = account.map(|(namespace, _)| namespace);
                if let (Some(namespace), Some(pod)) = (namespace, trace.token_pod_name.as_deref()) {
                    let pods = pods.entry((trace.cluster.as_deref(), namespace)).or_default();
                    pods.entry(pod).or_default().push((session, trace.time));
                }
            }
        }
        pods
    }

    /// A role that one session bound to the identity of another.
    fn binding_links(&self, sessions: &[IdentitySession]) -> Vec<Link> {
        let mut links = BTreeMap::new();
        for (from, trace) in self.allowed() {
            for username in self.traces.subjects(trace) {
                for to in self.later(sessions, from, username, trace.time) {
                    links.entry((from, to)).or_insert_with(|| {
                        format!(
                            "{username} was granted a role by {}, which {} wrote at {}",
                            object(trace),
                            sessions[from].name(),
                            clock(trace.time),
                        )
                    });
                }
            }
        }
        into_links(links)
    }
}

fn into_links(links: BTreeMap<(usize, usize), String>) -> Vec<Link> {
    links.into_iter().map(|((from, to), reason)| Link { from, to, reason }).collect()
}

/// Who uses which address.
struct Addresses<'a> {
    /// The identities of each address of a cluster.
    identities: HashMap<InCluster<'a>, HashSet<&'a str>>,
    /// The address from which an identity of a cluster sent the first request in the scope: an intruder with its
    /// credentials comes later, but may send more.
    usual: HashMap<InCluster<'a>, (DateTime<Utc>, &'a str)>,
}

impl<'a> Addresses<'a> {
    fn of(traces: &'a Traces) -> Self {
        let mut addresses = Self { identities: HashMap::new(), usual: HashMap::new() };
        for used in &traces.addresses {
            let cluster = used.cluster.as_deref();
            let (Some(client_ip), Some(username)) = (&used.client_ip, &used.username) else {
                continue;
            };
            addresses.identities.entry((cluster, client_ip)).or_default().insert(username);
            let first = (used.first, client_ip.as_str());
            let usual = addresses.usual.entry((cluster, username)).or_insert(first);
            *usual = first.min(*usual);
        }
        addresses
    }

    /// Returns whether so few identities use an address that it joins them.
    fn is_private(&self, place: &Place) -> bool {
        let key = place.client_ip.as_deref().map(|ip| (place.cluster.as_deref(), ip));
        let identities = key.and_then(|key| self.identities.get(&key));
        identities.is_some_and(|identities| identities.len() <= MAX_IDENTITIES)
    }

    /// Returns whether an identity usually sends its requests from elsewhere.
    fn is_unusual(&self, place: &Place) -> bool {
        let key = place.identity.as_deref().map(|identity| (place.cluster.as_deref(), identity));
        let usual = key.and_then(|key| self.usual.get(&key));
        usual.is_some_and(|(_, usual)| Some(*usual) != place.client_ip.as_deref())
    }

    fn has_others(&self, place: &Place) -> bool {
        let key = place.client_ip.as_deref().map(|ip| (place.cluster.as_deref(), ip));
        let identities = key.and_then(|key| self.identities.get(&key));
        identities.is_some_and(|identities| identities.len() > 1)
    }

    /// Returns whether an identity is the account of a program, which people use only with its token.
    fn is_account(place: &Place) -> bool {
        place.identity.as_deref().and_then(service_account).is_some()
    }
}

/// One address that several identities use, of which one is usually elsewhere; and one identity at several addresses.
fn address_links(sessions: &[IdentitySession], addresses: &Addresses<'_>) -> Vec<Link> {
    let mut links = Vec::new();
    let mut at: BTreeMap<(Option<&str>, &str), Vec<usize>> = BTreeMap::new();
    let mut by: BTreeMap<(Option<&str>, &str), Vec<usize>> = BTreeMap::new();
    for (index, IdentitySession { place, .. }) in sessions.iter().enumerate() {
        let cluster = place.cluster.as_deref();
        if let Some(client_ip) = place.client_ip.as_deref().filter(|_| addresses.is_private(place))
        {
            at.entry((cluster, client_ip)).or_default().push(index);
        }
        if let Some(identity) = place.identity.as_deref() {
            by.entry((cluster, identity)).or_default().push(index);
        }
    }
    for ((_, client_ip), indexes) in at {
        for (from, to) in near_pairs(sessions, &indexes) {
            let (one, other) = (&sessions[from].place, &sessions[to].place);
            // A person who uses the account of a program, or an identity away from its usual address.
            let is_person = Addresses::is_account(one) != Addresses::is_account(other);
            let joins = one.identity != other.identity
                && (is_person || addresses.is_unusual(one) || addresses.is_unusual(other));
            if joins {
                let count = addresses.identities.get(&(one.cluster.as_deref(), client_ip));
                let count = count.map_or(0, HashSet::len);
                links.push(Link {
                    from,
                    to,
                    reason: format!(
                        "{} and {} use the address {client_ip}, from which only {count} identities send requests",
                        sessions[from].name(),
                        sessions[to].name(),
                    ),
                });
            }
        }
    }
    for ((_, identity), indexes) in by {
        for (from, to) in near_pairs(sessions, &indexes) {
            let (one, other) = (&sessions[from].place, &sessions[to].place);
            // After a theft of credentials, their owner still works at the usual address.
            let is_theft = addresses.is_unusual(one) != addresses.is_unusual(other)
                && [one, other].iter().any(|p| addresses.is_unusual(p) && addresses.has_others(p));
            if one.client_ip != other.client_ip && !is_theft {
                let ips = [one, other].map(|place| place.client_ip.as_deref().unwrap_or("?"));
                links.push(Link {
                    from,
                    to,
                    reason: format!("{identity} at two addresses, {} and {}", ips[0], ips[1]),
                });
            }
        }
    }
    links
}

/// Returns the pairs of sessions, given in the order of their beginning, that lie within [`PAUSE`] of each other.
fn near_pairs(sessions: &[IdentitySession], indexes: &[usize]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (position, from) in indexes.iter().enumerate() {
        for to in &indexes[position + 1..] {
            // The next ones begin even later.
            if !sessions[*from].is_near(sessions[*to].first, sessions[*to].last, PAUSE) {
                break;
            }
            pairs.push((*from, *to));
        }
    }
    pairs
}

/// Returns the object of a request, such as `tools/toolbox`.
fn object(trace: &Trace) -> String {
    let resource = trace.resource.as_deref().unwrap_or("object");
    let name = trace.name.as_deref().unwrap_or("(name not in the log)");
    match &trace.namespace {
        Some(namespace) => format!("{resource} {namespace}/{name}"),
        None => format!("{resource} {name}"),
    }
}

fn clock(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}
