//! The command line: the one source of help, manual page and completions.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;
use clap::builder::{NonEmptyStringValueParser, PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use podtrail_detect::{Again, Severity, State};
use podtrail_query::{Bound, Limits, Scope, parse_bound};
use podtrail_report::RowFormat;

use crate::config::FILE_VARIABLE;
use crate::exit::{self, UsageError};

/// Hunts for workloads that should not be there, in Kubernetes audit logs.
#[derive(Debug, Parser)]
#[command(name = "podtrail", version, after_help = exit::HELP, propagate_version = true)]
pub(crate) struct Cli {
    /// A file of settings, in TOML; else $XDG_CONFIG_HOME/podtrail/config.toml, or /etc/podtrail/config.toml
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true, env = FILE_VARIABLE)]
    pub(crate) config: Option<PathBuf>,
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
    /// Run the detections over what was added to a lake since the last run, record what they find, and print what is new
    ///
    /// Everything found is recorded first, whatever its severity. A finding is `new` until a run has printed it and the output
    /// has taken it: what a run was killed over, or could not write, the next run prints again, with the same id. So
    /// --min-severity only chooses what is printed now; a later run with a lower one prints the rest. Runs with --detection
    /// have a mark of their own up to which they looked at the lake, so that they take nothing from the other detections.
    #[command(after_help = exit::HELP)]
    Detect(DetectArgs),
    /// List, show, acknowledge and close the findings that were recorded
    #[command(subcommand)]
    Findings(FindingsCommand),
    /// Tell how a lake is: what arrives, what is refused, when the detections ran, what is open
    Status(StatusArgs),
    /// Query a lake
    Sql(SqlArgs),
    /// Print the events of a lake as JSON lines, each as it came in, in order of time
    Export(ExportArgs),
    /// List the records that were refused, or read them again
    #[command(after_help = exit::HELP)]
    Quarantine(QuarantineArgs),
    /// Look after a lake
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Print the settings in force, and where each came from
    Config,
    /// Print the tables and views of a lake with their columns, or the functions that SQL has here
    Schema(SchemaArgs),
    /// List, explain, check and start detections
    #[command(subcommand)]
    Detections(DetectionsCommand),
    /// List or check exceptions, or see what they hide or lower
    #[command(subcommand)]
    Exceptions(ExceptionsCommand),
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
    #[arg(value_name = "LOGS", value_hint = ValueHint::AnyPath, value_parser = local_path(), required_unless_present = "lake")]
    pub(crate) logs: Vec<PathBuf>,
    /// The lake to hunt in; LOGS are read into it first
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: Option<PathBuf>,
    /// Keep secrets in the logs in clear; else Secret data and tokens are replaced by keyed digests
    #[arg(long)]
    pub(crate) no_redact: bool,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) find: FindArgs,
    /// Write a report to hand over: one HTML file, with the evidence, that opens from disk and asks nothing of the network
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
}

/// Which detections run, and what is said of what they find.
#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    /// A folder of detections that are added, or replace those of the same id
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) queries: Vec<PathBuf>,
    /// Run this detection only; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) detection: Vec<String>,
    /// Set a parameter of a detection (`detections show ID` lists them with their types); may be repeated. A text_list is a,b
    /// or `["a","b,c"]`, or is given once for each element
    #[arg(long, value_name = "ID.NAME=VALUE", value_parser = parse_detection_parameter)]
    pub(crate) param: Vec<(String, String, String)>,
    /// How many detections run side by side; one a core if not given
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// How much memory the queries may use; half of it keeps rows that many detections ask for, which are read again and again where that is too little
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "3GiB")]
    pub(crate) memory: usize,
    /// How long one detection may take; 0s sets no limit. One that cannot be ended is left behind
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "30m")]
    pub(crate) detection_timeout: Duration,
    /// A file of exceptions beside the built-in ones: findings that are known to be innocent
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) exceptions: Vec<PathBuf>,
    /// Apply no exceptions, not even the built-in ones
    #[arg(long, conflicts_with = "exceptions")]
    pub(crate) no_exceptions: bool,
    /// A file of threat intelligence: addresses, images, users and user agents to look for, as CSV, STIX 2.1 or MISP JSON; may be
    /// repeated. A lake remembers what `detect` was given, for runs without it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) indicators: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = FindingFormat::Table)]
    pub(crate) format: FindingFormat,
    /// Leave out findings below this severity. `detect` records them, and prints them once a run asks for them
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = SeverityArg::Low)]
    pub(crate) min_severity: SeverityArg,
    /// Exit with 1 when findings of this severity or above are printed
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub(crate) fail_on: Option<SeverityArg>,
}

