//! The command line: the only source of help, manual page and completions.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{
    NonEmptyStringValueParser, PathBufValueParser, PossibleValuesParser, TypedValueParser,
};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use podtrail_detect::{Again, FindingState, IncidentState, Severity};
use podtrail_ingest::Shard;
use podtrail_lake::{LakeLocation, LogObjects};
use podtrail_query::{Bound, Limits, Scope, parse_bound};
use podtrail_report::RowFormat;

use crate::clock;
use crate::config::FILE_VARIABLE;
use crate::exit::{self, UsageError};

/// Hunt for suspicious workloads in Kubernetes audit logs
#[derive(Debug, Parser)]
#[command(name = "podtrail", version, after_help = exit::HELP, propagate_version = true)]
pub(crate) struct Cli {
    /// Settings file in TOML; default: $XDG_CONFIG_HOME/podtrail/config.toml, else /etc/podtrail/config.toml
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true, env = FILE_VARIABLE)]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run detections over log files or a lake, and print the findings
    #[command(after_help = exit::HELP)]
    Hunt(HuntArgs),
    /// Ingest log files into a lake
    #[command(after_help = exit::HELP)]
    Ingest(IngestArgs),
    /// Run detections over the events added since the last run, record the findings, and print the new ones
    ///
    /// Every finding is recorded first, regardless of its severity. A finding stays `new` until a run has printed it
    /// and the output has accepted it. If a run is killed or cannot write, the next run prints its findings again, with
    /// the same ids. --min-severity therefore only selects what is printed now; a later run with a lower value prints
    /// the rest. Each run marks events as checked; runs with --detection keep a mark of their own, so that the other
    /// detections still check the same events.
    #[command(after_help = exit::HELP)]
    Detect(DetectArgs),
    /// List, show, acknowledge and close recorded findings
    #[command(subcommand)]
    Findings(FindingsCommand),
    /// List, show, acknowledge and close recorded incidents
    #[command(subcommand)]
    Incidents(IncidentsCommand),
    /// Show lake status: ingest lag, quarantined records, last detection run, open findings
    Status(StatusArgs),
    /// Query a lake
    Sql(SqlArgs),
    /// Export the events of a lake as JSON lines, as they arrived, ordered by time
    Export(ExportArgs),
    /// List quarantined records, or ingest them again
    #[command(after_help = exit::HELP)]
    Quarantine(QuarantineArgs),
    /// Inspect and maintain a lake: info, compact, vacuum, retain, verify
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Print the effective settings and the origin of each
    Config,
    /// Print the tables and views of a lake with their columns, or the SQL functions
    Schema(SchemaArgs),
    /// List, show, test, lint and create detections
    #[command(subcommand)]
    Detections(DetectionsCommand),
    /// List and lint exceptions, or preview which findings they hide or lower
    #[command(subcommand)]
    Exceptions(ExceptionsCommand),
    /// Run parts of the queries of other machines (see --engine of `sql`, `hunt` and `detect`)
    #[cfg(feature = "cluster")]
    Worker(WorkerArgs),
    /// Print a completion script for a shell
    Completions {
        /// Shell to generate the script for
        shell: Shell,
    },
    /// Print the manual page in troff format
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct HuntArgs {
    /// Log files, folders, glob patterns, objects (s3://, gs://, az://, abfss://), or - for standard input; without --lake
    /// they are read into a temporary lake
    #[arg(value_name = "LOGS", value_hint = ValueHint::AnyPath, value_parser = log_path(), required_unless_present = "lake")]
    pub(crate) logs: Vec<PathBuf>,
    /// Lake to hunt in; LOGS are ingested into it first
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: Option<LakeLocation>,
    /// Keep secrets in plain text; by default, Secret data and tokens are replaced by keyed digests
    #[arg(long)]
    pub(crate) no_redact: bool,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) find: FindArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Write a report with the evidence: a self-contained HTML file that opens offline
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
}

