//! The logs of control plane components, which cloud providers mix with audit logs.

/// Whether a text is what a component logs about itself: klog, or the logfmt of aws-iam-authenticator.
pub(super) fn is_component_log(text: &str) -> bool {
    text.starts_with("time=\"") || is_klog(text.as_bytes())
}

/// Whether a line has the header of klog: `I0520 05:26:57.511000 …`.
fn is_klog(line: &[u8]) -> bool {
    const HEADER: &[u8] = b"I0000 00:00:00.";
    line.len() > HEADER.len()
        && HEADER.iter().zip(line).all(|(form, byte)| match form {
            b'I' => matches!(byte, b'I' | b'W' | b'E' | b'F'),
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}