#[derive(Debug, Args)]
pub(crate) struct DetectArgs {
    /// The lake to look at
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    #[command(flatten)]
    pub(crate) find: FindArgs,
    /// Look again at events that runs have looked at, of the whole lake or of --from and --to, and print what is not recorded
    /// yet or was recorded as less severe; the mark stays where it is
    #[arg(long)]
    pub(crate) again: bool,
    /// With --again: the start, as RFC 3339, a date, or an age such as 24h or 7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "again")]
    from: Option<String>,
    /// With --again: the end, exclusive; of a date, its last instant
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "again")]
    to: Option<String>,
    /// How far around new events the detections look, and again as far back to know what is usual
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "1d")]
    pub(crate) lookback: Duration,
    /// Find clusters of which nothing arrived for this long
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub(crate) silence: Option<Duration>,
    /// How often runs are due; find the gaps between runs that are more than twice as long
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub(crate) every: Option<Duration>,
    #[command(flatten)]
    pub(crate) proxies: ProxyArgs,
}

impl DetectArgs {
    /// The events to look at again, if that is asked for.
    pub(crate) fn again(&self) -> Result<Option<Again>, UsageError> {
        let now = Utc::now();
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

impl FindArgs {
    /// What the queries of a hunt may use.
    pub(crate) fn limits(&self) -> Limits {
        let time = (!self.detection_timeout.is_zero()).then_some(self.detection_timeout);
        Limits { time, ..Limits::for_hunt(self.memory) }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum FindingsCommand {
    /// List findings that were recorded, as they stand
    List(FindingsListArgs),
    /// Print all that is known of a finding: evidence, what else the identity did, owners, raw events
    Show {
        #[command(flatten)]
        finding: FindingArgs,
        /// How long before the first event of the evidence, and after the last, the timeline is
        #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "1h")]
        around: Duration,
    },
    /// Acknowledge findings: somebody knows of them
    Ack(FindingsChangeArgs),
    /// Close findings: they come back only when they are seen again
    Close(FindingsChangeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FindingsListArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// List findings in this state only; may be repeated
    #[arg(long, value_name = "STATE", value_enum)]
    pub(crate) state: Vec<StateArg>,
    /// Leave out findings below this severity
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = SeverityArg::Info)]
    pub(crate) min_severity: SeverityArg,
    /// How findings are printed: table, csv, json or jsonl; all but the table have all that is recorded
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RowFormat,
}

#[derive(Debug, Args)]
pub(crate) struct FindingArgs {
    /// The finding, by the beginning of its id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct FindingsChangeArgs {
    /// The findings, by the beginnings of their ids
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Who says so
    #[arg(long, value_name = "NAME", env = "USER")]
    pub(crate) by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = StatusFormat::Table)]
    pub(crate) format: StatusFormat,
    /// Write it to a file, which others never see half written
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "a command line is made of flags")]
pub(crate) struct IngestArgs {
    /// Log files, folders, patterns, or - for standard input
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, value_parser = local_path(), required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The lake; it is made where there is none
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        value_parser = local_path(),
        env = "PODTRAIL_LAKE",
        required_unless_present = "explain"
    )]
    pub(crate) lake: Option<PathBuf>,
    /// Say what the logs show, and what cannot be detected in them, and store nothing
    #[arg(long, conflicts_with = "follow")]
    pub(crate) explain: bool,
    /// The name of the cluster that the logs are from; else what the envelopes say, else "default"
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) cluster: Option<String>,
    /// The member of the store's records that names the cluster, as a path such as fields.site; for records without it, what their
    /// envelopes say else, or "default"
    #[arg(long, value_name = "PATH", conflicts_with = "cluster", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) cluster_field: Option<String>,
    /// Keep secrets in clear; else Secret data and tokens are replaced by keyed digests
    #[arg(long)]
    pub(crate) no_redact: bool,
    /// Go on reading as the logs grow and rotate, until Ctrl-C
    #[arg(long)]
    pub(crate) follow: bool,
    /// How often --follow looks at the logs and commits what came
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "5s", requires = "follow")]
    pub(crate) every: Duration,
    /// How much of the logs may be held in memory, such as 64MiB; half of it makes one commit. The rows made of it take about as much again
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) memory: Option<usize>,
    /// How much a compressed file or an archive may expand to, such as 1TiB; else 256GiB. What stands before that is read
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_expanded: Option<usize>,
    /// Print the summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("statements").multiple(false))]
