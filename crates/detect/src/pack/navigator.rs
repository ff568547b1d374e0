//! A layer for the ATT&CK Navigator with the techniques that a pack covers.
//!
//! Layer format 4.5: <https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md>.

use serde_json::{Value, json};

use crate::pack::Pack;
use crate::pack::attack_names::ATTACK_VERSION;

/// Returns a layer in which the score of each technique is the number of its detections.
pub fn navigator_layer(pack: &Pack) -> Value {
    let techniques = pack.techniques();
    let most = techniques.values().map(Vec::len).max().unwrap_or(0);
    let techniques: Vec<_> = techniques
        .iter()
        .map(|(technique, detections)| {
            json!({
                "techniqueID": technique,
                "score": detections.len(),
                "comment": detections.join(", "),
                "enabled": true,
            })
        })
        .collect();
    json!({
        "name": "podtrail",
        "description": "Detections of podtrail by technique",
        "domain": "enterprise-attack",
        "versions": {"attack": ATTACK_VERSION, "navigator": "5.1.0", "layer": "4.5"},
        "filters": {"platforms": ["Containers"]},
        "gradient": {"colors": ["#ffffff", "#66b1ff"], "minValue": 0, "maxValue": most},
        "techniques": techniques,
    })
}
