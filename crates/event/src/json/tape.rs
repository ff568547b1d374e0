//! The tape of simd-json: the nodes of a text in their order.

use simd_json::Node;

/// Returns the number of nodes of the value that begins with `node`, itself included.
pub(crate) fn node_count(node: &Node<'_>) -> usize {
    match node {
        Node::Object { count, .. } | Node::Array { count, .. } => 1 + count,
        Node::String(_) | Node::Static(_) => 1,
    }
}
