//! What the query of a request URI says: dry run, field manager, and the options of exec, attach and port-forward.

use crate::column::Text;
use crate::event::Exec;

/// The parts of a request URI that matter beyond the object reference.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct RequestQuery<'a> {
    /// What the query says; the API server ignores it on streams. False without a URI, which says nothing.
    pub(crate) dry_run: bool,
    pub(crate) field_manager: Option<Text<'a>>,
    pub(crate) force: Option<bool>,
    pub(crate) exec: Option<Exec<'a>>,
}

impl<'a> RequestQuery<'a> {
    /// Reads the query of `uri`; `streams` says that the request is an exec, attach or port-forward.
    pub(crate) fn of(uri: &'a str, streams: bool) -> Self {
        let mut parsed = Self::default();
        let mut exec = Exec::default();
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = Text(value);
            match &*key {
                "dryRun" if !streams => parsed.dry_run |= !value.is_empty(),
                "fieldManager" => parsed.field_manager = Some(value),
                "force" => parsed.force = Some(flag(&value)),
                "command" if streams => exec.command.get_or_insert_default().push(value),
                "container" if streams => exec.container = Some(value),
                "stdin" if streams => exec.stdin = Some(flag(&value)),
                "tty" if streams => exec.tty = Some(flag(&value)),
                "ports" if streams => exec.ports.get_or_insert_default().push(value),
                _ => {}
            }
        }
        parsed.exec = streams.then_some(exec);
        parsed
    }

    /// The same, independent of the text it was read from.
    pub(crate) fn into_owned<'b>(self) -> RequestQuery<'b> {
        let own = |text: Text<'a>| Text::from(text.0.into_owned());
        let own_all = |texts: Vec<Text<'a>>| texts.into_iter().map(own).collect();
        RequestQuery {
            dry_run: self.dry_run,
            field_manager: self.field_manager.map(own),
            force: self.force,
            exec: self.exec.map(|exec| Exec {
                command: exec.command.map(own_all),
                container: exec.container.map(own),
                stdin: exec.stdin,
                tty: exec.tty,
                ports: exec.ports.map(own_all),
            }),
        }
    }
}

/// A boolean query parameter, as the API server reads it (`runtime.Convert_Slice_string_To_bool`).
fn flag(value: &str) -> bool {
    !(value == "0" || value.eq_ignore_ascii_case("false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exec_command_is_decoded_argument_by_argument() {
        let uri = "/api/v1/namespaces/a/pods/b/exec?command=sh&command=-c&command=echo+1%20%26%26id&container=c&stdin=true&tty=1";
        let exec = RequestQuery::of(uri, true).exec.unwrap();
        let command: Vec<&str> = exec.command.iter().flatten().map(|part| &**part).collect();
        assert_eq!(command, ["sh", "-c", "echo 1 &&id"]);
        assert_eq!((exec.stdin, exec.tty), (Some(true), Some(true)));
        assert_eq!(exec.container.as_deref(), Some("c"));
    }

    #[test]
    fn only_a_named_dry_run_is_one() {
        assert!(RequestQuery::of("/api/v1/pods?dryRun=All", false).dry_run);
        assert!(RequestQuery::of("/api/v1/pods?x=1&dryRun=All&y", false).dry_run);
        assert!(!RequestQuery::of("/api/v1/pods?dryRun=", false).dry_run);
        assert!(!RequestQuery::of("/api/v1/pods/dryRun=All", false).dry_run);
    }
}
