//! Archives: each member is a source of its own.
//!
//! A member is named `archive!path/in/archive`, and so on for an archive in an archive: `logs.zip!node.tar.gz!audit.log`.
//! Members are read as streams, one after the other, and nothing is written under their names: a name is hostile text.

mod tar;
mod zip;

use std::io::Read;
use std::ops::ControlFlow;

pub(crate) use tar::{is_tar, read_tar};
pub(crate) use zip::{Spool, read_zip};

/// Archives inside one another. A must-gather has two; deeper nesting is an attack.
pub(crate) const MAX_DEPTH: usize = 4;

/// A name stands in every row of its log, and is cut to so many bytes.
const MAX_NAME: usize = 1024;

/// Takes one member: its name and what it holds, or why that cannot be read.
pub(crate) type TakeMember<'a> =
    &'a mut dyn FnMut(&str, Result<Box<dyn Read + '_>, String>) -> ControlFlow<()>;

/// The name of a member of `archive`.
pub(crate) fn member_name(archive: &str, member: &str) -> String {
    format!("{archive}!{member}")
}

/// The name in an archive, as text of bounded length.
fn name_of(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(MAX_NAME)];
    let mut name = String::from_utf8_lossy(cut).into_owned();
    if cut.len() < bytes.len() {
        name.push('…');
    }
    name
}
