//! The scope of a session: a period, identities, client addresses, namespaces and clusters.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::prelude::{Expr, col, lit};
use datafusion::scalar::ScalarValue;
use ipnet::IpNet;

use crate::functions::cidr_contains;
use crate::glob::glob_expr;
use crate::time::{Bound, TimeError, parse_bound};

/// The part of the lake that the views show. An empty list or an absent bound sets no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The first instant, inclusive.
    pub from: Option<DateTime<Utc>>,
    /// The end, exclusive.
    pub to: Option<DateTime<Utc>>,
    /// User names, real or impersonated; `*` matches any characters.
    pub identities: Vec<String>,
    /// Client addresses, or networks such as `10.0.0.0/8`; `*` matches any characters.
    pub client_ips: Vec<String>,
    /// Namespaces; `*` matches any characters.
    pub namespaces: Vec<String>,
    /// Cluster names; `*` matches any characters.
    pub clusters: Vec<String>,
    /// The length of the look-back before `from`; `None` for the whole lake.
    pub history: Option<Duration>,
    /// User names of accounts that act for others by design, in addition to
    /// [`podtrail_event::IMPERSONATION_PROXIES`]: their impersonated requests are attributed to the impersonated
    /// user.
    pub impersonation_proxies: Vec<String>,
}

/// The variables that [`Scope::set`] changes, as text.
pub const SCOPE_VARIABLES: &str = "from, to, since, identity, client_ip, namespace and cluster";

/// How far before and after the scope's period detections read: activities extend beyond its bounds.
const JUDGED_AROUND: TimeDelta = TimeDelta::days(1);

/// Why a scope is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A bound is not a time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The period is empty.
    #[error("the start {} is not before the end {}", from.to_rfc3339(), to.to_rfc3339())]
    Period {
        /// The start.
        from: DateTime<Utc>,
        /// The end.
        to: DateTime<Utc>,
    },
    /// Neither an address, a network nor a pattern.
    #[error(
        "'{0}' is not an address; expected an address, a network such as 10.0.0.0/8, or a pattern such as 10.0.*"
    )]
    Address(String),
    /// Unknown part of a scope.
    #[error("unknown scope variable '{0}'; variables are {SCOPE_VARIABLES}")]
    Part(String),
}

