//! As much of HTTP as servers and clients of tests need.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request, or an answer, whose first line is its status.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    pub(super) first: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Message {
    pub(super) fn new(first: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(owned).collect();
        Self { first: first.to_owned(), headers, body: body.to_vec() }
    }

    /// Reads a request.
    pub(super) fn read(stream: &TcpStream) -> io::Result<Option<Self>> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream);
        let mut message = Self::default();
        if reader.read_line(&mut message.first)? == 0 {
            return Ok(None);
        }
        message.first = message.first.trim_end().to_owned();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = message.header("content-length").map_or(0, |length| length.parse().unwrap());
        message.body.resize(length, 0);
        reader.read_exact(&mut message.body)?;
        Ok(Some(message))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn method(&self) -> &str {
        self.first.split(' ').next().unwrap_or_default()
    }

    /// The path and query of a request.
    pub(super) fn target(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        (head + "\r\n").into_bytes()
    }

    /// Writes an answer, after which the connection ends.
    pub(super) fn answer(mut self, mut stream: &TcpStream) -> io::Result<()> {
        if self.header("content-length").is_none() {
            let length = self.body.len().to_string();
            self.headers.push(("content-length".to_owned(), length));
        }
        self.headers.push(("connection".to_owned(), "close".to_owned()));
        let mut bytes = self.head();
        bytes.append(&mut self.body);
        stream.write_all(&bytes)
    }

    /// Sends a request to a local port. Returns the bytes of the answer.
    pub(super) fn send(mut self, port: u16) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.headers.retain(|(name, _)| name != "connection" && name != "content-length");
        self.headers.push(("connection".to_owned(), "close".to_owned()));
        self.headers.push(("content-length".to_owned(), self.body.len().to_string()));
        if self.header("host").is_none() {
            self.headers.push(("host".to_owned(), format!("127.0.0.1:{port}")));
        }
        let mut bytes = self.head();
        bytes.append(&mut self.body);
        stream.write_all(&bytes)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }

    /// Sends a request, which must succeed.
    pub(super) fn expect(self, port: u16) {
        let first = self.first.clone();
        let answer = self.send(port).unwrap();
        let status = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
        assert!(status.contains(" 20"), "{first}: {}", String::from_utf8_lossy(&answer));
    }
}

/// Serves requests on a free local port, each connection on a thread of its own, as long as the process lives. Returns
/// the port.
pub(super) fn serve(handle: impl Fn(&TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let handle = std::sync::Arc::new(handle);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            std::thread::spawn(move || handle(&stream));
        }
    });
    port
}

/// Returns a local port that nobody listens on.
pub(super) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
