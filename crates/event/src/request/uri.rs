//! Request URIs, parsed like by the API server and the kubelet, which are both Go programs.
//!
//! The path is unescaped once, and cleaned where it is passed on to a kubelet, pod or service. The query is parsed like
//! by Go's `url.ParseQuery`: a pair with a `;` or an invalid escape is dropped silently, and the first value of a
//! repeated parameter counts, unless it is a list.

use std::borrow::Cow;

use crate::column::Text;
use crate::request::exec::Exec;

/// The relevant parts of a request URI besides the object reference.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct RequestQuery<'a> {
    /// Whether the API server accepts the parameter `dryRun`.
    pub(crate) dry_run: bool,
    pub(crate) field_manager: Option<Text<'a>>,
    pub(crate) force: Option<bool>,
    pub(crate) exec: Option<Exec<'a>>,
}

impl<'a> RequestQuery<'a> {
    /// Parses the query of `uri`; `streams` is set for an exec, attach or port-forward.
    pub(crate) fn of(uri: &'a str, streams: bool) -> Self {
        let mut parsed = Self::default();
        let mut exec = Exec::default();
        let mut dry_runs = DryRun::default();
        for (key, value) in parameters(uri) {
            let value = Text(value);
            match &*key {
                "dryRun" => dry_runs.add(&value),
                "fieldManager" => first(&mut parsed.field_manager, value),
                "force" => first(&mut parsed.force, flag(&value)),
                "command" if streams => exec.command.get_or_insert_default().push(value),
                "container" if streams => first(&mut exec.container, value),
                "stdin" if streams => first(&mut exec.stdin, flag(&value)),
                "tty" if streams => first(&mut exec.tty, flag(&value)),
                "ports" if streams => exec.ports.get_or_insert_default().push(value),
                _ => {}
            }
        }
        parsed.dry_run = dry_runs == DryRun::All;
        parsed.exec = streams.then_some(exec);
        parsed
    }

    /// Returns the same query without borrowing from the text.
    pub(crate) fn into_owned<'b>(self) -> RequestQuery<'b> {
        RequestQuery {
            dry_run: self.dry_run,
            field_manager: self.field_manager.map(|text| Text::from(text.0.into_owned())),
            force: self.force,
            exec: self.exec.map(Exec::into_owned),
        }
    }
}

/// The values of `dryRun`, as checked by `ValidateDryRun` of apimachinery: all of them must be `All`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DryRun {
    #[default]
    Unasked,
    All,
    Invalid,
}

impl DryRun {
    pub(crate) fn add(&mut self, value: &str) {
        *self = if value == "All" && *self != Self::Invalid { Self::All } else { Self::Invalid };
    }
}

/// Stores the first value of a parameter that is not a list (`runtime.Convert_Slice_string_To_string`).
fn first<T>(column: &mut Option<T>, value: T) {
    column.get_or_insert(value);
}

/// Parses a boolean query parameter like the API server (`runtime.Convert_Slice_string_To_bool`).
fn flag(value: &str) -> bool {
    !(value == "0" || value.eq_ignore_ascii_case("false"))
}

fn split(uri: &str) -> (&str, &str) {
    uri.split_once('?').unwrap_or((uri, ""))
}

/// Returns the parameters of a URI that a Go server sees.
fn parameters(uri: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    split(uri).1.split('&').filter_map(pair)
}

/// Parses a parameter; `None` if `url.ParseQuery` drops it.
fn pair(text: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    if text.is_empty() || text.contains(';') {
        return None;
    }
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    Some((unescape(key, true)?, unescape(value, true)?))
}

/// Implements `url.QueryUnescape`, or `url.PathUnescape` if a plus is not a space; `None` for an invalid escape.
fn unescape(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    let is_plain = |byte: u8| byte != b'%' && !(plus_is_space && byte == b'+');
    if text.bytes().all(is_plain) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'%' => {
                let [high, low, tail @ ..] = rest else { return None };
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
                rest = tail;
            }
            b'+' if plus_is_space => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Returns the first value of a query parameter that the API server sees, if any.
///
/// ```
/// # use podtrail_event::query_value;
/// let uri = "/api/v1/secrets?x=owner%3Dhelm&labelSelector=a%3D%zz&labelSelector=app+in+(web)";
/// assert_eq!(query_value(uri, "labelSelector").as_deref(), Some("app in (web)"));
/// assert_eq!(query_value(uri, "owner"), None);
/// ```
pub fn query_value<'a>(uri: &'a str, name: &str) -> Option<Cow<'a, str>> {
    parameters(uri).find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Returns why the API server does not accept the `dryRun` of a URI; `None` if it does, or there is none.
