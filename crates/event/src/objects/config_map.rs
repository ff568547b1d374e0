//! ConfigMaps that requests write.

use crate::column::Text;
use crate::objects::bodies::{Bodies, body_source};
use crate::objects::fields::set_keys;
use crate::row;

row! {
    /// ConfigMap that a request writes.
    pub struct ConfigMap<'a> builds ConfigMapBuilder {
        /// Body that the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// Keys of `data` and `binaryData`. For a patch, the keys that it sets.
        pub keys: Option<Vec<Text<'a>>>,
    }
}

/// Returns the ConfigMap that a request writes; `None` for a patch that leaves its data unchanged.
pub(crate) fn config_map<'a>(bodies: &Bodies<'a, '_>) -> Option<ConfigMap<'a>> {
    const PAYLOAD: [&str; 2] = ["data", "binaryData"];
    if bodies.leaves_alone(&PAYLOAD) {
        return None;
    }
    let body = bodies.object("ConfigMap", &PAYLOAD);
    let mut row =
        ConfigMap { body_source: Some(body_source(body.as_ref())), ..ConfigMap::default() };
    let Some(body) = body else { return Some(row) };
    let [data, binary] = PAYLOAD.map(|key| set_keys(body.json, key));
    row.keys = match (data, binary) {
        (None, None) => body.whole.then(Vec::new),
        (data, binary) => Some(data.into_iter().chain(binary).flatten().collect()),
    };
    Some(row)
}
