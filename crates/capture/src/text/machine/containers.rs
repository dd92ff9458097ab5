//! `docker ps`, `crictl ps`, `nerdctl ps` and `crictl pods`: what the runtime of a machine runs.

use super::Asked;
use crate::text::Out;
use crate::text::lines::Line;
use crate::text::table::Columns;
use model::{HostFigure, Text};

/// Most rows kept of one table.
const MAX_ROWS: usize = 10_000;

/// Reads the table that begins at the first of `lines`.
pub(super) fn read(lines: &[Line<'_>], asked: &Asked<'_>, out: &mut Out<'_>) -> Option<usize> {
    let header = lines.first()?.text.trim_end();
    let pods = header.starts_with("POD ID ");
    if !pods && !header.starts_with("CONTAINER ID ") && !header.starts_with("CONTAINER ") {
        return None;
    }
    let columns = Columns::titled(header);
    let known = ["STATE", "STATUS"].iter().any(|n| columns.index(n).is_some());
    if !known || columns.names.len() < 4 {
        return None;
    }
    let mut used = 1;
    while let Some(line) = lines.get(used).filter(|l| !l.is_blank()) {
        let Some(cells) = columns.cells(&line.text).filter(|c| is_id(c)) else { break };
        let cell = |name: &str| {
            let cell = columns.index(name).and_then(|at| cells.get(at));
            Text::from(cell.map_or("", String::as_str))
        };
        if used <= MAX_ROWS {
            let figure = if pods { sandbox(&cell) } else { container(&cell) };
            asked.send(figure, line.number, out);
        }
        used += 1;
    }
    // Another table may have such a header.
    let ends = lines.get(used).is_none_or(Line::is_blank);
    (used > 1 || ends).then_some(used)
}

/// A row begins with the id of a container or sandbox.
fn is_id(cells: &[String]) -> bool {
    let first = cells.first().map_or("", String::as_str).trim_end_matches("...");
    first.len() >= 6 && first.bytes().all(|b| b.is_ascii_hexdigit())
}

fn sandbox(cell: &dyn Fn(&str) -> Text) -> HostFigure {
    let ready = cell("STATE").eq_ignore_ascii_case("ready");
    HostFigure::Sandbox { namespace: cell("NAMESPACE"), pod: cell("NAME"), ready }
}

fn container(cell: &dyn Fn(&str) -> Text) -> HostFigure {
    let names = cell("NAMES");
    // The kubelet named containers of docker `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`.
    let parts: Vec<&str> = names.split('_').collect();
    if let ["k8s", name, pod, namespace, _, attempt] = parts.as_slice() {
        let state = cell("STATUS");
        return HostFigure::Container {
            name: (*name).into(),
            namespace: (*namespace).into(),
            pod: (*pod).into(),
            running: state.starts_with("Up"),
            state,
            attempt: attempt.parse().unwrap_or(0),
        };
    }
    let state = if cell("STATE").is_empty() { cell("STATUS") } else { cell("STATE") };
    HostFigure::Container {
        name: if names.is_empty() { cell("NAME") } else { names },
        namespace: cell("NAMESPACE"),
        pod: cell("POD"),
        running: state.eq_ignore_ascii_case("running") || state.starts_with("Up"),
        attempt: cell("ATTEMPT").parse().unwrap_or(0),
        state,
    }
}
