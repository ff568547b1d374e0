//! Archives: each member is a separate source.
//!
//! A member is named `archive!path/in/archive`, and so on for nested archives: `logs.zip!node.tar.gz!audit.log`.
//! Members are read as streams, one after the other. Nothing is written under their names, which are untrusted.

mod tar;
mod zip;

use std::io::Read;
use std::ops::ControlFlow;

pub(crate) use tar::{is_tar, read_tar};
pub(crate) use zip::{Spool, read_zip};

/// Maximum nesting of archives. A must-gather has two levels; deeper nesting is an attack.
pub(crate) const MAX_DEPTH: usize = 4;

/// Maximum length of a name in bytes: every row of the log repeats it.
const MAX_NAME: usize = 1024;

/// Takes one member: its name, and its content or the reason why it cannot be read.
pub(crate) type TakeMember<'a> =
    &'a mut dyn FnMut(&str, Result<Box<dyn Read + '_>, String>) -> ControlFlow<()>;

/// Returns the name of a member of `archive`.
pub(crate) fn member_name(archive: &str, member: &str) -> String {
    format!("{archive}!{member}")
}

/// Returns the name in an archive, as text of bounded length.
fn name_of(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(MAX_NAME)];
    let mut name = String::from_utf8_lossy(cut).into_owned();
    if cut.len() < bytes.len() {
        name.push('…');
    }
    name
}