/// Which detections run, and how their findings are printed.
#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    /// Folder of detections to add; a detection with the id of a built-in one replaces it; may be repeated
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) queries: Vec<PathBuf>,
    /// Id of a detection to run; the others are left out; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) detection: Vec<String>,
    /// Parameter value for a detection (`detections show ID` lists parameters and types); may be repeated. A text_list is
    /// a,b or `["a","b,c"]`, or one option per element
    #[arg(long, value_name = "ID.NAME=VALUE", value_parser = parse_detection_parameter)]
    pub(crate) param: Vec<(String, String, String)>,
    /// Number of detections to run in parallel; default: one per core
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Memory for queries, such as 4GiB; half of it caches rows that many detections read. With too little memory,
    /// these rows are read repeatedly
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "3GiB")]
    pub(crate) memory: usize,
    /// Time limit per detection, such as 30s or 1h; 0s disables it. A detection that cannot be cancelled is abandoned
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "30m")]
    pub(crate) detection_timeout: Duration,
    /// File of exceptions (findings known to be benign) to apply after the built-in ones; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) exceptions: Vec<PathBuf>,
    /// Apply no exceptions, including the built-in ones
    #[arg(long, conflicts_with = "exceptions")]
    pub(crate) no_exceptions: bool,
    /// File of threat intelligence (addresses, images, users and user agents to search for) as CSV, STIX 2.1 or MISP
    /// JSON; may be repeated. A lake keeps the indicators given to `detect` for runs without this option
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) indicators: Vec<PathBuf>,
    /// Output format; a table shows incidents, the other formats findings, unless --findings or --incidents is given
    #[arg(long, value_enum, default_value_t = FindingFormat::Table)]
    pub(crate) format: FindingFormat,
    /// Print each finding, also in a table
    #[arg(long, conflicts_with = "incidents")]
    pub(crate) findings: bool,
    /// Print incidents, also as jsonl, csv or ocsf
    #[arg(long)]
    pub(crate) incidents: bool,
    /// Lowest severity to print. `detect` records the other findings, and prints them in the first run with a lower
    /// value
    #[arg(long, value_name = "SEVERITY", value_parser = one_of(Severity::ALL, Severity::as_str), default_value = "low")]
    pub(crate) min_severity: Severity,
    /// Exit with code 1 if findings of this severity or above are printed
    #[arg(long, value_name = "SEVERITY", value_parser = one_of(Severity::ALL, Severity::as_str))]
    pub(crate) fail_on: Option<Severity>,
}

#[derive(Debug, Args)]
pub(crate) struct DetectArgs {
    /// Lake to examine
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    #[command(flatten)]
    pub(crate) find: FindArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Examine events again that earlier runs have checked, in the whole lake or from --from to --to. Print findings
    /// that are not recorded yet or were recorded with a lower severity; the mark of checked events stays unchanged
    #[arg(long)]
    pub(crate) again: bool,
    /// With --again: start of the period, as RFC 3339, a date, or an age such as 24h or 7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "again")]
    from: Option<String>,
    /// With --again: end of the period, exclusive; a date includes that whole day
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "again")]
    to: Option<String>,
    /// Context of new events: how far before and after them detections look, and how far before that for the baseline
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "1d")]
    pub(crate) lookback: Duration,
    /// Report clusters that have sent no event for this long
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub(crate) silence: Option<Duration>,
    /// Expected interval between runs; gaps longer than twice the interval are reported
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub(crate) every: Option<Duration>,
    #[command(flatten)]
    pub(crate) proxies: ProxyArgs,
}

impl DetectArgs {
    /// Returns the events to examine again, or `None` without `--again`.
    pub(crate) fn again(&self) -> Result<Option<Again>, UsageError> {
        let now = clock::now();
        let usage = |error: podtrail_query::TimeError| UsageError(error.to_string());
        let read = |text: &Option<String>, bound| {
            text.as_ref().map(|text| parse_bound(text, bound, now)).transpose().map_err(usage)
        };
        let (from, to) = (read(&self.from, Bound::From)?, read(&self.to, Bound::To)?);
        let scope = Scope { from, to, ..Scope::default() };
        scope.check().map_err(|error| UsageError(error.to_string()))?;
        Ok(self.again.then_some(Again { from, to }))
    }
}

