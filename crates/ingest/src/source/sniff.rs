//! Decides from its first records whether a source is an audit log.
//!
//! A folder of logs also contains other files. Such a file is rejected by name with one reason; its lines are not
//! quarantined one by one.

use memchr::memmem;

use crate::framing::block::Block;
use crate::reject::is_csv_header;
use crate::run::parse::{Damaged, Fault, Parsed};
use crate::run::split_records::Found;

/// Bytes that are inspected before a source is rejected.
pub(crate) const SNIFFED_BYTES: usize = 4 * 1024 * 1024;

/// Returns whether a block is from an audit log: it contains an event, or a damaged one.
pub(crate) fn is_audit_log(parsed: &Parsed) -> bool {
    let is_piece = |found: &Found| matches!(found, Found::Piece(piece) if piece.mark.goes_on || piece.begins());
    parsed.events > 0
        || parsed.envelopes > 0
        || parsed.pieces.iter().any(is_piece)
        || parsed.damaged.iter().any(was_audit)
}

/// Describes a block without audit events; `None` if it consists of NUL bytes, which may occur in any log.
pub(crate) fn describe(block: &Block, parsed: &Parsed) -> Option<String> {
    let first = parsed.damaged.iter().find(|damaged| damaged.fault != Fault::Nul);
    let description = match (first, parsed.skipped_as) {
        (Some(first), _) => describe_record(block, first),
        (None, Some(skipped)) => format!("contains only {skipped}"),
        (None, None) => return None,
    };
    Some(format!("not an audit log: {description}"))
}

/// Returns whether a damaged record was an audit event.
fn was_audit(damaged: &Damaged) -> bool {
    let is_broken = matches!(damaged.fault, Fault::Broken | Fault::TooLong);
    is_broken && memmem::find(&damaged.bytes, br#""auditID""#).is_some()
}

fn describe_record(block: &Block, first: &Damaged) -> String {
    const HEAD: usize = 4096;
    let text = first.bytes.as_slice();
    if first.fault == Fault::Foreign {
        return format!("JSON, but {}", first.reason);
    }
    if first.fault == Fault::Named {
        return first.reason.clone();
    }
    let start = usize::try_from(first.offset.saturating_sub(block.offset)).unwrap_or(0);
    let head = block.bytes.get(start..).unwrap_or(text);
    let head = &head[..head.len().min(HEAD)];
    if head
        .iter()
        .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace() && *byte != 0x1b)
    {
        return "binary data".to_owned();
    }
    let is_text = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    match text.first() {
        _ if !is_text => "neither UTF-8 text nor a supported compression format".to_owned(),
        Some(b'{' | b'[') => format!("invalid JSON ({})", first.reason),
        Some(b'<') => "HTML or XML".to_owned(),
        _ if is_cloud_logging(head) => {
            "Cloud Logging entries as YAML: export them with --format=json".to_owned()
        }
        _ if is_policy(head) => "an audit policy".to_owned(),
        _ if is_csv(&block.bytes) => "a CSV export without a column of audit events as JSON text: \
             export JSON instead"
            .to_owned(),
        _ if is_yaml(text) => "YAML text".to_owned(),
        _ => "text without audit events".to_owned(),
    }
}

/// Returns whether a text is an audit policy in YAML.
fn is_policy(text: &[u8]) -> bool {
    memmem::find(text, b"apiVersion: audit.k8s.io/").is_some()
        && memmem::find(text, b"kind: Policy").is_some()
}

/// Returns whether a text begins with the header of a CSV export.
fn is_csv(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').find(|line| !line.is_empty()).is_some_and(is_csv_header)
}

/// Returns whether a text is YAML from `gcloud logging read` without `--format=json`.
fn is_cloud_logging(text: &[u8]) -> bool {
    memmem::find(text, b"\nprotoPayload:\n").is_some()
}

/// Returns whether a line looks like the first line of a YAML document: a comment, a marker or `key: value`.
fn is_yaml(line: &[u8]) -> bool {
    let key = line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
    let key_length = key.count();
    line.starts_with(b"---")
        || line.starts_with(b"# ")
        || key_length > 0
            && line.get(key_length) == Some(&b':')
            && matches!(line.get(key_length + 1), None | Some(b' '))
}