pub(crate) struct SqlArgs {
    /// The lake
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        value_parser = local_path(),
        env = "PODTRAIL_LAKE",
        required_unless_present = "saved"
    )]
    pub(crate) lake: Option<PathBuf>,
    /// Run these statements, which ; separates; without -c, -f and --saved they are read from standard input, or asked for
    /// on a terminal
    #[arg(short, long, value_name = "SQL", group = "statements")]
    pub(crate) command: Option<String>,
    /// Run the statements of a file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "statements")]
    pub(crate) file: Option<PathBuf>,
    /// Run a ready query; "list" lists them
    #[arg(long, value_name = "NAME", group = "statements")]
    pub(crate) saved: Option<String>,
    /// A parameter of the ready query; "--saved list" lists them with their types. A text_list is a,b or `["a","b,c"]`, or is
    /// given once for each element
    #[arg(long, value_name = "NAME=VALUE", requires = "saved", value_parser = parse_parameter)]
    pub(crate) param: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// How rows are printed: table, vertical, csv, spreadsheet, json, jsonl, parquet or markdown. csv leaves values as they are;
    /// spreadsheet is CSV in which a cell that would run as a formula has an apostrophe before it
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RowFormat,
    /// Write the rows to a file, which is there when they are complete
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// How much memory queries may use; what needs more is spilled to the temporary folder, up to 100GiB. A statement that takes 512MiB more, and 64MiB a core, is given up
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "2GiB")]
    pub(crate) memory: usize,
    /// How long a statement may take, such as 30s or 1h; 0s sets no limit. One that cannot be ended is left behind
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "5m")]
    pub(crate) timeout: Duration,
    /// Allow COPY, and tables and views that last as long as the session
    #[arg(long)]
    pub(crate) allow_write: bool,
    /// Allow files outside the lake as tables: FROM 'file.csv', and CREATE EXTERNAL TABLE
    #[arg(long)]
    pub(crate) allow_external: bool,
    /// Say on standard error what a query reads, and why it may be empty, even where that is no terminal
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// How records are printed: table, vertical, csv, json, jsonl, parquet or markdown; those for machines have their bytes, as `text`, or as `base64` where they are none
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RowFormat,
    /// Print the bytes of one record, named by the beginning of its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["format", "retry"])]
    pub(crate) bytes: Option<String>,
    /// Read the records again, as this version does: their events go into the lake, and what is understood leaves the list
    #[arg(long, conflicts_with = "format")]
    pub(crate) retry: bool,
    /// The name of the cluster that the records are from; else the one given when they were ingested
    #[arg(long, value_name = "NAME", requires = "retry")]
    pub(crate) cluster: Option<String>,
    /// Keep secrets in clear; else Secret data and tokens are replaced by keyed digests
    #[arg(long, requires = "retry")]
    pub(crate) no_redact: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LakeCommand {
    /// Show what each table consists of, and what a compaction would join
    Info(LakeInfoArgs),
    /// Join the small files of each day into larger ones, in order of time; nothing is added, and nothing lost
    Compact(CompactArgs),
    /// Remove the files that are not needed: of killed runs, and those that compact and retain have taken out
    Vacuum(VacuumArgs),
    /// Remove the events of whole days that are older than an age
    Retain(RetainArgs),
    /// Read every file, and check it against the log and its digests
    #[command(after_help = exit::HELP)]
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LakeInfoArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// The size of file that a compaction would join up to
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = TARGET_SIZE)]
    pub(crate) target_size: usize,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = InfoFormat::Table)]
    pub(crate) format: InfoFormat,
}