/// What a run prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Findings,
    Incidents,
}

impl FindArgs {
    /// Returns what to print: incidents for people, findings for programs, unless chosen.
    ///
    /// # Errors
    /// If the format has no incidents.
    pub(crate) fn unit(&self) -> Result<Unit, UsageError> {
        use FindingFormat::{Ecs, Table, TimelineCsv, TimelineJsonl};
        match self.format {
            Ecs | TimelineCsv | TimelineJsonl if self.incidents => Err(UsageError(
                "--incidents requires --format table, jsonl, csv or ocsf".to_owned(),
            )),
            _ if self.incidents => Ok(Unit::Incidents),
            Table if !self.findings => Ok(Unit::Incidents),
            _ => Ok(Unit::Findings),
        }
    }

    /// Returns the limits for the queries of a hunt.
    pub(crate) fn limits(&self) -> Limits {
        let time = (!self.detection_timeout.is_zero()).then_some(self.detection_timeout);
        Limits { time, ..Limits::for_hunt(self.memory) }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum FindingsCommand {
    /// List recorded findings in their current state
    List(FindingsListArgs),
    /// Print everything about a finding: evidence, other actions of the identity, owners, raw events
    Show {
        #[command(flatten)]
        finding: FindingArgs,
        /// Span of the timeline before the first event of the evidence and after the last
        #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "1h")]
        around: Duration,
    },
    /// Acknowledge findings, for example while they are being investigated
    Ack(FindingsChangeArgs),
    /// Close findings; a closed finding reopens only if it is seen again
    Close(FindingsChangeArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentsCommand {
    /// List recorded incidents, the most severe first
    List(IncidentsListArgs),
    /// Print an incident: its steps, why its findings belong together, containment, and its findings
    Show(IncidentsShowArgs),
    /// Acknowledge incidents with all their findings, for example while they are being investigated
    Ack(FindingsChangeArgs),
    /// Close incidents with all their findings; new evidence reopens an incident
    Close(FindingsChangeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct IncidentsListArgs {
    /// Lake with the recorded findings
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// State of the incidents to list; may be repeated; default: all states
    #[arg(long, value_name = "STATE", value_parser = one_of(IncidentState::ALL, IncidentState::as_str))]
    pub(crate) state: Vec<IncidentState>,
    /// Lowest severity to list
    #[arg(long, value_name = "SEVERITY", value_parser = one_of(Severity::ALL, Severity::as_str), default_value = "medium")]
    pub(crate) min_severity: Severity,
    /// Output format
    #[arg(long, value_enum, default_value_t = IncidentFormat::Table)]
    pub(crate) format: IncidentFormat,
}

#[derive(Debug, Args)]
pub(crate) struct IncidentsShowArgs {
    /// Id of the incident, or its first characters; the id of an incident that was merged into another is valid, too
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Lake with the recorded findings
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// Output format
    #[arg(long, value_enum, default_value_t = IncidentFormat::Table)]
    pub(crate) format: IncidentFormat,
}

#[derive(Debug, Args)]
pub(crate) struct FindingsListArgs {
    /// Lake with the recorded findings
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// State of the findings to list; may be repeated; default: all states
    #[arg(long, value_name = "STATE", value_parser = one_of(FindingState::ALL, FindingState::as_str))]
    pub(crate) state: Vec<FindingState>,
    /// Id of a detection; * matches any characters; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) detection: Vec<String>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Lowest severity to list
    #[arg(long, value_name = "SEVERITY", value_parser = one_of(Severity::ALL, Severity::as_str), default_value = "info")]
    pub(crate) min_severity: Severity,
    /// Output format: table, csv, json or jsonl; all but table contain every recorded column
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RowFormat,
}

#[derive(Debug, Args)]
pub(crate) struct FindingArgs {
    /// Id of the finding, or its first characters
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Lake with the recorded findings
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
}

#[derive(Debug, Args)]
pub(crate) struct FindingsChangeArgs {
    /// Ids of the findings, or their first characters
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    /// Lake with the recorded findings
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// Reason for the change
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Name of the person who changes the state
    #[arg(long, value_name = "NAME", env = "USER")]
    pub(crate) by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Lake to inspect
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// Output format
    #[arg(long, value_enum, default_value_t = StatusFormat::Table)]
    pub(crate) format: StatusFormat,
    /// File to write atomically instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each flag of the command line is a bool")]
pub(crate) struct IngestArgs {
    /// Log files, folders, glob patterns, objects such as s3://BUCKET/PATH/**/*.gz (gs://, az://, abfss://), or - for
    /// standard input
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, value_parser = log_path(), required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Lake to ingest into, a folder or a URL such as s3://BUCKET/PATH; created if missing
    #[arg(
        long,
        value_name = "LAKE",
        value_hint = ValueHint::DirPath,
        value_parser = lake_location(),
        env = "PODTRAIL_LAKE",
        required_unless_present = "explain"
    )]
    pub(crate) lake: Option<LakeLocation>,
    /// Print what the logs contain and what cannot be detected in them, without storing anything
    #[arg(long, conflicts_with = "follow")]
    pub(crate) explain: bool,
    /// Name of the cluster that the logs come from; default: the name in the envelope, else "default"
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) cluster: Option<String>,
    /// Path of the field in stored records that names the cluster, such as fields.site; for records without it, the
    /// name found elsewhere in the envelope, else "default"
    #[arg(long, value_name = "PATH", conflicts_with = "cluster", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) cluster_field: Option<String>,
    /// Keep secrets in plain text; by default, Secret data and tokens are replaced by keyed digests
    #[arg(long)]
    pub(crate) no_redact: bool,
    /// Keep reading while the logs grow and rotate, until Ctrl-C
    #[arg(long)]
    pub(crate) follow: bool,
    /// Share of the files to read, such as 2/8: eight runs, on as many machines, read each file once. The share of a file
    /// depends on its name only
    #[arg(long, value_name = "I/N", conflicts_with = "follow")]
    pub(crate) shard: Option<Shard>,
    /// Interval at which --follow checks the logs and commits new events
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "5s", requires = "follow")]
    pub(crate) every: Duration,
    /// Memory for log data in flight, such as 64MiB; default 96MiB. Two thirds of it make one commit. The rows built
    /// from it need about the same amount again
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) memory: Option<usize>,
    /// Size limit for the decompressed content of a compressed file or archive, such as 1TiB; default 256GiB. Content
    /// before the limit is ingested
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_expanded: Option<usize>,
    /// Print the summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("statements").multiple(false))]
pub(crate) struct SqlArgs {
    /// Lake to query
    #[arg(
        long,
        value_name = "LAKE",
        value_hint = ValueHint::DirPath,
        value_parser = lake_location(),
        env = "PODTRAIL_LAKE",
        required_unless_present = "saved"
    )]
    pub(crate) lake: Option<LakeLocation>,
    /// Statements to run, separated by semicolons; without -c, -f or --saved they are read from standard input, or an
    /// interactive shell starts on a terminal
    #[arg(short, long, value_name = "SQL", group = "statements")]
    pub(crate) command: Option<String>,
    /// File with statements to run
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "statements")]
    pub(crate) file: Option<PathBuf>,
    /// Saved query to run; "list" lists all
    #[arg(long, value_name = "NAME", group = "statements")]
    pub(crate) saved: Option<String>,
    /// Parameter value for the saved query ("--saved list" lists parameters and types); may be repeated. A text_list is
    /// a,b or `["a","b,c"]`, or one option per element
    #[arg(long, value_name = "NAME=VALUE", requires = "saved", value_parser = parse_parameter)]
    pub(crate) param: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Output format: table, vertical, csv, spreadsheet, json, jsonl, parquet or markdown. csv keeps values unchanged;
    /// spreadsheet is CSV with an apostrophe before cells that would run as formulas
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RowFormat,
    /// File to write the rows to; it is created when they are complete
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Memory for queries, such as 4GiB; operators that need more spill to the temporary folder, up to 100GiB. A statement that exceeds it by 512MiB plus 64MiB per core is cancelled
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "2GiB")]
    pub(crate) memory: usize,
    /// Time limit per statement, such as 30s or 1h; 0s disables it. A statement that cannot be cancelled is abandoned
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "5m")]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Allow COPY, and temporary tables and views of the session
    #[arg(long)]
    pub(crate) allow_write: bool,
    /// Allow files outside the lake as tables: FROM 'file.csv' and CREATE EXTERNAL TABLE
    #[arg(long)]
    pub(crate) allow_external: bool,
    /// Print what a query reads, and why it may be empty, to standard error even if that is not a terminal
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Lake to export
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    /// Lake with the quarantined records
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// Output format: table, vertical, csv, json, jsonl, parquet or markdown; the machine-readable formats contain
    /// the bytes as `text`, or as `base64` if they are not valid text
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RowFormat,
    /// Print the raw bytes of the record with this id, or whose id begins with it
    #[arg(long, value_name = "ID", conflicts_with_all = ["format", "retry"])]
    pub(crate) bytes: Option<String>,
    /// Ingest the records again with this version; records that can now be parsed leave the quarantine
    #[arg(long, conflicts_with = "format")]
    pub(crate) retry: bool,
    /// Name of the cluster that the records come from; default: the name given at ingest
    #[arg(long, value_name = "NAME", requires = "retry")]
    pub(crate) cluster: Option<String>,
    /// Keep secrets in plain text; by default, Secret data and tokens are replaced by keyed digests
    #[arg(long, requires = "retry")]
    pub(crate) no_redact: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LakeCommand {
    /// Show the files, size and period of each table, and what a compaction would merge
    Info(LakeInfoArgs),
    /// Merge the small files of each day into larger ones ordered by time, without changing any row
    Compact(CompactArgs),
    /// Remove unreferenced files: leftovers of killed runs, and files replaced by compact or retain
    Vacuum(VacuumArgs),
    /// Remove the events of whole days that are older than a given age
    Retain(RetainArgs),
    /// Read every file, and verify it against the Delta log and the stored digests
    #[command(after_help = exit::HELP)]
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LakeInfoArgs {
    /// Lake to inspect
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// Target file size of the compaction to estimate
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = TARGET_SIZE)]
    pub(crate) target_size: usize,
    /// Output format
    #[arg(long, value_enum, default_value_t = InfoFormat::Table)]
    pub(crate) format: InfoFormat,
}

