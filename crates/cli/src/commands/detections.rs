//! `podtrail detections`: what the pack looks for.

use std::io::Write;

use podtrail_detect::Pack;

use crate::args::DetectionsArgs;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(arguments: &DetectionsArgs) -> anyhow::Result<Exit> {
    let mut pack = Pack::built_in()?;
    for folder in &arguments.queries {
        pack.add_folder(folder)?;
    }
    let mut out = output::stdout();
    for detection in pack.detections() {
        let head = &detection.head;
        writeln!(
            out,
            "{:<9} {:<28} {} ({})",
            head.severity,
            head.id,
            head.title,
            head.attack.join(", ")
        )?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}
