//! A real API server with its etcd on loopback, for one measurement.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{Running, TOKEN};

pub struct Server {
    pub address: String,
    // In the order in which they are to end.
    _apiserver: Running,
    _etcd: Running,
}

impl Server {
    pub fn start(binaries: &Path, folder: &Path) -> Result<Self> {
        let [clients, peers, port] = ports()?;
        let (store, peer) =
            (format!("http://127.0.0.1:{clients}"), format!("http://127.0.0.1:{peers}"));
        let mut etcd = Command::new(binaries.join("etcd"));
        etcd.arg("--data-dir").arg(folder.join("etcd")).arg("--unsafe-no-fsync");
        for (flag, value) in [
            ("--listen-client-urls", &store),
            ("--advertise-client-urls", &store),
            ("--listen-peer-urls", &peer),
            ("--initial-advertise-peer-urls", &peer),
            ("--initial-cluster", &format!("default={peer}")),
        ] {
            etcd.args([flag, value]);
        }
        let etcd = Running::start(&mut etcd, &folder.join("etcd.log"))?;
        let (key, tokens) = (folder.join("sa.key"), folder.join("tokens.csv"));
        fs::write(&tokens, format!("{TOKEN},admin,admin,\"system:masters\"\n"))?;
        let made = Command::new("openssl").args(["genrsa", "-out"]).arg(&key).arg("2048").output();
        if !made.context("cannot run openssl")?.status.success() {
            bail!("openssl made no key")
        }
        let mut apiserver = Command::new(binaries.join("kube-apiserver"));
        apiserver.args(["--etcd-servers", &store, "--secure-port", &port.to_string()]);
        apiserver.args(["--bind-address", "127.0.0.1", "--authorization-mode", "RBAC"]);
        apiserver.args(["--service-account-issuer", "https://kubernetes.default.svc"]);
        apiserver.arg("--cert-dir").arg(folder.join("serving"));
        apiserver.arg("--token-auth-file").arg(&tokens);
        apiserver.arg("--service-account-key-file").arg(&key);
        apiserver.arg("--service-account-signing-key-file").arg(&key);
        let apiserver = Running::start(&mut apiserver, &folder.join("apiserver.log"))?;
        let address = format!("https://127.0.0.1:{port}");
        for _ in 0..240 {
            let asked = Command::new("curl")
                .args(["-sk", "-H", &format!("Authorization: Bearer {TOKEN}")])
                .arg(format!("{address}/readyz"))
                .output()
                .context("cannot run curl")?;
            if asked.stdout == b"ok" {
                return Ok(Self { address, _apiserver: apiserver, _etcd: etcd });
            }
            sleep(Duration::from_millis(500));
        }
        bail!("the real API server did not become ready")
    }
}

/// Ports that are free now.
fn ports() -> Result<[u16; 3]> {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(listeners) {
        *port = listener?.local_addr()?.port();
    }
    Ok(ports)
}