impl Scope {
    /// Sets one part: `from`, `to`, `since` (an age), or `identity`, `client_ip`, `namespace`, `cluster` (names
    /// separated by commas). An empty value removes the limit.
    ///
    /// # Errors
    /// If the part is unknown, the value is not a time or an address, or the period would be empty; the scope then stays
    /// unchanged.
    pub fn set(&mut self, part: &str, value: &str, now: DateTime<Utc>) -> Result<(), ScopeError> {
        let time = |bound| {
            let value = (!value.trim().is_empty()).then_some(value);
            value.map(|value| parse_bound(value, bound, now)).transpose()
        };
        let names = || {
            let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        let mut scope = self.clone();
        match part {
            "from" | "since" => scope.from = time(Bound::From)?,
            "to" => scope.to = time(Bound::To)?,
            "identity" => scope.identities = names(),
            "client_ip" => scope.client_ips = names(),
            "namespace" => scope.namespaces = names(),
            "cluster" => scope.clusters = names(),
            other => return Err(ScopeError::Part(other.to_owned())),
        }
        scope.check()?;
        *self = scope;
        Ok(())
    }

    /// Checks that the period is not empty, and that addresses are addresses.
    ///
    /// # Errors
    /// If it is empty, or one of them is not.
    pub fn check(&self) -> Result<(), ScopeError> {
        let is_valid = |text: &&String| {
            text.contains('*') || text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok()
        };
        if let Some(wrong) = self.client_ips.iter().find(|text| !is_valid(text)) {
            return Err(ScopeError::Address(wrong.clone()));
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => Err(ScopeError::Period { from, to }),
            _ => Ok(()),
        }
    }

    /// Returns the scope in which detections examine what this one shows: every identity, address and namespace, because
    /// activities are judged by comparison with others, and a day around the period. Clusters are judged separately.
    #[must_use]
    pub fn judged(&self) -> Self {
        Self {
            from: self.from.map(|from| {
                from.checked_sub_signed(JUDGED_AROUND).unwrap_or(DateTime::<Utc>::MIN_UTC)
            }),
            to: self
                .to
                .map(|to| to.checked_add_signed(JUDGED_AROUND).unwrap_or(DateTime::<Utc>::MAX_UTC)),
            identities: Vec::new(),
            client_ips: Vec::new(),
            namespaces: Vec::new(),
            clusters: self.clusters.clone(),
            history: self.history,
            impersonation_proxies: self.impersonation_proxies.clone(),
        }
    }

    /// Returns the predicate on the `events` table for rows in scope; `None` for all rows.
    pub(crate) fn predicate(&self) -> Option<Expr> {
        let conditions = [
            period(self.from, self.to),
            any_of(&["username", "impersonated_username"], &self.identities),
            self.client_ips.iter().map(|text| from_address(text)).reduce(Expr::or),
            any_of(&["namespace"], &self.namespaces),
            any_of(&["cluster"], &self.clusters),
        ];
        conditions.into_iter().flatten().reduce(Expr::and)
    }

    /// Returns the predicate for the look-back: everything before the scope, for every identity and namespace.
    ///
    /// Without `from`, nothing is before the scope.
    pub(crate) fn history_predicate(&self) -> Expr {
        let Some(from) = self.from else { return lit(false) };
        let known = period(self.known_from(), Some(from));
        let conditions = [known, any_of(&["cluster"], &self.clusters)];
        conditions.into_iter().flatten().reduce(Expr::and).unwrap_or(lit(true))
    }

    /// Returns the predicate for scope and look-back, for every identity and namespace.
    pub(crate) fn known_predicate(&self) -> Option<Expr> {
        let known = period(self.known_from(), self.to);
        let conditions = [known, any_of(&["cluster"], &self.clusters)];
        conditions.into_iter().flatten().reduce(Expr::and)
    }

    /// Returns the predicate for everything up to the end of the scope, for every identity and namespace.
    pub(crate) fn ever_predicate(&self) -> Option<Expr> {
        let conditions = [period(None, self.to), any_of(&["cluster"], &self.clusters)];
        conditions.into_iter().flatten().reduce(Expr::and)
    }

    /// Returns the first instant of the look-back.
    fn known_from(&self) -> Option<DateTime<Utc>> {
        self.from?.checked_sub_signed(TimeDelta::from_std(self.history?).ok()?)
    }
}

/// Formats the limits for reading, or `everything`.
impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |kind: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("{kind} {}", names.join(" or ")))
        };
        let limits = [
            self.from.map(|from| format!("from {}", from.to_rfc3339())),
            self.to.map(|to| format!("to {}", to.to_rfc3339())),
            names("identity", &self.identities),
            names("client address", &self.client_ips),
            names("namespace", &self.namespaces),
            names("cluster", &self.clusters),
        ];
        let limits: Vec<_> = limits.into_iter().flatten().collect();
        formatter.write_str(if limits.is_empty() { "everything" } else { "" })?;
        formatter.write_str(&limits.join(", "))
    }
}

/// Returns the predicate for requests from an address, a network, or addresses that match a pattern.
fn from_address(text: &str) -> Expr {
    let column = col("client_ip");
    if text.contains('/') {
        // Null for a text that is not an address.
        cidr_contains().call(vec![lit(text), column]).is_true()
    } else {
        glob_expr(column, text)
    }
}

/// Returns the predicate for a period. `date` follows from `time`, but prunes whole partitions.
fn period(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Option<Expr> {
    let from = from.map(|from| {
        col("time").gt_eq(instant(from)).and(col("date").gt_eq(day(from.date_naive())))
    });
    let to = to.map(|to| col("time").lt(instant(to)).and(col("date").lt_eq(day(to.date_naive()))));
    [from, to].into_iter().flatten().reduce(Expr::and)
}

fn instant(time: DateTime<Utc>) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(time.timestamp_micros()), Some("UTC".into())))
}

/// Returns a time as SQL for comparisons.
///
/// `TIMESTAMP '…'` is in nanoseconds, which 64 bits can hold from 1677 to 2262 only: a look-back of a thousand years
/// would fail.
pub fn instant_sql(time: DateTime<Utc>) -> String {
    format!("arrow_cast({}, 'Timestamp(µs, \"UTC\")')", time.timestamp_micros())
}

fn day(date: NaiveDate) -> Expr {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    lit(ScalarValue::Date32(i32::try_from(days).ok()))
}

/// Returns the predicate that one of the columns matches one of the patterns.
fn any_of(columns: &[&str], patterns: &[String]) -> Option<Expr> {
    patterns
        .iter()
        .flat_map(|pattern| columns.iter().map(move |column| glob_expr(col(*column), pattern)))
        .reduce(Expr::or)
}
