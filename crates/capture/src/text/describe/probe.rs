//! Probes as `describe` prints them, on one line.

use crate::text::shape::put_some;
use crate::text::time::age_seconds;
use serde_json::{Value, json};

/// `http-get http://:8080/healthz delay=5s timeout=1s period=10s #success=1 #failure=3`.
pub fn probe(text: &str) -> Value {
    let text = text.trim();
    let (action, timing) = match text.find(" delay=") {
        Some(at) => (text.get(..at).unwrap_or(""), text.get(at..).unwrap_or("")),
        None => (text, ""),
    };
    let (how, rest) = action.trim().split_once(' ').unwrap_or((action.trim(), ""));
    let rest = rest.trim();
    let mut value = match how {
        "http-get" => json!({"httpGet": http(rest)}),
        "tcp-socket" => {
            let (host, port) = rest.rsplit_once(':').unwrap_or(("", rest));
            let mut socket = json!({"port": port_value(port)});
            put_some(&mut socket, "host", Some(host).filter(|h| !h.is_empty()));
            json!({"tcpSocket": socket})
        }
        "exec" => {
            let inner = rest.strip_prefix('[').unwrap_or(rest);
            let inner = inner.strip_suffix(']').unwrap_or(inner);
            json!({"exec": {"command": inner.split_whitespace().collect::<Vec<_>>()}})
        }
        "grpc" => {
            let (address, service) = rest.split_once(' ').unwrap_or((rest, ""));
            let port = address.rsplit(':').next().unwrap_or("");
            let mut grpc = json!({"port": port_value(port)});
            put_some(&mut grpc, "service", Some(service.trim()).filter(|s| !s.is_empty()));
            json!({"grpc": grpc})
        }
        _ => json!({}),
    };
    for word in timing.split_whitespace() {
        let Some((key, figure)) = word.split_once('=') else { continue };
        let field = match key {
            "delay" => "initialDelaySeconds",
            "timeout" => "timeoutSeconds",
            "period" => "periodSeconds",
            "#success" => "successThreshold",
            "#failure" => "failureThreshold",
            _ => continue,
        };
        put_some(&mut value, field, figure.parse().ok().or_else(|| age_seconds(figure)));
    }
    value
}

/// `http://host:8080/path`; host may be empty, the port may be a name.
fn http(url: &str) -> Value {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (address, path) = match rest.find('/') {
        Some(at) => (rest.get(..at).unwrap_or(""), rest.get(at..).unwrap_or("")),
        None => (rest, ""),
    };
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let mut get = json!({"scheme": scheme.to_ascii_uppercase(), "path": path});
    put_some(&mut get, "port", Some(port).filter(|p| !p.is_empty()).map(port_value));
    put_some(&mut get, "host", Some(host).filter(|h| !h.is_empty()));
    get
}

/// A port as number or name.
pub fn port_value(text: &str) -> Value {
    text.parse::<u16>().map_or_else(|_| Value::from(text), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Value) {
        assert_eq!(probe(text), want, "{text}");
    }

    #[test]
    fn probes() {
        check(
            "http-get http://:8080/healthz delay=5s timeout=1s period=10s #success=1 #failure=3",
            json!({"httpGet": {"scheme": "HTTP", "path": "/healthz", "port": 8080},
                "initialDelaySeconds": 5, "timeoutSeconds": 1, "periodSeconds": 10,
                "successThreshold": 1, "failureThreshold": 3}),
        );
        check(
            "http-get https://10.0.0.1:web/ delay=1m30s timeout=1s",
            json!({"httpGet": {"scheme": "HTTPS", "path": "/", "port": "web", "host": "10.0.0.1"},
                "initialDelaySeconds": 90, "timeoutSeconds": 1}),
        );
        check("tcp-socket :6379", json!({"tcpSocket": {"port": 6379}}));
        check("exec [cat /tmp/x]", json!({"exec": {"command": ["cat", "/tmp/x"]}}));
        check(
            "grpc <pod>:9555  delay=5s",
            json!({"grpc": {"port": 9555}, "initialDelaySeconds": 5}),
        );
        check(
            "grpc <pod>:9555 live delay=5s",
            json!({"grpc": {"port": 9555, "service": "live"},
            "initialDelaySeconds": 5}),
        );
        check("", json!({}));
    }
}