#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// Lake to compact
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// Minimum age of files to merge; avoids repeated merges for a day that is still being written
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "0s")]
    pub(crate) older_than: Duration,
    /// Target file size; larger files are left unchanged
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = TARGET_SIZE)]
    pub(crate) target_size: usize,
    /// Print what would be merged without changing the lake
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The default target size of files: large enough to open few files, small enough to spread them over cores.
const TARGET_SIZE: &str = "128MiB";

#[derive(Debug, Args)]
pub(crate) struct VacuumArgs {
    /// Lake to clean up
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// Minimum time for which a file has been unreferenced, as running queries may still read files of an older
    /// version. Files of the last 24 hours that no version references are always kept while an ingest or compaction
    /// is running
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "1h")]
    pub(crate) older_than: Duration,
    /// Print what would be removed without changing the lake
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RetainArgs {
    /// Lake to remove events from
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
    /// Minimum age of the events to remove, such as 400d; a day (UTC) is removed only if all of it is older
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub(crate) older_than: Duration,
    /// Activity of the events to remove; may be repeated; default: all activities
    #[arg(long, value_name = "ACTIVITY", value_parser = ["workload", "rbac", "access", "secret", "write", "read"])]
    pub(crate) activity: Vec<String>,
    /// Print what would be removed without changing the lake
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Lake to verify
    #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: LakeLocation,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Tables, views or functions to print; default: a list of the tables and views
    #[arg(value_name = "NAME", conflicts_with = "format")]
    pub(crate) names: Vec<String>,
    /// Print the columns of all tables and views
    #[arg(long, conflicts_with_all = ["names", "functions"])]
    pub(crate) all: bool,
    /// Print podtrail's SQL functions instead; DataFusion's functions are also available
    #[arg(long, conflicts_with = "names")]
    pub(crate) functions: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = ReferenceFormat::Table)]
    pub(crate) format: ReferenceFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DetectionsCommand {
    /// List the detections, one per line
    List {
        /// Output format
        #[arg(long, value_enum, default_value_t = ReferenceFormat::Table)]
        format: ReferenceFormat,
        #[command(flatten)]
        pack: PackArgs,
    },
    /// Show the description, blind spots, next steps and query of a detection
    Show {
        /// Id of the detection
        id: String,
        #[command(flatten)]
        pack: PackArgs,
    },
    /// Run detections over their case files: attacks that they must find, and look-alikes that they must ignore
    Test {
        /// Ids of the detections; default: all
        ids: Vec<String>,
        /// Folder of case files: <ID>/match/*.jsonl and <ID>/no-match/*.jsonl
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "samples/cases")]
        cases: PathBuf,
        #[command(flatten)]
        pack: PackArgs,
    },
    /// Check headers, columns, compared values and ATT&CK ids
    Lint(PackArgs),
    /// Create a detection: a file with a header to fill in, and folders for its case files
    New {
        /// Id of the detection: lower-case letters, digits and hyphens
        id: String,
        /// Folder of detections to write the file to
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "queries")]
        queries: PathBuf,
        /// Family of the detection: a subfolder of that folder
        #[arg(long, value_name = "NAME", default_value = "workload")]
        family: String,
        /// Folder of case files
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "samples/cases")]
        cases: PathBuf,
    },
    /// Print the ATT&CK techniques that the detections cover
    Coverage {
        /// Print a layer for the ATT&CK Navigator, in JSON
        #[arg(long)]
        navigator: bool,
        #[command(flatten)]
        pack: PackArgs,
    },
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one value, of the command line")]
pub(crate) enum ExceptionsCommand {
    /// List the built-in exceptions and those in the given files
    List {
        /// Files of exceptions
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
    /// Check that the built-in exceptions and those in the given files are not too broad
    Lint {
        /// Files of exceptions
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        pack: PackArgs,
    },
    /// Run the detections over a lake, and print which findings the exceptions in the given files would hide or lower
    Preview {
        /// Files of exceptions
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
        files: Vec<PathBuf>,
        /// Lake to hunt in
        #[arg(long, value_name = "LAKE", value_hint = ValueHint::DirPath, value_parser = lake_location(), env = "PODTRAIL_LAKE")]
        lake: LakeLocation,
        #[command(flatten)]
        scope: ScopeArgs,
        #[command(flatten)]
        pack: PackArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// Folder of detections to add; a detection with the id of a built-in one replaces it; may be repeated
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) queries: Vec<PathBuf>,
}

/// What is shown. Detections still examine the whole lake in the period and a day around it; the scope selects the
/// findings.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scope")]
pub(crate) struct ScopeArgs {
    /// Start of the period: RFC 3339, a date, or an age such as 24h or 7d; UTC unless an offset is given
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// End of the period, exclusive; a date includes that whole day
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Age of the start of the period, such as 24h or 7d; an alternative to --from
    #[arg(long, value_name = "AGE", conflicts_with = "from")]
    since: Option<String>,
    /// User name, real or impersonated; * matches any characters; may be repeated
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    identity: Vec<String>,
    /// Client address, or network such as 10.0.0.0/8; * matches any characters; may be repeated
    #[arg(long, value_name = "ADDRESS", value_parser = NonEmptyStringValueParser::new())]
    client_ip: Vec<String>,
    /// Namespace; * matches any characters; may be repeated
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    namespace: Vec<String>,
    /// Cluster; * matches any characters; may be repeated
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) cluster: Vec<String>,
    #[command(flatten)]
    proxies: ProxyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ProxyArgs {
    /// User name of an account through which users act by impersonation, such as that of an access proxy; may be
    /// repeated. Requests that it makes for a user are attributed to that user. The default accounts of Rancher,
    /// Teleport, Pinniped, GKE Connect, Azure Arc, Tailscale and others are built in
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) impersonation_proxy: Vec<String>,
}