#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// Leave files that are younger: those of a day that is still being written would be joined again and again
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "0s")]
    pub(crate) older_than: Duration,
    /// Join files up to this size, and leave larger ones
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = TARGET_SIZE)]
    pub(crate) target_size: usize,
    /// Only tell what would be joined
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The size of file that is neither too small to open nor too large to share out among cores.
const TARGET_SIZE: &str = "128MiB";

#[derive(Debug, Args)]
pub(crate) struct VacuumArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// Keep what has been unneeded for less than this: a running query may still read files of an older version. Files of the last 24 hours that no version names are kept at any age while an ingest or compaction is running
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, default_value = "1h")]
    pub(crate) older_than: Duration,
    /// Only tell what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RetainArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
    /// Remove the days, by UTC, of which every instant is older, such as 400d
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub(crate) older_than: Duration,
    /// Remove events of this activity only; may be repeated
    #[arg(long, value_name = "ACTIVITY", value_parser = ["workload", "rbac", "access", "secret", "write", "read"])]
    pub(crate) activity: Vec<String>,
    /// Only tell what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The lake
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
    pub(crate) lake: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Print the functions instead: those of podtrail, beside which there are those of DataFusion
    #[arg(long)]
    pub(crate) functions: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = ReferenceFormat::Table)]
    pub(crate) format: ReferenceFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DetectionsCommand {
    /// List the detections, one a line
    List {
        /// How they are printed
        #[arg(long, value_enum, default_value_t = ReferenceFormat::Table)]
        format: ReferenceFormat,
        #[command(flatten)]
        pack: PackArgs,
    },
    /// Print all that a detection says about itself, and its query
    Show {
        /// The detection's id
        id: String,
        #[command(flatten)]
        pack: PackArgs,
    },
    /// Run detections over their case files: what they must find, and look-alikes that they must not
    Test {
        /// The detections; all where none is named
        ids: Vec<String>,
        /// The folder of case files: <ID>/match/*.jsonl and <ID>/no-match/*.jsonl
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "samples/cases")]
        cases: PathBuf,
        #[command(flatten)]
        pack: PackArgs,
    },
    /// Check heads, columns, compared values and ATT&CK ids
    Lint(PackArgs),
    /// Start a detection: write its file with a head to fill in, and folders for its case files
    New {
        /// The detection's id: lower case, digits and hyphens
        id: String,
        /// The folder of detections to write it to
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "queries")]
        queries: PathBuf,
        /// The family, a folder below it
        #[arg(long, value_name = "NAME", default_value = "workload")]
        family: String,
        /// The folder of case files
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "samples/cases")]
        cases: PathBuf,
    },
    /// Print which ATT&CK techniques the detections cover
    Coverage {
        /// As a layer of the ATT&CK Navigator, in JSON
        #[arg(long)]
        navigator: bool,
        #[command(flatten)]
        pack: PackArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionsCommand {
    /// List the built-in exceptions, and those of files
    List {
        /// Files of exceptions
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
    /// Check how wide the built-in exceptions and those of files are
    Lint {
        /// Files of exceptions
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        pack: PackArgs,
    },
    /// Run the detections over a lake, and print what the exceptions of a file would hide or lower
    Preview {
        /// Files of exceptions
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
        files: Vec<PathBuf>,
        /// The lake to hunt in
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = local_path(), env = "PODTRAIL_LAKE")]
        lake: PathBuf,
        #[command(flatten)]
        scope: ScopeArgs,
        #[command(flatten)]
        pack: PackArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// A folder of detections that are added, or replace those of the same id
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) queries: Vec<PathBuf>,
}

