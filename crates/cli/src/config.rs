//! Settings: defaults of options, from the environment or a file.
//!
//! A setting becomes the default of the option with its name, and the option's own parser checks it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::{Display, Formatter};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::error::ContextKind;
use clap::{Arg, ArgAction, Command, ValueHint};
use podtrail_detect::{MAX_WRITTEN, read_text};
use toml::de::{DeTable, DeValue};

use crate::exit::UsageError;

/// A setting, named after its option with `_` for `-`.
struct Setting {
    name: &'static str,
    /// The commands it applies to; if empty, all that have such an option.
    commands: &'static [&'static str],
}

const fn setting(name: &'static str, commands: &'static [&'static str]) -> Setting {
    Setting { name, commands }
}

const SETTINGS: [Setting; 14] = [
    setting("lake", &[]),
    // Other commands use --cluster to filter, or to correct the name given at ingest.
    setting("cluster", &["ingest"]),
    // A retry follows the setting of the ingest.
    setting("no_redact", &["ingest", "hunt"]),
    // Other commands use --memory for queries.
    setting("memory", &["ingest"]),
    setting("max_expanded", &[]),
    setting("every", &["ingest"]),
    setting("queries", &[]),
    setting("exceptions", &[]),
    setting("indicators", &[]),
    // For `sql`, parameters belong to one query.
    setting("param", &["hunt", "detect"]),
    setting("min_severity", &[]),
    setting("fail_on", &[]),
    setting("lookback", &[]),
    setting("impersonation_proxy", &[]),
];

/// The environment variable that names the file.
pub(crate) const FILE_VARIABLE: &str = "PODTRAIL_CONFIG";

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A file, and the line in it.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
}

impl Display for Origin {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path, line) => write!(formatter, "{}, line {line}", path.display()),
            Self::Environment(variable) => write!(formatter, "environment {variable}"),
        }
    }
}

/// The default of an option.
#[derive(Debug)]
struct Value {
    texts: Vec<OsString>,
    origin: Origin,
}

/// The settings that differ from the built-in defaults.
#[derive(Debug, Default)]
pub(crate) struct Config {
    values: BTreeMap<&'static str, Value>,
}

impl Config {
    /// Reads the named file, or else the first that exists, and then the environment.
    pub(crate) fn load(command: &Command) -> Result<Self, UsageError> {
        let mut config = Self::default();
        match named_file(command) {
            Some(path) => {
                let text = read_text(&path, MAX_WRITTEN)
                    .map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
                config.read_file(command, &path, &text)?;
            }
            None => {
                for path in usual_files() {
                    match read_text(&path, MAX_WRITTEN) {
                        Ok(text) => {
                            config.read_file(command, &path, &text)?;
                            break;
                        }
                        Err(error) if error.kind() == ErrorKind::NotFound => {}
                        Err(error) => {
                            return Err(UsageError(format!("{}: {error}", path.display())));
                        }
                    }
                }
            }
        }
        config.read_environment(command)?;
        Ok(config)
    }

    fn read_file(&mut self, command: &Command, path: &Path, text: &str) -> Result<(), UsageError> {
        let at = |offset: usize, detail: String| {
            UsageError(format!("{}, line {}: {detail}", path.display(), line(text, offset)))
        };
        let table = DeTable::parse(text).map_err(|error| {
            at(error.span().map_or(0, |span| span.start), error.message().to_owned())
        })?;
        for (key, value) in table.get_ref() {
            let offset = key.span().start;
            let (name, arg) = known(command, key.get_ref())
                .ok_or_else(|| at(offset, unknown(command, key.get_ref())))?;
            let texts = texts(arg, value.get_ref()).map_err(|detail| at(offset, detail))?;
            check(arg, &texts).map_err(|detail| at(offset, detail))?;
            let origin = Origin::File(path.to_path_buf(), line(text, offset));
            self.values.insert(name, Value { texts, origin });
        }
        Ok(())
    }

    fn read_environment(&mut self, command: &Command) -> Result<(), UsageError> {
        for (name, arg) in settings(command) {
            let variable = format!("PODTRAIL_{}", name.to_uppercase());
            let Some(text) = std::env::var_os(&variable).filter(|text| !text.is_empty()) else {
                continue;
            };
            let texts = match arg.get_action() {
                ArgAction::Append if is_path(arg) => {
                    std::env::split_paths(&text).map(OsString::from).collect()
                }
                _ => vec![text],
            };
            check(arg, &texts).map_err(|detail| UsageError(format!("{variable}: {detail}")))?;
            self.values.insert(name, Value { texts, origin: Origin::Environment(variable) });
        }
        Ok(())
    }

    /// Returns the command line with the settings as defaults.
    pub(crate) fn apply(&self, command: Command) -> Command {
        command.mut_subcommands(|command| {
            let name = command.get_name().to_owned();
            self.apply_to(command, &name)
        })
    }