impl ScopeArgs {
    /// Returns the scope that the options describe, relative to the current time.
    pub(crate) fn scope(&self) -> Result<Scope, UsageError> {
        let now = clock::now();
        let read = |text: Option<&String>, bound| {
            text.map(|text| parse_bound(text, bound, now)).transpose()
        };
        let usage = |error: podtrail_query::TimeError| UsageError(error.to_string());
        let from = read(self.from.as_ref().or(self.since.as_ref()), Bound::From).map_err(usage)?;
        let to = read(self.to.as_ref(), Bound::To).map_err(usage)?;
        let scope = Scope {
            from,
            to,
            identities: self.identity.clone(),
            client_ips: self.client_ip.clone(),
            namespaces: self.namespace.clone(),
            clusters: self.cluster.clone(),
            history: None,
            impersonation_proxies: self.proxies.impersonation_proxy.clone(),
        };
        scope.check().map_err(|error| UsageError(error.to_string()))?;
        Ok(scope)
    }
}

/// Where queries run. Without the feature `cluster`, they run in this process.
#[derive(Debug, Args)]
#[cfg_attr(feature = "cluster", command(next_help_heading = "Workers"))]
pub(crate) struct EngineArgs {
    /// Where queries run: local, or workers=HOST:PORT,… or workers=file:PATH (one address a line) or
    /// workers=dns:NAME:PORT
    #[cfg(feature = "cluster")]
    #[arg(long, value_name = "ENGINE", default_value = "local", env = "PODTRAIL_ENGINE")]
    pub(crate) engine: EngineChoice,
    /// Fail with exit code 4 if a query cannot run on the workers; by default it runs in this process, with a warning
    #[cfg(feature = "cluster")]
    #[arg(long)]
    pub(crate) engine_strict: bool,
    /// Size of the files that one partition of a query reads on a worker; smaller queries run in this process
    #[cfg(feature = "cluster")]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "16MiB")]
    pub(crate) engine_partition: usize,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// The secrets and certificates of a process of a cluster. Off loopback, TLS and a token are required.
#[cfg(feature = "cluster")]
#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// File with the token that all processes of the cluster share: one line of at least 16 characters
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "PODTRAIL_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// File with the certificates (PEM) of the authority of the workers; connections use TLS then
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "PODTRAIL_TLS_CA")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// File with the certificate (PEM) of this process
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "PODTRAIL_TLS_CERT", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// File with the key (PEM) of the certificate
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "PODTRAIL_TLS_KEY", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Name in the certificates of workers, if it differs from the host in their addresses
    #[arg(long, value_name = "NAME", env = "PODTRAIL_TLS_SERVER_NAME")]
    pub(crate) tls_server_name: Option<String>,
}

