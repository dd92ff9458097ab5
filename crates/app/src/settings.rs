//! The command line and the environment, resolved into settings. Nothing else reads either.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::moment::{self, Moment};

/// What broke, why, and what to do first.
#[derive(Parser, Debug)]
#[command(name = "seaworthy", version, about, propagate_version = true, max_term_width = 80)]
#[command(after_help = "Exit codes: 0 clean, 1 findings at or above --fail-on, 2 usage, \
    3 cluster unreachable, 5 inconclusive, 130 interrupted.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Colour: on a terminal only, always, or never (NO_COLOR is heeded)
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Say what is wrong with a cluster or a capture of one, and why
    Diagnose(Diagnose),
    /// Explain a failure kind, or why one object is as it is; without either
    /// list all kinds
    Explain(Explain),
    /// Let something happen to a simulated cluster, and say what comes of it
    Rehearse(Rehearse),
    /// Serve a simulated cluster to kubectl and every other client
    Twin(Twin),
    /// Print the version
    Version(Output),
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, at most 80 columns
    #[default]
    Text,
    /// As text, with every incident in full
    Wide,
    /// JSON, `seaworthy.dev/v1`
    Json,
    /// The same as YAML
    Yaml,
    /// Markdown, for a ticket
    Md,
}

/// Output options.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Output format
    #[arg(short = 'o', long = "output", value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// How loud a finding must be for exit code 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Note,
    #[default]
    Ticket,
    Page,
}

impl From<FailOn> for model::Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Note => model::Severity::Note,
            FailOn::Ticket => model::Severity::Ticket,
            FailOn::Page => model::Severity::Page,
        }
    }
}

/// Options of `diagnose`.
#[derive(Args, Debug)]
pub(crate) struct Diagnose {
    /// Captured input: files, folders or archives of any form, `-` for standard input; without
    /// it the live cluster is read
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Report on this namespace only, with what caused it
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Report on all namespaces (the default)
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
    /// Report on objects with these labels only, with what caused it
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Report on these failure kinds only (see `seaworthy explain`)
    #[arg(long = "kind", value_name = "ID", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// Exit with 1 when something this loud is not over
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub(crate) fail_on: FailOn,
    /// Keep the live cluster in sight and say anew what is wrong when that changes; Ctrl-C
    /// ends it
    #[arg(short, long, conflicts_with_all = ["paths", "filenames", "twin", "at", "before",
        "prometheus", "alertmanager"])]
    pub(crate) watch: bool,
    /// Compare with this earlier capture: what changed since, and did it cause this?
    /// Two PATHs that show one cluster at two times are compared too
    #[arg(long, value_name = "PATH", conflicts_with = "at")]
    pub(crate) before: Vec<PathBuf>,
    /// Leave out what was over before this: a duration (90m), a time of day (03:10,
    /// UTC) or a time
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse)]
    pub(crate) since: Option<Moment>,
    /// The situation as of this moment, as far as the evidence tells
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse)]
    pub(crate) at: Option<Moment>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Where evidence comes from: the same for every command that needs some.
#[derive(Args, Debug, Default)]
pub(crate) struct Input {
    /// Captured input too, as kubectl names it
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub(crate) filenames: Vec<PathBuf>,
    /// Path of the kubeconfig
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Read the built-in simulated cluster after its story has run
    #[arg(long, conflicts_with_all = ["filenames", "kubeconfig", "context"])]
    pub(crate) twin: bool,
    /// Seed of the simulated cluster
    #[arg(long, value_name = "N", default_value_t = SEED, requires = "twin")]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) monitoring: Monitoring,
}

/// Those who watch the cluster: what they measured is read beside any other input, or alone.
#[derive(Args, Debug, Default)]
pub(crate) struct Monitoring {
    /// Ask this Prometheus too, about the last hour or since --since; a name and a password
    /// may stand in the address
    #[arg(long, value_name = "URL")]
    pub(crate) prometheus: Option<String>,
    /// File with the bearer token that Prometheus wants
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    pub(crate) prometheus_token_file: Option<PathBuf>,
    /// Read the alerts of this Alertmanager too, or of a file with its JSON
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) alertmanager: Option<String>,
    /// File with the bearer token that the Alertmanager wants
    #[arg(long, value_name = "FILE", requires = "alertmanager")]
    pub(crate) alertmanager_token_file: Option<PathBuf>,
    /// Certificates that vouch for both of them, in PEM [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub(crate) monitoring_ca: Option<PathBuf>,
}

impl Monitoring {
    /// Whether anybody was named.
    pub(crate) fn is_given(&self) -> bool {
        self.prometheus.is_some() || self.alertmanager.is_some()
    }
}

