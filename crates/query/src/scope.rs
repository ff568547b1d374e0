//! What a session looks at: a period, identities, namespaces and clusters.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::prelude::{Expr, col, lit};
use datafusion::scalar::ScalarValue;

use crate::time::{Bound, TimeError, parse_bound};

/// The part of the lake that the views show. An empty list or an absent bound does not limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The first instant, inclusive.
    pub from: Option<DateTime<Utc>>,
    /// The end, exclusive.
    pub to: Option<DateTime<Utc>>,
    /// User names, real or impersonated; `*` stands for any characters.
    pub identities: Vec<String>,
    /// Namespaces; `*` stands for any characters.
    pub namespaces: Vec<String>,
    /// Cluster names; `*` stands for any characters.
    pub clusters: Vec<String>,
    /// How far the look-back goes before `from`; without it, as far as the lake does.
    pub history: Option<Duration>,
    /// User names of accounts that act for others by design, beside [`podtrail_event::IMPERSONATION_PROXIES`]: what they do
    /// as somebody is judged as that user's own act.
    pub impersonation_proxies: Vec<String>,
}

/// How far before and after the period of a scope what happens there is judged: work goes on over its bounds.
const JUDGED_AROUND: TimeDelta = TimeDelta::days(1);

/// Why a scope is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A bound is no time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The period has no instant.
    #[error("the start {} is not before the end {}", from.to_rfc3339(), to.to_rfc3339())]
    Period {
        /// Its start.
        from: DateTime<Utc>,
        /// Its end.
        to: DateTime<Utc>,
    },
    /// There is no such part of a scope.
    #[error("a scope has no '{0}': it has from, to, since, identity, namespace and cluster")]
    Part(String),
}

impl Scope {
    /// Sets one part: `from`, `to`, `since` (an age), or `identity`, `namespace`, `cluster` (names, which commas
    /// separate). An empty value sets no limit.
    ///
    /// # Errors
    /// When there is no such part, the value is no time, or the period would be empty; the scope is then as it was.
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
            "namespace" => scope.namespaces = names(),
            "cluster" => scope.clusters = names(),
            other => return Err(ScopeError::Part(other.to_owned())),
        }
        scope.check()?;
        *self = scope;
        Ok(())
    }

    /// Whether the period has an instant.
    ///
    /// # Errors
    /// When it has none.
    pub fn check(&self) -> Result<(), ScopeError> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => Err(ScopeError::Period { from, to }),
            _ => Ok(()),
        }
    }

    /// The scope in which detections judge what this one shows: every identity and namespace, for what one of them did is
    /// judged by what others did, and a day around its period. Clusters are judged by themselves.
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
            namespaces: Vec::new(),
            clusters: self.clusters.clone(),
            history: self.history,
            impersonation_proxies: self.impersonation_proxies.clone(),
        }
    }

    /// The predicate on the `events` table that holds for what is in scope; `None` is everything.
    pub(crate) fn predicate(&self) -> Option<Expr> {
        let conditions = [
            period(self.from, self.to),
            any_of(&["username", "impersonated_username"], &self.identities),
            any_of(&["namespace"], &self.namespaces),
            any_of(&["cluster"], &self.clusters),
        ];
        conditions.into_iter().flatten().reduce(Expr::and)
    }

    /// The predicate for the look-back: everything before the scope, for every identity and namespace.
    ///
    /// Without a `from` there is nothing before the scope.
    pub(crate) fn history_predicate(&self) -> Expr {
        let Some(from) = self.from else { return lit(false) };
        let known = period(self.known_from(), Some(from));
        let conditions = [known, any_of(&["cluster"], &self.clusters)];
        conditions.into_iter().flatten().reduce(Expr::and).unwrap_or(lit(true))
    }

    /// The predicate for what is known at the scope's end: scope and look-back, for every identity and namespace.
    pub(crate) fn known_predicate(&self) -> Option<Expr> {
        let known = period(self.known_from(), self.to);
        let conditions = [known, any_of(&["cluster"], &self.clusters)];
        conditions.into_iter().flatten().reduce(Expr::and)
    }

    /// The predicate for all that there is up to the scope's end, for every identity and namespace.
    pub(crate) fn ever_predicate(&self) -> Option<Expr> {
        let conditions = [period(None, self.to), any_of(&["cluster"], &self.clusters)];
        conditions.into_iter().flatten().reduce(Expr::and)
    }

    /// The first instant of the look-back.
    fn known_from(&self) -> Option<DateTime<Utc>> {
        self.from?.checked_sub_signed(TimeDelta::from_std(self.history?).ok()?)
    }
}

/// Everything, or the limits in words.
impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |kind: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("{kind} {}", names.join(" or ")))
        };
        let limits = [
            self.from.map(|from| format!("from {}", from.to_rfc3339())),
            self.to.map(|to| format!("to {}", to.to_rfc3339())),
            names("identity", &self.identities),
            names("namespace", &self.namespaces),
            names("cluster", &self.clusters),
        ];
        let limits: Vec<_> = limits.into_iter().flatten().collect();
        formatter.write_str(if limits.is_empty() { "everything" } else { "" })?;
        formatter.write_str(&limits.join(", "))
    }
}

/// `date` follows from `time`; it is named as well because it prunes whole partitions.
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

/// A moment as SQL for comparisons with a time.
///
/// `TIMESTAMP '…'` is in nanoseconds, which 64 bits hold from 1677 to 2262 only: a look-back of a thousand years would fail.
pub fn instant_sql(time: DateTime<Utc>) -> String {
    format!("arrow_cast({}, 'Timestamp(µs, \"UTC\")')", time.timestamp_micros())
}

fn day(date: NaiveDate) -> Expr {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    lit(ScalarValue::Date32(i32::try_from(days).ok()))
}

/// One of the columns matches one of the patterns.
fn any_of(columns: &[&str], patterns: &[String]) -> Option<Expr> {
    patterns
        .iter()
        .flat_map(|pattern| columns.iter().map(move |column| matches(col(*column), pattern)))
        .reduce(Expr::or)
}

/// The text is `pattern`, in which `*` stands for any characters.
pub(crate) fn matches(column: Expr, pattern: &str) -> Expr {
    if !pattern.contains('*') {
        return column.eq(lit(pattern));
    }
    // LIKE with its own wildcards escaped, so that `_` in a name stays itself.
    let like = pattern.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    column.like(lit(like.replace('*', "%")))
}