/// Where queries run.
#[cfg(feature = "cluster")]
#[derive(Debug, Clone)]
pub(crate) enum EngineChoice {
    /// In this process.
    Local,
    /// On workers.
    Workers(podtrail_cluster::Workers),
}

#[cfg(feature = "cluster")]
impl std::str::FromStr for EngineChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("workers=") {
            None if text == "local" => Ok(Self::Local),
            Some(workers) => workers
                .parse()
                .map(Self::Workers)
                .map_err(|error: podtrail_cluster::ClusterError| error.to_string()),
            None => Err("expected local or workers=…".to_owned()),
        }
    }
}

#[cfg(feature = "cluster")]
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Address to listen on, such as 127.0.0.1:7300; port 0 for any. The address is printed
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: std::net::SocketAddr,
    /// Memory for all queries of this worker, such as 4GiB; operators that need more spill to disk
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "2GiB")]
    pub(crate) memory: usize,
    /// Folder for data that does not fit into memory; default: the temporary folder of the system
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) spill_dir: Option<PathBuf>,
    /// Require a certificate of the authority (--tls-ca) from those that connect, in addition to the token
    #[arg(long, requires = "tls_ca")]
    pub(crate) tls_client_certificates: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Parses the location of a lake: a folder, or the URL of a path in an object store.
