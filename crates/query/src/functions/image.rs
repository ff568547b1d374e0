//! The parts of an image reference.

use datafusion::common::exec_err;
use datafusion::logical_expr::{DocSection, Documentation};
use podtrail_event::ImageReference;

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Image Functions", description: None };

pub(super) fn image_part() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns a part of an image reference, resolved as container runtimes do; null if the part is missing.",
        "image_part(image, part)",
    )
    .with_argument("image", "an image reference")
    .with_argument("part", "`registry`, `repository`, `tag` or `digest`")
    .with_sql_example("image_part('nginx:1.29', 'registry') = 'docker.io'")
    .build();
    let body = Body::Text(|arguments| {
        let [image, part] = arguments else { return Ok(None) };
        let image = ImageReference::split(image);
        let part = match *part {
            "registry" => Some(image.registry.to_owned()),
            "repository" => Some(image.repository().into_owned()),
            "tag" => image.tag.map(str::to_owned),
            "digest" => image.digest.map(str::to_owned),
            other => {
                return exec_err!(
                    "unknown image part '{other}'; expected registry, repository, tag or digest"
                );
            }
        };
        Ok(part)
    });
    StringFunction::new("image_part", body, documentation)
}
