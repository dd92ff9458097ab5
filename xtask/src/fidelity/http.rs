//! As much of an HTTP/1.1 client as the recordings need: one request a connection.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Headers that are compared; the others belong to the connection.
const COMPARED: [&str; 6] =
    ["warning", "retry-after", "allow", "www-authenticate", "location", "accept-patch"];

/// The head of an answer and the connection that its body comes from.
pub struct Answer {
    pub status: u64,
    pub headers: BTreeMap<String, Vec<String>>,
    body: Box<dyn BufRead + Send>,
    stream: TcpStream,
}

/// Sends a step's request.
pub fn send(address: &str, step: &Value, patience: Duration) -> Result<Answer> {
    let mut stream = TcpStream::connect(address).context("cannot reach the twin")?;
    stream.set_read_timeout(Some(patience))?;
    let body = payload(step);
    let text = |key: &str| step[key].as_str().unwrap_or_default();
    let mut head = BTreeMap::from([
        ("user-agent".to_owned(), "replay/1.0".to_owned()),
        ("accept".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), "Bearer admin-token".to_owned()),
    ]);
    if body.is_some() {
        head.insert("content-type".to_owned(), "application/json".to_owned());
    }
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        head.insert(name.to_lowercase(), value.as_str().unwrap_or_default().to_owned());
    }
    let mut sent = format!("{} {} HTTP/1.1\r\nhost: twin\r\n", text("method"), text("path"));
    for (name, value) in head.iter().filter(|(_, value)| !value.is_empty()) {
        sent.push_str(&format!("{name}: {value}\r\n"));
    }
    let writes = matches!(text("method"), "POST" | "PUT" | "PATCH");
    if body.is_some() || writes {
        sent.push_str(&format!("content-length: {}\r\n", body.as_ref().map_or(0, Vec::len)));
    }
    sent.push_str("connection: close\r\n\r\n");
    stream.write_all(sent.as_bytes())?;
    // The server may answer before it has read a body that is too large.
    drop(stream.write_all(&body.unwrap_or_default()));
    answer(stream)
}

fn payload(step: &Value) -> Option<Vec<u8>> {
    if let Some(body) = step.get("body") {
        return Some(body.to_string().into_bytes());
    }
    if let Some(raw) = step["raw"].as_str() {
        return Some(raw.as_bytes().to_vec());
    }
    let parts = step["raw_parts"].as_array()?.iter().map(|part| {
        let times = part[1].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        part[0].as_str().unwrap_or_default().repeat(times)
    });
    Some(parts.collect::<String>().into_bytes())
}

fn answer(stream: TcpStream) -> Result<Answer> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.with_context(|| format!("no status line: {line:?}"))?;
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.entry(name.to_lowercase()).or_default().push(value.to_owned());
    }
    let has = |name: &str, value: &str| headers.get(name).is_some_and(|v| v[0] == value);
    let length: Option<u64> = headers.get("content-length").and_then(|v| v[0].parse().ok());
    let body: Box<dyn BufRead + Send> = if has("transfer-encoding", "chunked") {
        Box::new(BufReader::new(Chunks { inner: reader, left: 0 }))
    } else {
        Box::new(reader.take(length.unwrap_or(u64::MAX)))
    };
    Ok(Answer { status, headers, body, stream })
}

impl Answer {
    pub fn content_type(&self) -> String {
        self.headers.get("content-type").map(|v| v[0].clone()).unwrap_or_default()
    }

    pub fn compared(&self) -> BTreeMap<String, Vec<String>> {
        let kept = |(k, v): (&String, &Vec<String>)| {
            COMPARED.contains(&k.as_str()).then(|| (k.clone(), v.clone()))
        };
        self.headers.iter().filter_map(kept).collect()
    }

    /// The whole body: JSON where it says so, else text.
    pub fn whole(&mut self) -> Result<Value> {
        let mut bytes = Vec::new();
        self.body.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if self.content_type().contains("json")
            && let Ok(value) = serde_json::from_str(&text)
        {
            return Ok(value);
        }
        Ok(text.into())
    }

    /// The next line of a stream; `None` at its end or when it stays silent.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.body.read_line(&mut line).ok()?;
        (read > 0).then_some(line)
    }

    /// A handle that ends the stream for whoever reads it.
    pub fn closer(&self) -> impl Fn() + Send + use<> {
        let stream = self.stream.try_clone().ok();
        move || {
            if let Some(stream) = &stream {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
    }
}

/// The body within a chunked transfer.
struct Chunks<R> {
    inner: R,
    left: u64,
}

impl<R: BufRead> std::io::Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.left == 0 {
            let mut line = String::new();
            if self.inner.read_line(&mut line)? == 0 {
                return Ok(0);
            }
            let size = line.trim();
            if size.is_empty() {
                continue;
            }
            match u64::from_str_radix(size, 16) {
                Ok(0) | Err(_) => return Ok(0),
                Ok(size) => self.left = size,
            }
        }
        let read = self.inner.by_ref().take(self.left).read(buffer)?;
        self.left -= read as u64;
        Ok(read)
    }
}