fn lake_location() -> impl TypedValueParser<Value = LakeLocation> {
    PathBufValueParser::new().try_map(LakeLocation::parse)
}

/// Parses the name of logs: a path, a pattern, or the URL of objects. Another URL would otherwise be taken for a file of
/// that name, and the files of a lake for damaged logs.
fn log_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.join("events/_delta_log").is_dir() {
            return Err("it is a lake, not a log; give it with --lake".to_owned());
        }
        let objects = path.to_str().map_or(Ok(None), LogObjects::parse);
        objects.map(|_| path.clone()).map_err(|error| error.to_string())
    })
}

/// Parses a number of bytes: `1048576`, `64MiB`, `64MB`, `64M`, `1GiB` or `1TiB`. The units are powers of 1024 in every
/// spelling, as in PostgreSQL's settings, so that a limit is never lower than the reader expects.
fn parse_size(text: &str) -> Result<usize, String> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    let size = number
        .parse::<usize>()
        .ok()
        .zip(shift)
        .and_then(|(number, shift)| number.checked_mul(1_usize.checked_shl(shift)?));
    size.filter(|size| *size > 0)
        .ok_or_else(|| "expected a size such as 64MiB or 1GiB; 1GB is the same as 1GiB".to_owned())
}

/// Parses `NAME=VALUE`.
pub(crate) fn parse_parameter(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("expected NAME=VALUE, got '{text}'"))
}

