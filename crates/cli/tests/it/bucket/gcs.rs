//! A stand-in for Google Cloud Storage: its XML API as far as the client uses it. It does not show how
//! the service itself behaves. Available emulators ignore the conditions of writes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use super::http::{Message, serve};

type Objects = BTreeMap<String, (u64, Vec<u8>)>;

/// Starts the server. Returns its port.
pub(super) fn start() -> u16 {
    let objects: Arc<Mutex<Objects>> = Arc::default();
    serve(move |client: &TcpStream| {
        let Ok(Some(request)) = Message::read(client) else { return };
        let answer = answer(&request, &mut objects.lock().unwrap());
        drop(answer.answer(client));
    })
}

/// Time stands still here.
const MODIFIED: &str = "Mon, 30 Nov 2026 10:00:00 GMT";

fn answer(request: &Message, objects: &mut Objects) -> Message {
    let (path, query) = request.target().split_once('?').unwrap_or((request.target(), ""));
    // `/bucket/key`
    let key = decoded(path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key));
    match request.method() {
        "GET" if query.contains("list-type=2") => list(query, objects),
        "PUT" => {
            let generation = objects.get(&key).map_or(0, |(generation, _)| *generation);
            let expected = request.header("x-goog-if-generation-match");
            if expected.is_some_and(|expected| expected != generation.to_string()) {
                return Message::new("HTTP/1.1 412 Precondition Failed", &[], b"<Error/>");
            }
            objects.insert(key, (generation + 1, request.body.clone()));
            let e_tag = format!("\"{generation}\"");
            Message::new("HTTP/1.1 200 OK", &[("etag", &e_tag), ("x-goog-generation", "1")], b"")
        }
        "GET" | "HEAD" => match objects.get(&key) {
            Some((generation, body)) => found(request, *generation, body),
            None => Message::new("HTTP/1.1 404 Not Found", &[], b"<Error/>"),
        },
        "DELETE" => match objects.remove(&key) {
            Some(_) => Message::new("HTTP/1.1 204 No Content", &[], b""),
            None => Message::new("HTTP/1.1 404 Not Found", &[], b"<Error/>"),
        },
        _ => Message::new("HTTP/1.1 501 Not Implemented", &[], b"<Error/>"),
    }
}

fn found(request: &Message, generation: u64, body: &[u8]) -> Message {
    let (size, generation) = (body.len(), generation.to_string());
    let mut headers = vec![("last-modified", MODIFIED), ("etag", "\"e\"")];
    headers.push(("x-goog-generation", &generation));
    let range = request.header("range").and_then(|range| range.strip_prefix("bytes="));
    let range = range.and_then(|range| range.split_once('-'));
    let whole = size.to_string();
    if request.method() == "HEAD" {
        headers.push(("content-length", &whole));
        return Message::new("HTTP/1.1 200 OK", &headers, b"");
    }
    let Some((from, to)) = range else {
        return Message::new("HTTP/1.1 200 OK", &headers, body);
    };
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, (to + 1).min(size)),
        (Ok(from), Err(_)) => (from, size),
        (Err(_), to) => (size.saturating_sub(to.unwrap()), size),
    };
    let of_whole = format!("bytes {from}-{}/{size}", to - 1);
    headers.push(("content-range", &of_whole));
    Message::new("HTTP/1.1 206 Partial Content", &headers, &body[from..to])
}

fn list(query: &str, objects: &Objects) -> Message {
    let parameter = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(known, _)| *known == name).map(|(_, value)| decoded(value)).next()
    };
    let prefix = parameter("prefix").unwrap_or_default();
    let offset = parameter("start-after").unwrap_or_default();
    let mut folders = Vec::new();
    let mut xml = "<ListBucketResult>".to_owned();
    for (key, (_, body)) in
        objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > offset)
    {
        let inside = &key[prefix.len()..];
        if let (Some(_), Some(end)) = (parameter("delimiter"), inside.find('/')) {
            folders.push(format!("{prefix}{}/", &inside[..end]));
            continue;
        }
        let (key, size) = (key.replace('&', "&amp;"), body.len());
        write!(
            xml,
            "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>\"e\"</ETag>\
             <LastModified>2026-11-30T10:00:00.000Z</LastModified></Contents>"
        )
        .unwrap();
    }
    folders.dedup();
    for folder in folders {
        write!(xml, "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>").unwrap();
    }
    xml += "</ListBucketResult>";
    Message::new("HTTP/1.1 200 OK", &[("content-type", "application/xml")], xml.as_bytes())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}
