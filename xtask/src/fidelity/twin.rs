//! A twin in a process of its own, for real clients: with its own controllers or with those of
//! a real control plane.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// Who acts in the cluster.
#[derive(Clone, Copy)]
pub enum Controls<'a> {
    Own,
    /// `kube-controller-manager` and `kube-scheduler` of this folder.
    Real(&'a Path),
}

/// A served twin; it and what was started for it end with this value.
pub struct Twin {
    pub kubeconfig: PathBuf,
    /// For whatever belongs to this run.
    pub folder: TempDir,
    processes: Vec<Child>,
}

impl Twin {
    pub fn start(controls: Controls<'_>) -> Result<Self> {
        let folder = TempDir::new()?;
        let kubeconfig = folder.path().join("kubeconfig");
        let mut twin = Self { kubeconfig, folder, processes: Vec::new() };
        // It stands beside this program, and `cargo xtask` cannot have built it.
        let built = Command::new("cargo").args(["build", "--quiet", "-p", "seaworthy"]).status()?;
        if !built.success() {
            bail!("the twin does not build")
        }
        let program = std::env::current_exe()?.with_file_name("seaworthy");
        let mut serve = Command::new(program);
        serve.args(["twin", "--listen", "127.0.0.1:0", "--nodes", "0", "--write-kubeconfig"]);
        serve.arg(&twin.kubeconfig).args(["--authorization", "rbac"]);
        if let Controls::Real(_) = controls {
            serve.args(["--controllers", "none"]);
        }
        twin.launch("twin", serve)?;
        for _ in 0..100 {
            if twin.kubeconfig.exists() {
                break;
            }
            sleep(Duration::from_millis(100));
        }
        if !twin.kubeconfig.exists() {
            bail!("the twin did not start: {}", twin.log("twin"))
        }
        if let Controls::Real(binaries) = controls {
            twin.control(binaries)?;
        }
        Ok(twin)
    }

    /// What a process said.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default()
    }

    fn launch(&mut self, name: &str, mut command: Command) -> Result<()> {
        let log = File::create(self.folder.path().join(format!("{name}.log")))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        self.processes.push(child);
        Ok(())
    }

    fn control(&mut self, binaries: &Path) -> Result<()> {
        let kubeconfig = self.kubeconfig.clone();
        let component = |name: &str| {
            let mut command = Command::new(binaries.join(name));
            for flag in
                ["--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig"]
            {
                command.arg(flag).arg(&kubeconfig);
            }
            command.args(["--secure-port", "0", "--leader-elect=false"]);
            command
        };
        let mut manager = component("kube-controller-manager");
        manager.args(["--allocate-node-cidrs=true", "--cluster-cidr", "10.0.0.0/8"]);
        self.launch("kube-controller-manager", manager)?;
        self.launch("kube-scheduler", component("kube-scheduler"))
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // Those who ask before those who answer; what fails here is over already.
        for process in self.processes.iter_mut().rev() {
            drop(process.kill());
            drop(process.wait());
        }
    }
}
