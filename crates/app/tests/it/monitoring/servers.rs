//! The servers as Debian packages them, on a free port of this machine, ended with the test.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Programs and the Debian packages that have them.
const PROGRAMS: [(&str, &str); 3] = [
    ("prometheus", "prometheus"),
    ("promtool", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
];

/// Whether there are servers to test with. Without them the tests say so and pass, except where
/// `CI=true` promises them.
pub(super) fn has_servers() -> bool {
    let missing = PROGRAMS.iter().find(|(program, _)| {
        let mut version = Command::new(program);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_err()
    });
    if let Some((program, package)) = missing {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{program} is missing");
        eprintln!("SKIPPED: there is no {program} on this machine (Debian: {package})");
    }
    missing.is_none()
}

pub(super) fn wall_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A file or a folder of this test run, removed at its end.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    fn named(name: &str) -> Self {
        let name = format!("seaworthy-{}-{}-{name}", std::process::id(), port());
        Scratch(std::env::temp_dir().join(name))
    }

    fn folder(name: &str) -> Self {
        let folder = Scratch::named(name);
        std::fs::create_dir_all(&folder.0).unwrap();
        folder
    }

    pub(super) fn file(name: &str, text: &str) -> Self {
        let file = Scratch::named(name);
        std::fs::write(&file.0, text).unwrap();
        file
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A server, ended when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(program: &str, arguments: &[String], is_ready: impl Fn() -> bool) -> Server {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server(command.spawn().expect("it starts"));
    let until = Instant::now() + Duration::from_secs(60);
    while !is_ready() {
        assert!(Instant::now() < until, "{program} does not get ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

fn says_ready(port: u16) -> bool {
    ask(port, "GET", "/-/ready", "").is_some_and(|a| a.starts_with("HTTP/1.1 200"))
}

/// One request over HTTP/1.1; the whole answer.
fn ask(port: u16, method: &str, path: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// A Prometheus that knows a history and scrapes nobody.
pub(super) struct Prometheus {
    pub(super) url: String,
    _server: Server,
    _folder: Scratch,
}

impl Prometheus {
    /// With these measurements, in the text form of OpenMetrics.
    pub(super) fn with(history: &str) -> Self {
        let folder = Scratch::folder("prometheus");
        let port = port();
        let server = Self::start(&folder, history, port, &[], || says_ready(port));
        Prometheus { url: format!("http://127.0.0.1:{port}"), _server: server, _folder: folder }
    }

    /// With these measurements, for those who trust its authority and know the password.
    pub(super) fn guarded(history: &str) -> (Self, Authority) {
        let folder = Scratch::folder("guarded");
        let (port, authority) = (port(), Authority::new(&folder));
        let web = format!("--web.config.file={}", folder.write("web.yml", &authority.web_config));
        // Nothing but a connection can be had without the authority.
        let is_there = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        let server = Self::start(&folder, history, port, &[web], is_there);
        let url = format!("https://127.0.0.1:{port}");
        (Prometheus { url, _server: server, _folder: folder }, authority)
    }

    fn start(
        folder: &Scratch,
        history: &str,
        port: u16,
        more: &[String],
        is_ready: impl Fn() -> bool,
    ) -> Server {
        let history = folder.write("history.txt", history);
        let data = folder.0.join("data").to_str().expect("UTF-8").to_owned();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics", &history, &data])
            .output()
            .expect("promtool runs");
        assert!(made.status.success(), "{made:?}");
        let config = folder.write("prometheus.yml", "{}\n");
        let mut arguments = vec![
            format!("--config.file={config}"),
            format!("--storage.tsdb.path={data}"),
            "--storage.tsdb.retention.time=100y".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        arguments.extend_from_slice(more);
        start("prometheus", &arguments, is_ready)
    }
}

/// Who vouches for a guarded server.
pub(super) struct Authority {
    /// Its certificate, a file.
    pub(super) file: String,
    web_config: String,
}

impl Authority {
    /// Of a server on this machine, where `watcher` logs in with `open-sesame`.
    fn new(folder: &Scratch) -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut own = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        own.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        let file = folder.write("ca.pem", &own.self_signed(&key).expect("a certificate").pem());
        let issuer = rcgen::Issuer::new(own, key);
        let key = rcgen::KeyPair::generate().expect("a key");
        let server = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]);
        let signed = server.expect("an address").signed_by(&key, &issuer).expect("a certificate");
        let chain = folder.write("server.pem", &signed.pem());
        let key = folder.write("server.key", &key.serialize_pem());
        // The hash of the password, as `htpasswd -B` makes it.
        let hash = "$2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G";
        let web = json!({
            "tls_server_config": {"cert_file": chain, "key_file": key},
            "basic_auth_users": {"watcher": hash},
        });
        Authority { file, web_config: web.to_string() }
    }
}

/// An Alertmanager that tells nobody.
pub(super) struct Alertmanager {
    pub(super) url: String,
    port: u16,
    _server: Server,
    _folder: Scratch,
}

impl Alertmanager {
    pub(super) fn start() -> Self {
        let folder = Scratch::folder("alertmanager");
        let config = "route: {receiver: none}\nreceivers: [{name: none}]\n";
        let (config, port) = (folder.write("alertmanager.yml", config), port());
        let arguments = [
            format!("--config.file={config}"),
            format!("--storage.path={}", folder.path()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let server = start("prometheus-alertmanager", &arguments, || says_ready(port));
        let url = format!("http://127.0.0.1:{port}");
        Alertmanager { url, port, _server: server, _folder: folder }
    }

    /// Hands it an alert with these labels, as a rule of Prometheus does.
    pub(super) fn fire(&self, labels: &Value) {
        let body = json!([{"labels": labels, "annotations": {"summary": "load is high"}}]);
        let answer = ask(self.port, "POST", "/api/v2/alerts", &body.to_string());
        assert!(answer.as_ref().is_some_and(|a| a.starts_with("HTTP/1.1 200")), "{answer:?}");
        let until = Instant::now() + Duration::from_secs(10);
        while !ask(self.port, "GET", "/api/v2/alerts", "").is_some_and(|a| a.contains("summary")) {
            assert!(Instant::now() < until, "the alert is not told");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