/// What to look at. Detections judge the whole of it, and a day around its period; what is shown is what concerns the scope.
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
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    identity: Vec<String>,
    /// Namespaces; * stands for any characters
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    namespace: Vec<String>,
    /// Clusters; * stands for any characters
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) cluster: Vec<String>,
    #[command(flatten)]
    proxies: ProxyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ProxyArgs {
    /// User name of an account through which users act by impersonation, such as that of an access proxy: requests that it
    /// makes for a user are judged as that user's own. The default accounts of Rancher, Teleport, Pinniped, GKE Connect,
    /// Azure Arc, Tailscale and others are built in
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) impersonation_proxy: Vec<String>,
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
        let scope = Scope {
            from,
            to,
            identities: self.identity.clone(),
            namespaces: self.namespace.clone(),
            clusters: self.cluster.clone(),
            history: None,
            impersonation_proxies: self.proxies.impersonation_proxy.clone(),
        };
        scope.check().map_err(|error| UsageError(error.to_string()))?;
        Ok(scope)
    }
}

/// Reads a path of this machine. A URL would be a folder or file of that name.
fn local_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str().and_then(scheme) {
        Some(scheme) => Err(format!(
            "{scheme}:// is not supported: give a file or folder of this machine, such as a mounted bucket"
        )),
        None => Ok(path),
    })
}

/// The scheme of a URL (RFC 3986, section 3.1).
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then_some(scheme)
}

/// Reads a number of bytes: `1048576`, `64MiB`, `64MB`, `64M`, `1GiB` or `1TiB`. The units are powers of 1024 however they are
/// spelled, as those of PostgreSQL's settings are: a limit is never lower than the reader expects.
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
        .ok_or_else(|| "give a size such as 64MiB or 1GiB; 1GB is the same as 1GiB".to_owned())
}

/// Reads `NAME=VALUE`.
pub(crate) fn parse_parameter(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("'{text}' is not NAME=VALUE"))
}

/// Reads `ID.NAME=VALUE`.
fn parse_detection_parameter(text: &str) -> Result<(String, String, String), String> {
    let (place, value) = text.split_once('=').unwrap_or_default();
    match place.split_once('.') {
        Some((id, name)) if !id.is_empty() && !name.is_empty() => {
            Ok((id.to_owned(), name.to_owned(), value.to_owned()))
        }
        _ => Err(format!("'{text}' is not ID.NAME=VALUE")),
    }
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FindingFormat {
    /// For people
    Table,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values, for spreadsheets
    Csv,
    /// OCSF Detection Finding, one JSON object a line
    Ocsf,
    /// Elastic Common Schema, one JSON object a line
    Ecs,
}

/// How numbers about a lake are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InfoFormat {
    /// For people
    Table,
    /// One JSON array
    Json,
}

/// How what can be looked up is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferenceFormat {
    /// For people
    Table,
    /// A page in Markdown, as in docs/
    Markdown,
}

/// How the state of a lake is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
    /// OpenMetrics text, for the textfile collector of node exporter
    Openmetrics,
}

/// The state of a finding, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum StateArg {
    New,
    Delivered,
    SeenAgain,
    Acknowledged,
    Suppressed,
    Closed,
}

impl From<StateArg> for State {
    fn from(argument: StateArg) -> Self {
        match argument {
            StateArg::New => Self::New,
            StateArg::Delivered => Self::Delivered,
            StateArg::SeenAgain => Self::SeenAgain,
            StateArg::Acknowledged => Self::Acknowledged,
            StateArg::Suppressed => Self::Suppressed,
            StateArg::Closed => Self::Closed,
        }
    }
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
