//! What a reader hands on: one piece of evidence with the place it was read from.
//!
//! Readers turn any form (JSON, YAML, tables, `describe` text) into values shaped like the
//! Kubernetes API, so that everything after them is the same for all forms. A reader never
//! judges: no rule of diagnosis belongs here.

use serde_json::Value;

/// Where in the input a piece stood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the document (a path, a path inside an archive, or `-`).
    pub document: String,
    /// Line of the first character, counted from 1; 0 when the form has no lines.
    pub line: u32,
}

/// How an object was written down. It decides what a missing field means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The API's own JSON or YAML: a missing field is empty.
    Api,
    /// Text for people (`describe`, tables): a missing key is unknown, an empty one is empty.
    Text,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// An object in the shape of the API, with `apiVersion`, `kind`, `metadata.name` and, where
    /// the kind has one and it is known, `metadata.namespace`. Events are objects too.
    Object {
        /// The object.
        value: Value,
        /// How it was written.
        form: Form,
        /// Where.
        place: Place,
    },
    /// A watch saw this object's deletion: it no longer exists.
    Gone {
        /// The object as it was last.
        value: Value,
        /// Where.
        place: Place,
    },
    /// The input lists every object of a kind: who is not in it does not exist.
    Listed {
        /// Kind, e.g. `Pod`.
        kind: String,
        /// Namespace, or `None` for all of the cluster.
        namespace: Option<String>,
        /// Where.
        place: Place,
    },
    /// The API said that this object does not exist (`Error from server (NotFound)`).
    Missing {
        /// Kind, e.g. `Pod`.
        kind: String,
        /// Namespace where the question named one.
        namespace: Option<String>,
        /// Name.
        name: String,
        /// Where.
        place: Place,
    },
    /// Lines of a log, in order.
    Log {
        /// Who wrote it.
        of: LogOwner,
        /// The lines, without line ends; bounded by the reader.
        lines: Vec<String>,
        /// Where.
        place: Place,
    },
    /// State of a system unit on a machine, from `systemctl status`.
    Unit {
        /// Host the command ran on.
        node: String,
        /// Unit without `.service`, e.g. `kubelet`.
        unit: String,
        /// Whether it is running.
        active: bool,
        /// The state as written, e.g. `inactive (dead) since ...`.
        state: String,
        /// Where.
        place: Place,
    },
    /// What a tool run on a machine said of it (`df`, `free`, `ps`, `docker ps`).
    Host {
        /// The machine's name, or empty.
        node: String,
        /// What it said.
        figure: model::HostFigure,
        /// Where.
        place: Place,
    },
    /// A connection tried by hand (`nc -zv host port`, `curl`, `telnet`).
    Dial {
        /// Host as written, e.g. `web.shop`.
        host: String,
        /// Port.
        port: u16,
        /// Whether it connected.
        connected: bool,
        /// What the tool printed, the line that decides.
        answer: String,
        /// Host, node or pod the tool ran on, where the text tells.
        from: Option<String>,
        /// Where.
        place: Place,
    },
    /// A client got an error instead of an answer; it is also handed on as skipped.
    ClientError {
        /// What it said, one line.
        text: String,
        /// Where.
        place: Place,
    },
    /// One line of `/readyz?verbose`: a check of the API server.
    Check {
        /// Name of the check, e.g. `etcd`.
        name: String,
        /// Whether it passed.
        healthy: bool,
        /// The line as written.
        said: String,
        /// Where.
        place: Place,
    },
    /// A series of measurements of one subject.
    Sample {
        /// Object or node the figure is about, as named in the input.
        subject: String,
        /// Name of the metric, e.g. `cpu_usage`.
        metric: String,
        /// Value in the unit of the metric.
        value: f64,
        /// RFC 3339 time where given.
        at: Option<String>,
        /// Where.
        place: Place,
    },
    /// An alert (Alertmanager v2).
    Alert {
        /// Labels and annotations as given.
        value: Value,
        /// Where.
        place: Place,
    },
    /// Something that could not be read. It never changes what the rest says.
    Skipped {
        /// Why, in one sentence.
        why: String,
        /// Where.
        place: Place,
    },
}

impl Piece {
    /// Where the piece was read.
    pub fn place(&self) -> &Place {
        match self {
            Piece::Object { place, .. }
            | Piece::Gone { place, .. }
            | Piece::Listed { place, .. }
            | Piece::Missing { place, .. }
            | Piece::Log { place, .. }
            | Piece::Unit { place, .. }
            | Piece::Host { place, .. }
            | Piece::Dial { place, .. }
            | Piece::ClientError { place, .. }
            | Piece::Check { place, .. }
            | Piece::Sample { place, .. }
            | Piece::Alert { place, .. }
            | Piece::Skipped { place, .. } => place,
        }
    }

    /// Where the piece was read, to be corrected by who knows what the reader does not.
    pub fn place_mut(&mut self) -> &mut Place {
        match self {
            Piece::Object { place, .. }
            | Piece::Gone { place, .. }
            | Piece::Listed { place, .. }
            | Piece::Missing { place, .. }
            | Piece::Log { place, .. }
            | Piece::Unit { place, .. }
            | Piece::Host { place, .. }
            | Piece::Dial { place, .. }
            | Piece::ClientError { place, .. }
            | Piece::Check { place, .. }
            | Piece::Sample { place, .. }
            | Piece::Alert { place, .. }
            | Piece::Skipped { place, .. } => place,
        }
    }
}

/// Who wrote a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct LogOwner {
    /// Pod name, or workload/app name where the input only names that.
    pub name: String,
    /// Namespace where known.
    pub namespace: Option<String>,
    /// Container where known.
    pub container: Option<String>,
    /// System unit (for node logs), e.g. `kubelet`; then `name` is the node.
    pub unit: Option<String>,
    /// True for `--previous` logs.
    pub previous: bool,
}
