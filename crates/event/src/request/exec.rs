//! The options of exec, attach and port-forward requests.

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::Bodies;
use crate::request::shell::simple_command;
use crate::row;

row! {
    /// Options of an exec, attach or port-forward request (`PodExecOptions`, `PodPortForwardOptions`).
    pub struct Exec<'a> builds ExecBuilder {
        /// Command and its arguments.
        pub command: Option<Vec<Text<'a>>>,
        /// Container. Null for the pod's default container.
        pub container: Option<Text<'a>>,
        /// Whether standard input is attached.
        pub stdin: Option<bool>,
        /// Whether a terminal is allocated.
        pub tty: Option<bool>,
        /// The forwarded ports.
        pub ports: Option<Vec<Text<'a>>>,
        /// Action of the kubelet for a request through `nodes/proxy`: `exec`, `attach` or `portforward`. Null for other
        /// requests, whose subresource is the action.
        pub action: Option<Text<'a>>,
        /// Namespace of the pod in a request through `nodes/proxy`. Null for other requests.
        pub namespace: Option<Text<'a>>,
        /// Pod in a request through `nodes/proxy`. Null for other requests.
        pub pod: Option<Text<'a>>,
        /// Words of the single program that runs: the command itself, or the script of a shell (`sh -c`) that is one
        /// simple command. Null for an interactive shell, several commands, substitutions, redirections or line breaks.
        pub words: Option<Vec<Text<'a>>>,
    }
}

impl<'a> Exec<'a> {
    /// Returns these options, completed with those of the body (`PodExecOptions`, `PodAttachOptions`,
    /// `PodPortForwardOptions`): Google and Azure put the options there.
    pub(crate) fn or_of_options(self, bodies: &Bodies<'a, '_>) -> Self {
        if self != Self::default() {
            return self;
        }
        let Some(options) = bodies.request() else { return self };
        let port = |port: &Json<'a>| match port {
            Json::Number(Some(number)) => Some(Text::from(number.to_string())),
            other => other.as_text(),
        };
        let ports = options.get("ports").and_then(Json::elements);
        // Some stores serialize a list with one element as the element.
        let command = || options.text("command").map(|command| vec![command]);
        Self {
            command: options.texts("command").or_else(command),
            container: options.text("container"),
            stdin: options.bool("stdin"),
            tty: options.bool("tty"),
            ports: ports.map(|ports| ports.iter().filter_map(port).collect()),
            ..self
        }
    }

    /// Fills `words` with the words of the single program that runs.
    pub(crate) fn with_words(mut self) -> Self {
        self.words = self.command.as_deref().and_then(simple_command);
        self
    }

    /// Returns the same options without borrowing from the text they were read from.
    pub(crate) fn into_owned<'b>(self) -> Exec<'b> {
        let own = |text: Text<'a>| Text::from(text.0.into_owned());
        let own_all = |texts: Vec<Text<'a>>| texts.into_iter().map(own).collect();
        Exec {
            command: self.command.map(own_all),
            container: self.container.map(own),
            stdin: self.stdin,
            tty: self.tty,
            ports: self.ports.map(own_all),
            action: self.action.map(own),
            namespace: self.namespace.map(own),
            pod: self.pod.map(own),
            words: self.words.map(own_all),
        }
    }
}
