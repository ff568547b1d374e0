//! The command line: the one source of help, manual page and completions.

use std::path::PathBuf;

use chrono::Utc;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use podtrail_detect::Severity;
use podtrail_query::{Bound, Scope, parse_bound};
use podtrail_report::RowFormat;

use crate::exit::{self, UsageError};

/// Hunts for workloads that should not be there, in Kubernetes audit logs.
#[derive(Debug, Parser)]
#[command(name = "podtrail", version, after_help = exit::HELP, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the detections over log files or a lake, and print what they find
    #[command(after_help = exit::HELP)]
    Hunt(HuntArgs),
    /// Read log files into a lake
    #[command(after_help = exit::HELP)]
    Ingest(IngestArgs),
    /// Query a lake
    Sql(SqlArgs),
    /// Print the columns of the events table, as Markdown
    Schema,
    /// List the detections
    Detections(DetectionsArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, in troff
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct HuntArgs {
    /// Log files, folders, patterns, or - for standard input; without --lake they are read into a temporary lake
    #[arg(value_name = "LOGS", value_hint = ValueHint::AnyPath, required_unless_present = "lake")]
    pub(crate) logs: Vec<PathBuf>,
    /// The lake to hunt in; LOGS are read into it first
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, env = "PODTRAIL_LAKE")]
    pub(crate) lake: Option<PathBuf>,
    /// Keep secrets in the logs in clear; else Secret data and tokens are replaced by keyed digests
    #[arg(long)]
    pub(crate) no_redact: bool,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// A folder of detections that are added, or replace those of the same id
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) queries: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = FindingFormat::Table)]
    pub(crate) format: FindingFormat,
    /// Leave out findings below this severity
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = SeverityArg::Info)]
    pub(crate) min_severity: SeverityArg,
    /// Exit with 1 when there are findings of this severity or above
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub(crate) fail_on: Option<SeverityArg>,
}

#[derive(Debug, Args)]
pub(crate) struct IngestArgs {
    /// Log files, folders, patterns, or - for standard input
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The lake; it is made where there is none
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// The name of the cluster that the logs are from; else what the envelopes say, else "default"
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// Keep secrets in clear; else Secret data and tokens are replaced by keyed digests
    #[arg(long)]
    pub(crate) no_redact: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// The query
    #[arg(short, long, value_name = "SQL")]
    pub(crate) command: String,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// How rows are printed: table, csv, json or jsonl
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RowFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DetectionsArgs {
    /// A folder of detections that are added, or replace those of the same id
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) queries: Vec<PathBuf>,
}

/// What to look at.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scope")]
pub(crate) struct ScopeArgs {
    /// The start: RFC 3339, a date, or an age such as 24h or 7d; UTC unless an offset is given
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// The end, exclusive; of a date, its last instant
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// The same as --from, for an age
    #[arg(long, value_name = "AGE", conflicts_with = "from")]
    since: Option<String>,
    /// User names, real or impersonated; * stands for any characters
    #[arg(long, value_name = "NAME")]
    identity: Vec<String>,
    /// Namespaces; * stands for any characters
    #[arg(long, value_name = "NAME")]
    namespace: Vec<String>,
    /// Clusters; * stands for any characters
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Vec<String>,
}

impl ScopeArgs {
    /// The scope that the flags describe, now.
    pub(crate) fn scope(&self) -> Result<Scope, UsageError> {
        let now = Utc::now();
        let read = |text: Option<&String>, bound| {
            text.map(|text| parse_bound(text, bound, now)).transpose()
        };
        let usage = |error: podtrail_query::TimeError| UsageError(error.to_string());
        let from = read(self.from.as_ref().or(self.since.as_ref()), Bound::From).map_err(usage)?;
        let to = read(self.to.as_ref(), Bound::To).map_err(usage)?;
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            let (from, to) = (from.to_rfc3339(), to.to_rfc3339());
            return Err(UsageError(format!("--from {from} is not before --to {to}")));
        }
        Ok(Scope {
            from,
            to,
            identities: self.identity.clone(),
            namespaces: self.namespace.clone(),
            clusters: self.cluster.clone(),
        })
    }
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FindingFormat {
    /// For people
    Table,
    /// One JSON object a line
    Jsonl,
}

/// A severity, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeverityArg {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl From<SeverityArg> for Severity {
    fn from(argument: SeverityArg) -> Self {
        match argument {
            SeverityArg::Info => Self::Info,
            SeverityArg::Low => Self::Low,
            SeverityArg::Medium => Self::Medium,
            SeverityArg::High => Self::High,
            SeverityArg::Critical => Self::Critical,
        }
    }
}