/// Parses `ID.NAME=VALUE`.
fn parse_detection_parameter(text: &str) -> Result<(String, String, String), String> {
    let (place, value) = text.split_once('=').unwrap_or_default();
    match place.split_once('.') {
        Some((id, name)) if !id.is_empty() && !name.is_empty() => {
            Ok((id.to_owned(), name.to_owned(), value.to_owned()))
        }
        _ => Err(format!("expected ID.NAME=VALUE, got '{text}'")),
    }
}

/// The output format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FindingFormat {
    /// Table for reading
    Table,
    /// One JSON object per line
    Jsonl,
    /// Comma-separated values, for spreadsheets
    Csv,
    /// OCSF Detection Finding, one JSON object per line
    Ocsf,
    /// Elastic Common Schema, one JSON object per line
    Ecs,
    /// Timeline for Timesketch, one JSON object per line
    TimelineJsonl,
    /// Timeline for Timesketch, as comma-separated values
    TimelineCsv,
}

/// The output format of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IncidentFormat {
    /// Table for reading
    Table,
    /// One JSON object per line
    Jsonl,
    /// Comma-separated values, for spreadsheets
    Csv,
    /// OCSF Incident Finding, one JSON object per line
    Ocsf,
}

/// The output format of statistics about a lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InfoFormat {
    /// Table for reading
    Table,
    /// One JSON array
    Json,
}

/// The output format of reference lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferenceFormat {
    /// Table for reading
    Table,
    /// Markdown page, as in docs/
    Markdown,
}

/// The output format of the status of a lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    /// Table for reading
    Table,
    /// One JSON object
    Json,
    /// OpenMetrics text, for the textfile collector of node exporter
    Openmetrics,
}

/// Parses the name of one of `all`, and lists the names in help and messages.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|value| name(*value))).try_map(move |text| {
        let named = all.iter().copied().find(|value| name(*value) == text);
        named.ok_or_else(|| format!("unknown value '{text}'"))
    })
}