    fn apply_to(&self, command: Command, top: &str) -> Command {
        let known: Vec<(&'static str, ArgAction)> = own_settings(&command, top)
            .map(|(name, arg)| (name, arg.get_action().clone()))
            .collect();
        let has_lake =
            known.iter().any(|(name, _)| *name == "lake" && self.values.contains_key(name));
        let command = command.mut_args(|arg| {
            let name = known.iter().map(|(name, _)| *name).find(|name| arg.get_id() == *name);
            // An option that replaces the lake is not required if the settings name a lake.
            let arg = if has_lake { arg.required_unless_present(Resettable::Reset) } else { arg };
            match name.and_then(|name| self.values.get(name)) {
                Some(value) => arg.required(false).default_values(&value.texts),
                None => arg,
            }
        });
        command.mut_subcommands(|command| self.apply_to(command, top))
    }

    /// Returns each setting: its name, its value if it has one, and its origin unless it is built in.
    pub(crate) fn rows(&self, command: &Command) -> Vec<(&'static str, String, Option<&Origin>)> {
        let row = |(name, arg): (&'static str, &Arg)| {
            let value = self.values.get(name);
            let texts: Vec<_> = match value {
                Some(value) => value.texts.iter().map(|text| text.to_string_lossy()).collect(),
                None => {
                    arg.get_default_values().iter().map(|text| text.to_string_lossy()).collect()
                }
            };
            (name, texts.join(", "), value.map(|value| &value.origin))
        };
        settings(command).map(row).collect()
    }
}

/// Returns the file that the command line or the environment names.
fn named_file(command: &Command) -> Option<PathBuf> {
    // Errors in the command line are reported later, when it is parsed with the defaults.
    let matches = command.clone().ignore_errors(true).try_get_matches().ok()?;
    matches.get_one::<PathBuf>("config").cloned()
}

/// Returns the default paths of the settings file.
fn usual_files() -> impl Iterator<Item = PathBuf> {
    let directory = |variable| std::env::var_os(variable).filter(|path| !path.is_empty());
    let home = || Some(PathBuf::from(directory("HOME")?).join(".config"));
    let user = directory("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
    let user = user.map(|directory| directory.join("podtrail/config.toml"));
    user.into_iter().chain([PathBuf::from("/etc/podtrail/config.toml")])
}

/// Returns the settings that any command has, each with the first option that it is the default of.
fn settings(command: &Command) -> impl Iterator<Item = (&'static str, &Arg)> {
    SETTINGS.iter().filter_map(move |setting| {
        let arg = command
            .get_subcommands()
            .filter(|command| is_for(setting, command.get_name()))
            .find_map(|command| find(command, setting.name))?;
        Some((setting.name, arg))
    })
}

/// Returns the settings that a command has itself, below the command `top`.
fn own_settings<'c>(
    command: &'c Command,
    top: &str,
) -> impl Iterator<Item = (&'static str, &'c Arg)> {
    SETTINGS.iter().filter(move |setting| is_for(setting, top)).filter_map(move |setting| {
        let arg = command.get_arguments().find(|arg| arg.get_id() == setting.name)?;
        Some((setting.name, arg))
    })
}

fn is_for(setting: &Setting, top: &str) -> bool {
    setting.commands.is_empty() || setting.commands.contains(&top)
}

fn is_path(arg: &Arg) -> bool {
    matches!(arg.get_value_hint(), ValueHint::DirPath | ValueHint::FilePath)
}

fn find<'c>(command: &'c Command, name: &str) -> Option<&'c Arg> {
    let own = command.get_arguments().find(|arg| arg.get_id() == name);
    own.or_else(|| command.get_subcommands().find_map(|command| find(command, name)))
}

fn known<'c>(command: &'c Command, key: &str) -> Option<(&'static str, &'c Arg)> {
    settings(command).find(|(name, _)| *name == key)
}

fn unknown(command: &Command, key: &str) -> String {
    let key = &*shown(key);
    let nearest = settings(command)
        .map(|(name, _)| (strsim::jaro_winkler(key, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, name)) if likeness > 0.7 => {
            format!("unknown setting `{key}`; did you mean `{name}`?")
        }
        _ => {
            let names: Vec<_> = settings(command).map(|(name, _)| name).collect();
            format!("unknown setting `{key}`; settings are {}", names.join(", "))
        }
    }
}

/// Returns a name or value from a file, shortened for a message.
fn shown(text: &str) -> Cow<'_, str> {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// Returns a value in the form of command-line arguments.
fn texts(arg: &Arg, value: &DeValue<'_>) -> Result<Vec<OsString>, String> {
    let wrong = |expected: &str| format!("`{}` must be {expected}", arg.get_id());
    match (arg.get_action(), value) {
        (ArgAction::SetTrue, DeValue::Boolean(value)) => Ok(vec![value.to_string().into()]),
        (ArgAction::SetTrue, _) => Err(wrong("true or false")),
        (ArgAction::Append, DeValue::Array(values)) => values
            .iter()
            .map(|value| match value.get_ref() {
                DeValue::String(text) => Ok(text.to_string().into()),
                _ => Err(wrong("a list of strings")),
            })
            .collect(),
        (ArgAction::Append, _) => Err(wrong("a list of strings")),
        (_, DeValue::String(text)) => Ok(vec![text.to_string().into()]),
        (_, DeValue::Integer(number)) if number.radix() == 10 => {
            Ok(vec![number.as_str().replace('_', "").into()])
        }
        _ => Err(wrong("a string")),
    }
}

/// Lets the option parse the values, independent of the options that it requires or excludes.
fn check(arg: &Arg, texts: &[OsString]) -> Result<(), String> {
    let alone = Arg::new(arg.get_id().clone())
        .long("value")
        .action(arg.get_action().clone())
        .value_parser(arg.get_value_parser().clone())
        .default_values(texts);
    let command = Command::new("podtrail").no_binary_name(true).arg(alone);
    let Err(error) = command.try_get_matches_from(std::iter::empty::<&str>()) else {
        return Ok(());
    };
    let name = arg.get_id();
    let value = texts.iter().map(|text| text.to_string_lossy()).collect::<Vec<_>>().join(", ");
    let valid = error.get(ContextKind::ValidValue).map(ToString::to_string);
    let reason = std::error::Error::source(&error).map(ToString::to_string);
    let valid = valid.map(|valid| format!("; valid values are {valid}"));
    let detail = reason.map(|reason| format!(": {reason}")).or(valid).unwrap_or_default();
    Err(format!("invalid value `{}` for `{name}`{detail}", shown(&value)))
}

/// Returns the line number of an offset, from 1.
fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