impl Input {
    /// Whether anything of it was given.
    pub(crate) fn is_given(&self) -> bool {
        let cluster = self.kubeconfig.is_some() || self.context.is_some();
        self.twin || cluster || !self.filenames.is_empty() || self.monitoring.is_given()
    }
}

/// Options of `rehearse`.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 all as expected, 1 not, 2 usage.")]
pub(crate) struct Rehearse {
    /// What is rehearsed: a name (`list` lists them), a failure kind, or a YAML file
    #[arg(value_name = "NAME|FILE")]
    pub(crate) what: Option<String>,
    /// Seed of everything random in it
    #[arg(long, value_name = "N", default_value_t = SEED)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Options of `twin`.
#[derive(Args, Debug)]
pub(crate) struct Twin {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6443")]
    pub(crate) listen: SocketAddr,
    /// Write the kubeconfig here instead of to standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) write_kubeconfig: Option<PathBuf>,
    /// Bearer token that clients must show [default: a random one]
    #[arg(long)]
    pub(crate) token: Option<String>,
    /// Virtual seconds per second, or `pause`
    #[arg(long, default_value = "1", value_parser = speed, value_name = "N")]
    pub(crate) speed: twin::Speed,
    /// Who may do what: everybody with the token everything, or as roles and bindings say
    #[arg(long, default_value = "always-allow", value_parser = authorization, value_name = "MODE")]
    pub(crate) authorization: twin::Authorization,
    /// Virtual seconds to let pass before serving
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub(crate) advance: u32,
    /// Seed of everything random in it
    #[arg(long, value_name = "N", default_value_t = SEED)]
    pub(crate) seed: u64,
    /// The built-in story: a cluster that a bad rollout takes down
    #[arg(long, conflicts_with_all = ["nodes", "controllers"])]
    pub(crate) story: bool,
    /// So many nodes; nodes that are made through the API are run too
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) nodes: u16,
    /// Which controllers run: `all`, `none`, or names separated by commas
    #[arg(long, default_value = "all", value_name = "LIST")]
    pub(crate) controllers: twin::scenario::Controllers,
    /// Without TLS; for loopback only
    #[arg(long)]
    pub(crate) plain: bool,
}

/// The seed when none is given.
const SEED: u64 = 1;

fn authorization(text: &str) -> Result<twin::Authorization, String> {
    match text {
        "always-allow" => Ok(twin::Authorization::AlwaysAllow),
        "rbac" => Ok(twin::Authorization::Rbac),
        _ => Err("expected `always-allow` or `rbac`".to_owned()),
    }
}

fn speed(text: &str) -> Result<twin::Speed, String> {
    match text {
        "pause" => Ok(twin::Speed::Pause),
        number => match number.parse() {
            Ok(times @ 1..=10_000) => Ok(twin::Speed::Times(times)),
            _ => Err("expected `pause` or a number from 1 to 10000".to_owned()),
        },
    }
}

/// Options of `explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// Id of a failure (node-not-ready), or an object (pod/web-0, hpa/web, node/n1)
    #[arg(value_name = "ID|KIND/NAME")]
    pub(crate) what: Option<String>,
    /// Captured input that shows the object, as for `diagnose`; without it the live cluster is
    /// read
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Namespace of the object; needed only where several have one of this name
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Everything a command needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What to do.
    pub(crate) command: Command,
    /// Whether standard output takes colour.
    pub(crate) color: bool,
    /// Whether somebody watches standard error: then long work shows how far it is.
    pub(crate) progress: bool,
    /// Whether standard output is a screen that can be drawn anew.
    pub(crate) redraws: bool,
}

/// Resolves arguments and environment.
///
/// # Errors
/// Help, version, and arguments that make no sense; to be printed as they are.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Settings, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut parser = Cli::command();
    if is_plugin(arguments.first()) {
        parser = parser.bin_name("kubectl seaworthy");
    }
    let cli = Cli::from_arg_matches(&parser.try_get_matches_from(arguments)?)?;
    let (color, progress) = (color(cli.color), std::io::stderr().is_terminal());
    let redraws = std::io::stdout().is_terminal();
    Ok(Settings { color, progress, redraws, command: cli.command })
}

/// Whether kubectl runs us as its plugin, under the name it looks for.
fn is_plugin(name: Option<&OsString>) -> bool {
    let stem = name.and_then(|n| Path::new(n).file_stem());
    stem.and_then(|s| s.to_str()).is_some_and(|s| s.starts_with("kubectl-"))
}

fn color(wanted: Color) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    match wanted {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !set("NO_COLOR") && !dumb && std::io::stdout().is_terminal(),
    }
}
