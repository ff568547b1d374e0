//! Any text as a command line: split and compared with a second implementation of POSIX quoting, and expanded within
//! bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_event::fuzzing::simple_command;
use podtrail_event::{as_run, without_port_checks};

fuzz_target!(|input: &[u8]| {
    let Ok(line) = str::from_utf8(input) else { return };
    let run = as_run(line);
    // Variables may double it up to a bound.
    assert!(run.len() <= (1 << 17) + line.len() * 64, "{} bytes of {}", run.len(), line.len());
    let kept = without_port_checks(line);
    assert!(kept.len() <= line.len(), "{line:?}: {kept:?}");
    let again = without_port_checks(&kept);
    assert!(again.len() <= kept.len());

    let direct: Vec<&str> = line.split('\0').collect();
    if let Some(words) = simple_command(&direct)
        && !direct[0].ends_with("sh")
    {
        assert_eq!(words.len(), direct.len(), "{direct:?}");
        assert_eq!(words[1..], direct[1..]);
    }
    let Some(words) = simple_command(&["/bin/sh", "-c", line]) else { return };
    let mut expected = split(line).expect("one simple command");
    if let Some(name) = USUAL.iter().find_map(|folder| expected[0].strip_prefix(folder))
        && !name.contains('/')
    {
        expected[0] = name.to_owned();
    }
    assert_eq!(words, expected, "{line:?}");
    assert!(!words.iter().any(|word| word.chars().any(char::is_control)));
});

const USUAL: [&str; 6] = ["/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"];

/// Returns the words of a line, by the quoting rules of POSIX (2.2); `None` if a quote stays open.
fn split(line: &str) -> Option<Vec<String>> {
    let bytes: Vec<char> = line.chars().collect();
    let (mut words, mut word, mut has_word, mut at) = (Vec::new(), String::new(), false, 0);
    let mut quote = None;
    while at < bytes.len() {
        let character = bytes[at];
        at += 1;
        match (quote, character) {
            (None, ' ' | '\t' | '\n') => {
                if has_word {
                    words.push(std::mem::take(&mut word));
                    has_word = false;
                }
            }
            (None, '\'' | '"') => {
                quote = Some(character);
                has_word = true;
            }
            (Some(open), _) if open == character => quote = None,
            (None, '\\') => {
                if bytes.get(at) == Some(&'\n') {
                    at += 1;
                    continue;
                }
                has_word = true;
                word.push(*bytes.get(at).unwrap_or(&'\\'));
                at += 1;
            }
            (Some('"'), '\\') => match bytes.get(at) {
                Some('\n') => at += 1,
                Some(escaped @ ('$' | '`' | '"' | '\\')) => {
                    word.push(*escaped);
                    at += 1;
                }
                _ => word.push('\\'),
            },
            (_, other) => {
                has_word = true;
                word.push(other);
            }
        }
    }
    if quote.is_some() {
        return None;
    }
    if has_word {
        words.push(word);
    }
    Some(words)
}
