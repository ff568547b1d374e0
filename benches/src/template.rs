//! Requests as text with slots: the format of `templates.txt`, and the meaning of its slots.

use anyhow::{Context, Result, bail};

/// A part of a line.
#[derive(Debug)]
pub(crate) enum Part {
    /// Literal text.
    Text(String),
    /// The auditID, the same in all lines of a request.
    Audit,
    /// When the request arrived.
    Received,
    /// When the line was written.
    Stage,
    /// This number of seconds before the request arrived, in whole seconds.
    Seconds(i64),
    /// The same with microseconds.
    Micros(i64),
    /// One of the uids of the workload.
    Uid(usize),
    /// A resource version, this number of writes ago.
    Version(u64),
    /// One of the addresses of the workload.
    Ip(usize),
    /// This number of random hexadecimal digits.
    Hex(usize),
    /// This number of random Base64 characters.
    Base64(usize),
    /// A number below this one.
    Number(u64),
    /// The name of the workload.
    App,
    /// Its namespace.
    Namespace,
    /// The hash of its pod template.
    Hash,
    /// The random suffix of its pod's name.
    Suffix,
    /// The number of its node.
    Node,
    /// The tag of its image.
    Tag,
    /// The local part of a person's e-mail address.
    Human,
    /// The items of a list: about this many, each of a different workload.
    Repeat(usize, Vec<Part>),
}

/// One request: a line for each stage that the log has.
#[derive(Debug)]
pub(crate) struct Template {
    /// The number of requests of this form per million.
    pub(crate) weight: u64,
    /// The lines, in the order of the stages.
    pub(crate) lines: Vec<Vec<Part>>,
}

/// Returns the templates of `templates.txt`.
pub(crate) fn templates() -> Result<Vec<Template>> {
    include_str!("templates.txt")
        .split("\n\n")
        .filter(|block| block.lines().any(|line| line.starts_with('{')))
        .map(|block| parse_block(block).with_context(|| block.chars().take(80).collect::<String>()))
        .collect()
}

fn parse_block(block: &str) -> Result<Template> {
    let head = block.lines().find_map(|line| line.strip_prefix("# ")).context("no head")?;
    let weight = head.split(' ').next().unwrap_or_default().parse().context("no weight")?;
    let lines = block.lines().filter(|line| line.starts_with('{')).map(parse_line);
    Ok(Template { weight, lines: lines.collect::<Result<_>>()? })
}

fn parse_line(line: &str) -> Result<Vec<Part>> {
    let mut rest = line;
    let parts = parse_parts(&mut rest, 0)?;
    if rest.is_empty() { Ok(parts) } else { bail!("an end without a repeat") }
}

/// Reads up to the end of the line or of the repeated part.
fn parse_parts(rest: &mut &str, depth: usize) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    while let Some((text, after)) = rest.split_once("${") {
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        let (slot, after) = after.split_once('}').context("a slot without an end")?;
        *rest = after;
        let (name, argument) = slot.split_once(':').unwrap_or((slot, "0"));
        let number: u64 = argument.parse().with_context(|| format!("slot {slot}"))?;
        let size = usize::try_from(number)?;
        parts.push(match name {
            "end" if depth > 0 => return Ok(parts),
            "repeat" => Part::Repeat(size, parse_parts(rest, depth + 1)?),
            "audit" => Part::Audit,
            "received" => Part::Received,
            "stage" => Part::Stage,
            "seconds" => Part::Seconds(i64::try_from(number)?),
            "micros" => Part::Micros(i64::try_from(number)?),
            "uid" => Part::Uid(size),
            "version" => Part::Version(number),
            "ip" => Part::Ip(size),
            "hex" => Part::Hex(size),
            "base64" => Part::Base64(size),
            "number" => Part::Number(number),
            "app" => Part::App,
            "namespace" => Part::Namespace,
            "hash" => Part::Hash,
            "suffix" => Part::Suffix,
            "node" => Part::Node,
            "tag" => Part::Tag,
            "human" => Part::Human,
            _ => bail!("unknown slot {slot}"),
        });
    }
    if depth > 0 {
        bail!("a repeat without an end");
    }
    if !rest.is_empty() {
        parts.push(Part::Text((*rest).to_owned()));
        *rest = "";
    }
    Ok(parts)
}
