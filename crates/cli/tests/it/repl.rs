//! `podtrail sql` on a pseudo terminal, which `script` of util-linux provides.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{podtrail, privileged_pod, scratch};

const PROMPT: &str = "podtrail> ";

struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Arc<Mutex<String>>,
    /// The length of the output that was already matched.
    seen: usize,
    home: TempDir,
    lake: String,
}

impl Terminal {
    /// Starts a session over a lake of two events, and waits for its prompt. `None` without `script`.
    fn open(arguments: &str) -> Option<Self> {
        let (dir, lake) = scratch();
        let log = dir.path().join("a.log");
        let hostile = privileged_pod("b", "2026-11-24T10:00:01.000000Z");
        let hostile = hostile.replace("kubectl", r"\u001b[31mred\u202e");
        let events = [privileged_pod("a", "2026-11-24T10:00:00.000000Z"), hostile];
        std::fs::write(&log, events.join("\n")).unwrap();
        podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(0);
        Self::over(dir, lake, arguments)
    }

    fn over(home: TempDir, lake: String, arguments: &str) -> Option<Self> {
        let program = env!("CARGO_BIN_EXE_podtrail");
        let desk =
            format!("stty rows 24 cols 100; exec '{program}' sql --lake '{lake}' {arguments}");
        let mut command = Command::new("script");
        command
            .args(["-qefc", &desk, "/dev/null"])
            .env("HOME", home.path())
            .env("XDG_STATE_HOME", home.path().join("state"))
            .env("TERM", "xterm")
            .env("PAGER", "sed 's/^/paged: /'")
            .env_remove("PODTRAIL_LAKE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let keys = child.stdin.take().unwrap();
        let mut screen = child.stdout.take().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let text = shown.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                text.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let mut terminal = Self { child, keys, shown, seen: 0, home, lake };
        terminal.wait_for(PROMPT);
        Some(terminal)
    }

    /// Returns the output up to `text`, which must appear eventually.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let shown = self.shown.lock().unwrap().clone();
            if let Some(at) = shown[self.seen..].find(text) {
                let end = self.seen + at + text.len();
                let part = shown[self.seen..end].to_owned();
                self.seen = end;
                return part;
            }
            assert!(
                start.elapsed() < Duration::from_mins(1),
                "no {text:?} in {:?}",
                &shown[self.seen..]
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Sends keys, and returns the output up to `text`, followed by the next prompt.
    #[track_caller]
    fn ask(&mut self, keys: &str, text: &str) -> String {
        self.press(keys);
        let shown = self.wait_for(text);
        self.wait_for(PROMPT);
        shown
    }

    /// Sends keys repeatedly until `text` appears, because nothing shows when a query starts to run.
    fn press_until(&mut self, keys: &str, text: &str) {
        while !self.shown.lock().unwrap()[self.seen..].contains(text) {
            self.press(keys);
            thread::sleep(Duration::from_millis(200));
        }
        self.wait_for(text);
    }

    fn quit(mut self) -> (TempDir, String) {
        self.press("\x04");
        assert!(self.child.wait().unwrap().success());
        (self.home, self.lake)
    }
}

#[test]
fn a_statement_ends_with_its_semicolon_and_is_remembered() {
    let Some(mut terminal) = Terminal::open("") else { return };
    let shown = terminal.ask("SELECT count(*) AS n\rFROM events;\r", "1 row");
    assert!(shown.contains("│ 2 │"), "{shown}");
    terminal.ask("SELECT nmae FROM events;\r", "did you mean 'name'?");
    let (home, lake) = terminal.quit();
    let history = std::fs::read_to_string(home.path().join("state/podtrail/history")).unwrap();
    assert!(history.contains("count(*)"), "{history}");
    // The up arrow recalls the statement, twice.
    let Some(mut terminal) = Terminal::over(home, lake, "") else { return };
    terminal.ask("\x1b[A\x1b[A\r", "1 row");
    terminal.quit();
}

#[test]
fn control_c_cancels_the_query_and_not_the_session() {
    let Some(mut terminal) = Terminal::open("") else { return };
    terminal.press("SELECT count(*) FROM generate_series(1,1000000000000);\r");
    terminal.wait_for("1000000000000);");
    terminal.press_until("\x03", "cancelled");
    terminal.wait_for(PROMPT);
    // At the prompt it discards the input.
    terminal.ask("SELECT 'given\x03", "given");
    terminal.ask("SELECT 40 + 2 AS n;\r", "42");
    terminal.quit();
}

#[test]
fn text_of_a_log_is_escaped_on_the_terminal() {
    for format in ["table", "csv", "json"] {
        let Some(mut terminal) = Terminal::open(&format!("--format {format}")) else { return };
        terminal.ask("SELECT user_agent FROM events WHERE name = 'b';\r", "red");
        let shown = terminal.shown.lock().unwrap().clone();
        assert!(!shown.contains("\x1b[31m") && !shown.contains('\u{202e}'), "{format}: {shown:?}");
        terminal.quit();
    }
}

#[test]
fn commands_begin_with_a_backslash() {
    let Some(mut terminal) = Terminal::open("") else { return };
    for (keys, expected) in [
        ("\\d\r", "workload_tree"),
        ("\\d containers\r", "allow_privilege_escalation  boolean"),
        ("\\df timeline\r", "timeline('identity, address or object')"),
        ("\\df date_*\r", "date_trunc("),
        ("\\saved\r", "workload-writers"),
        ("\\saved object-touched name=a\r", "1 row"),
        ("\\scope\r", "everything"),
        ("SET scope.namespace = 'web,kube-*';\r", "scope: namespace web or kube-*"),
        ("RESET scope;\r", "scope: everything"),
        ("\\x\r", "one line per column"),
        ("SELECT 7 AS seven;\r", "seven | 7"),
        ("\\timing\r", "timing is on"),
        ("SELECT 8 AS eight;\r", "time: "),
        ("\\zzz\r", "unknown command"),
        ("\\?\r", "Ctrl-C cancels a query"),
    ] {
        terminal.ask(keys, expected);
    }
    terminal.press("\\q\r");
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn the_tab_key_completes_names() {
    let Some(mut terminal) = Terminal::open("") else { return };
    for (keys, completed) in [
        ("SELECT seccomp_pro\t\x03", "seccomp_profile"),
        ("SELECT * FROM workload_t\t\x03", "workload_tree"),
        ("SELECT path_wi\t\x03", "path_within("),
        ("SELECT 1 HAVI\t\x03", "HAVING"),
        ("SET scope.na\t\x03", "scope.namespace"),
        ("\\tim\t\x03", "\\timing"),
        ("\\saved short\t\x03", "short-lived-workloads"),
    ] {
        terminal.ask(keys, completed);
    }
    terminal.quit();
}

#[test]
fn long_output_goes_to_the_pager() {
    let Some(mut terminal) = Terminal::open("") else { return };
    let shown = terminal.ask("SELECT 'short' AS a;\r", "1 row");
    assert!(!shown.contains("paged:"), "{shown}");
    terminal.ask("SELECT 'long' AS a FROM generate_series(1, 3000);\r", "paged: 3000 rows");
    terminal.quit();
}