///
/// ```
/// # use podtrail_event::dry_run_fault;
/// assert_eq!(dry_run_fault("/api/v1/pods?dryRun=All"), None);
/// assert_eq!(dry_run_fault("/api/v1/pods?dryRun=%zz").as_deref(), Some("dryRun=%zz is malformed"));
/// assert_eq!(dry_run_fault("/api/v1/pods?dryRun=all").as_deref(), Some("dryRun is 'all'"));
/// ```
pub fn dry_run_fault(uri: &str) -> Option<String> {
    let is_meant = |key: &str| key.trim().eq_ignore_ascii_case("dryRun");
    for text in split(uri).1.split('&') {
        if let Some((key, value)) = pair(text) {
            if key == "dryRun" && value != "All" {
                return Some(format!("dryRun is '{value}'"));
            }
            if key != "dryRun" && is_meant(&key) {
                return Some(format!("unknown parameter '{key}'"));
            }
            continue;
        }
        // For a dropped pair, what a less strict reader would see.
        let parts = text.split(';').map(|part| part.split_once('=').unwrap_or((part, "")));
        for (key, _) in parts {
            if unescape(key, true)
                .map_or_else(|| key.to_ascii_lowercase().contains("dry"), |key| is_meant(&key))
            {
                return Some(format!("{text} is malformed"));
            }
        }
    }
    None
}

/// Returns the path of a URI, unescaped and cleaned like by Go's `path.Clean`; `None` for an invalid escape.
///
/// ```
/// # use podtrail_event::request_path;
/// assert_eq!(request_path("/api//v1/x/../%70ods/?a=b").as_deref(), Some("/api/v1/pods"));
/// ```
pub fn request_path(uri: &str) -> Option<String> {
    Some(clean(unescape(split(uri).0, false)?.split('/')))
}

fn clean<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in parts {
        match part {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Returns the path that is requested of a kubelet, pod or service through the proxy of the API server: the part of the
/// request path after `proxy`, cleaned (`ProxyREST.Connect` joins it with `path.Join`). `None` for another request.
///
/// ```
/// # use podtrail_event::proxied_path;
/// let uri = "/api/v1/nodes/cp-1/proxy/x/../%72un//kube-system/etcd/etcd?cmd=id&z=/proxy/metrics";
/// assert_eq!(proxied_path(uri).as_deref(), Some("/run/kube-system/etcd/etcd"));
/// assert_eq!(proxied_path("/api/v1/nodes/cp-1"), None);
/// ```
pub fn proxied_path(uri: &str) -> Option<String> {
    let path = unescape(split(uri).0, false)?;
    // Split like by `RequestInfoFactory.NewRequestInfo` of the API server.
    let mut parts = path.trim_matches('/').split('/').skip(2).peekable();
    if parts.next_if_eq(&"namespaces").is_some() {
        parts.next()?;
    }
    let (resource, _, subresource) = (parts.next()?, parts.next()?, parts.next()?);
    let is_proxy = matches!(resource, "nodes" | "pods" | "services") && subresource == "proxy";
    is_proxy.then(|| clean(parts))
}

/// Returns what the kubelet is requested to run, attach to or forward, if a URI goes through `nodes/proxy`.
///
/// The paths are those of the kubelet's debugging handlers: `/run`, `/exec` and `/attach`, each with namespace, pod, an
/// optional uid, and container, and `/portForward` with namespace and pod.
pub(crate) fn kubelet_exec<'a>(uri: &str) -> Option<Exec<'a>> {
    let path = proxied_path(uri)?;
    let mut parts = path.trim_start_matches('/').split('/');
    let handler = parts.next()?.to_ascii_lowercase();
    let action = match handler.as_str() {
        "run" | "exec" => "exec",
        "attach" => "attach",
        "portforward" => "portforward",
        _ => return None,
    };
    let (namespace, pod) = (parts.next()?, parts.next()?);
    let container = if action == "portforward" { None } else { Some(parts.next_back()?) };
    let own = |text: Cow<'_, str>| Text::from(text.into_owned());
    let is_set = |name| query_value(uri, name).map(|value| value == "1");
    let command: Vec<Text<'a>> = if handler == "run" {
        // `getRun` of the kubelet splits it at spaces, without shell quoting.
        let command = query_value(uri, "cmd").unwrap_or_default();
        command.split(' ').map(|word| Text::from(word.to_owned())).collect()
    } else {
        parameters(uri).filter(|(key, _)| key == "command").map(|(_, value)| own(value)).collect()
    };
    Some(Exec {
        command: (action == "exec").then_some(command),
        container: container.map(|name| Text::from(name.to_owned())),
        stdin: is_set("input"),
        tty: is_set("tty"),
        action: Some(action.into()),
        namespace: Some(Text::from(namespace.to_owned())),
        pod: Some(Text::from(pod.to_owned())),
        ..Exec::default()
    })
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
    fn the_first_value_of_a_repeated_parameter_counts() {
        let uri = "/x?stdin=true&stdin=false&fieldManager=a&fieldManager=b&command=a;b&command=c";
        let query = RequestQuery::of(uri, true);
        assert_eq!(query.field_manager.as_deref(), Some("a"));
        let exec = query.exec.unwrap();
        assert_eq!(exec.stdin, Some(true));
        assert_eq!(exec.command.unwrap().len(), 1);
    }

    /// Follows `url.ParseQuery`, and `ValidateDryRun` of apimachinery.
    #[test]
    fn a_dry_run_is_recognized_like_in_go() {
        for (query, is_dry_run, has_fault) in [
            ("dryRun=All", true, false),
            ("x=1&dryRun=All&y", true, false),
            ("dryRun=All&dryRun=All", true, false),
            ("dry%52un=%41ll", true, false),
            ("", false, false),
            ("x=dryRun%3DAll", false, false),
            ("dryRun=", false, true),
            ("dryRun", false, true),
            ("dryRun=all", false, true),
            ("dryRun=All+", false, true),
            ("dryRun=All&dryRun=x", false, true),
            ("dryRun=x&dryRun=All", false, true),
            ("dryRun=%zz", false, true),
            ("dryRun=All%", false, true),
            ("dryRun=All%4", false, true),
            ("dryRun=All;x=1", false, true),
            ("x=1;dryRun=All", false, true),
            ("dryRun%zz=All", false, true),
            ("dryrun=All", false, true),
            ("+dryRun=All", false, true),
        ] {
            let uri = format!("/api/v1/pods?{query}");
            assert_eq!(RequestQuery::of(&uri, false).dry_run, is_dry_run, "{query}");
            assert_eq!(dry_run_fault(&uri).is_some(), has_fault, "{query}");
        }
        assert!(!RequestQuery::of("/api/v1/pods/dryRun=All", false).dry_run);
    }

    #[test]
    fn the_proxied_path_is_that_sent_to_the_kubelet() {
        for (uri, path) in [
            ("/api/v1/nodes/n/proxy", Some("/")),
            ("/api/v1/nodes/n/proxy/", Some("/")),
            ("/api/v1/nodes/n/proxy?x=/proxy/run", Some("/")),
            ("/api/v1/nodes/n/proxy/metrics/../run/a/b/c", Some("/run/a/b/c")),
            ("/api/v1/nodes/n/proxy/metrics%2F..%2Frun/a/b/c", Some("/run/a/b/c")),
            ("/api/v1/nodes/https:n:10250/proxy/../../pods", Some("/pods")),
            ("/api/v1/namespaces/a/pods/proxy/proxy/x", Some("/x")),
            ("/api/v1/namespaces/a/services/http:s:80/proxy/%2572un", Some("/%72un")),
            ("/api/v1/namespaces/a/pods/p/exec", None),
            ("/api/v1/nodes/n/%zz", None),
            ("", None),
        ] {
            assert_eq!(proxied_path(uri).as_deref(), path, "{uri}");
        }
    }

    #[test]
    fn a_command_through_the_kubelet_is_an_exec() {
        let of = |path: &str| kubelet_exec(&format!("/api/v1/nodes/n/proxy/{path}"));
        let words = |exec: &Exec<'_>| {
            exec.command.iter().flatten().map(|word| word.to_string()).collect::<Vec<_>>()
        };
        let run = of("%72un/kube-system/etcd/etcd?cmd=cat%20/etc/shadow").unwrap();
        assert_eq!(words(&run), ["cat", "/etc/shadow"]);
        assert_eq!(run.pod.as_deref(), Some("etcd"));
        let exec = of("exec/a/b/0-1-2/c?command=sh&command=-c&command=id&input=1&tty=0").unwrap();
        assert_eq!(words(&exec), ["sh", "-c", "id"]);
        assert_eq!(
            (exec.container.as_deref(), exec.stdin, exec.tty),
            (Some("c"), Some(true), Some(false))
        );
        assert_eq!(of("portForward/a/b").unwrap().action.as_deref(), Some("portforward"));
        assert_eq!(of("containerLogs/a/b/c"), None);
        assert_eq!(of("metrics"), None);
    }
}
