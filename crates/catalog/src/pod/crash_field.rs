//! Which field of a workload makes its container end: found by comparing what the container
//! says with its mounts, users, commands and variables.

use model::App;
use model::record::{Container, VolumeSource};

use super::edit::{changes, container, container_field, spec_field};
use super::image::Image;
use super::log_lines::path;
use crate::wording::{between, says};

/// A field, its value, and what it should be.
type Edit = Option<(String, String, String)>;

/// The volume that a path is on: its name, where it is mounted, what it is, and whether it is
/// mounted read-only. Claims from a template of a StatefulSet are not among the volumes: they
/// have no source here. Without a path, the only volume that is written to.
fn volume<'a>(
    app: &'a App,
    c: &'a Container,
    path: Option<&str>,
) -> Option<(&'a str, &'a str, Option<&'a VolumeSource>, bool)> {
    let spec = app.spec()?;
    let source = |name: &str| spec.volumes.iter().find(|v| v.name == name).map(|v| &v.source);
    let mounts = c.volume_mounts.iter();
    let mounts =
        mounts.map(|m| (m.name.as_str(), m.mount_path.as_str(), source(&m.name), m.read_only));
    match path {
        Some(path) => {
            let under = |at: &str| {
                let at = at.trim_end_matches('/');
                path == at || path.strip_prefix(at).is_some_and(|rest| rest.starts_with('/'))
            };
            mounts.filter(|(_, at, ..)| under(at)).max_by_key(|(_, at, ..)| at.len())
        }
        None => {
            let kept = |source: Option<&VolumeSource>| match source {
                None | Some(VolumeSource::Claim(_) | VolumeSource::HostPath(_)) => true,
                Some(VolumeSource::Csi(_) | VolumeSource::Other(_)) => true,
                Some(_) => false,
            };
            let mut kept = mounts.filter(|(.., source, read_only)| kept(*source) && !read_only);
            kept.next().filter(|_| kept.next().is_none())
        }
    }
}

/// Whether a volume shows config maps or secrets, which nobody can write to.
fn is_config(source: &VolumeSource) -> bool {
    use VolumeSource::{ConfigMap, Projected, Secret};
    matches!(source, ConfigMap(_) | Secret(_) | Projected(_))
}

fn find<'a>(app: &'a App, name: &str) -> Option<&'a Container> {
    container(app.spec()?, name)
}

/// The user of the container may not use a path.
pub(super) fn permission(app: &App, name: &str, text: &str) -> Edit {
    let spec = app.spec()?;
    let c = find(app, name)?;
    if says(text, &["bind:", "listen tcp", "bind("]) {
        let field = container_field(app, name, "ports");
        let value = port_of(text).map_or_else(String::new, |p| p.to_string());
        return Some((field, value, "a port above 1023, or the right to bind low ones".into()));
    }
    if says(text, &["exec:", "starting container process", "exec "]) {
        return command(app, name, text);
    }
    let user = spec.run_as_user.map_or("the image's own".to_owned(), |u| u.to_string());
    let Some((_, at, source, _)) = volume(app, c, path(text)) else {
        let field = spec_field(app, "securityContext.runAsUser");
        let expected = match path(text) {
            Some(path) => format!("a user that may use {path}, or a volume mounted there"),
            None => "a user that may use the files".into(),
        };
        return Some((field, user, expected));
    };
    if let Some(VolumeSource::HostPath(dir)) = source {
        let field = spec_field(app, "securityContext.runAsUser");
        return Some((field, user, format!("the owner of {dir} on the node (mounted at {at})")));
    }
    let group = spec.fs_group.map_or("none".to_owned(), |g| g.to_string());
    let expected = match spec.run_as_user {
        Some(user) if spec.fs_group.is_none() => {
            format!("a group of user {user}, so that the volume at {at} is handed to it")
        }
        _ => format!("the group that owns the volume at {at}"),
    };
    Some((spec_field(app, "securityContext.fsGroup"), group, expected))
}

/// Something is to be written where nothing may be written.
pub(super) fn read_only(app: &App, name: &str, text: &str) -> Edit {
    let c = find(app, name)?;
    let path = path(text);
    match path.and_then(|p| volume(app, c, Some(p))) {
        Some((_, at, Some(source), _)) if is_config(source) => {
            let field = container_field(app, name, &format!("volumeMounts[{at}]"));
            let expected = "an emptyDir: config maps and secrets cannot be written to";
            Some((field, at.to_owned(), expected.into()))
        }
        Some((_, at, _, true)) => {
            let field = container_field(app, name, &format!("volumeMounts[{at}].readOnly"));
            Some((field, "true".into(), "false".into()))
        }
        _ => {
            let field = container_field(app, name, "securityContext.readOnlyRootFilesystem");
            let at = path.unwrap_or("the path it writes to");
            Some((field, "true".into(), format!("an emptyDir mounted at {at}")))
        }
    }
}

/// Somebody listens on the port already.
pub(super) fn port(app: &App, name: &str, text: &str) -> Edit {
    let spec = app.spec()?;
    let port = port_of(text);
    let value = port.map_or_else(String::new, |p| p.to_string());
    if spec.host_network {
        let expected = "false, or a port that nothing else on the node listens on";
        return Some((spec_field(app, "hostNetwork"), "true".into(), expected.into()));
    }
    let declares =
        |c: &&Container| c.name != name && c.ports.iter().any(|p| Some(p.container_port) == port);
    let field = container_field(app, name, "ports");
    let expected = match spec.containers.iter().find(declares) {
        Some(other) => format!("another port: container {} listens on this one", other.name),
        None => "a port that nothing else in the pod listens on".into(),
    };
    Some((field, value, expected))
}

/// The last `:8080` of a text.
fn port_of(text: &str) -> Option<u16> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`(),;=".contains(c));
    let port = |w: &str| w.trim_end_matches(':').rsplit_once(':')?.1.parse().ok();
    words.filter_map(port).next_back()
}

/// The program that is started.
pub(super) fn command(app: &App, name: &str, text: &str) -> Edit {
    let c = find(app, name)?;
    let quoted = between(text, "exec: \"", "\"").or_else(|| between(text, "exec: \\\"", "\\\""));
    let program = quoted.or_else(|| path(text)).unwrap_or_default();
    let holds = |list: &[model::Text]| list.iter().any(|w| w.contains(program));
    let field = match program {
        _ if !c.command.is_empty() && (program.is_empty() || holds(&c.command)) => "command",
        _ if !c.args.is_empty() && (program.is_empty() || holds(&c.args)) => "args",
        _ if !c.command.is_empty() => "command",
        _ => "image",
    };
    let full = container_field(app, name, field);
    let before = changes(app, name).into_iter().find(|(f, ..)| *f == full);
    let value = match field {
        "command" => c.command.join(" "),
        "args" => c.args.join(" "),
        _ => c.image.to_string(),
    };
    let expected = match before {
        Some((_, old, _)) if !old.is_empty() => format!("{old} (the revision before)"),
        Some(_) => "none, as in the revision before: the image's own program".into(),
        None => "a program that is in the image and may be executed".into(),
    };
    Some((full, value, expected))
}

/// The image.
pub(super) fn image(app: &App, name: &str) -> Edit {
    let c = find(app, name)?;
    let expected = format!("a build of {} for the nodes' processors", Image::parse(&c.image).name);
    Some((container_field(app, name, "image"), c.image.to_string(), expected))
}

/// A variable or argument that a complaint names.
pub(super) fn setting(app: &App, name: &str, text: &str) -> Edit {
    let c = find(app, name)?;
    let is_variable = |w: &&str| {
        w.len() > 2
            && w.starts_with(|c: char| c.is_ascii_uppercase())
            && w.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_')
    };
    let words =
        || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(is_variable);
    let variable = words()
        .find(|w| c.env.iter().any(|e| e.name == *w))
        .or_else(|| words().find(|w| w.contains('_')));
    let changed = changes(app, name);
    let before = |field: &str| changed.iter().find(|(f, ..)| f == field).map(|(_, old, _)| old);
    if let Some(variable) = variable {
        let field = container_field(app, name, &format!("env[{variable}]"));
        let env = c.env.iter().find(|e| e.name == variable);
        let value = env.map_or("(not set)".to_owned(), |e| {
            e.value.as_ref().map_or("(from elsewhere)".to_owned(), ToString::to_string)
        });
        let expected = before(&field).map_or("a value the program accepts".to_owned(), |old| {
            format!("{old} (the revision before)")
        });
        return Some((field, value, expected));
    }
    if let Some(arg) = c.args.iter().chain(&c.command).find(|a| is_named(a, text)) {
        let list = if c.args.contains(arg) { "args" } else { "command" };
        let field = container_field(app, name, list);
        let expected = before(&field).map_or("arguments the program knows".to_owned(), |old| {
            format!("{old} (the revision before)")
        });
        return Some((field, arg.to_string(), expected));
    }
    let path = path(text)?;
    if let Some((volume, at, source, _)) = volume(app, c, Some(path)) {
        let from = match source {
            Some(VolumeSource::ConfigMap(r)) => format!("config map {}", r.name),
            Some(VolumeSource::Secret(r)) => format!("secret {}", r.name),
            _ => format!("volume {volume}"),
        };
        let field = container_field(app, name, &format!("volumeMounts[{at}]"));
        return Some((field, path.to_owned(), format!("a file that is well, in {from}")));
    }
    let (field, old, new) = changed.into_iter().next()?;
    Some((field, new, format!("{old} (the revision before)")))
}

/// The variable or argument whose value a complaint quotes.
pub(super) fn value(app: &App, name: &str, text: &str) -> Edit {
    let c = find(app, name)?;
    let quoted: Vec<&str> = ['"', '\'', '`']
        .into_iter()
        .flat_map(|mark| text.split(mark).skip(1).step_by(2))
        .map(|w| w.trim_end_matches('\\'))
        .filter(|w| !w.is_empty())
        .collect();
    let expected = || "a value the program can read".to_owned();
    let of_env = c
        .env
        .iter()
        .find(|e| e.value.as_ref().is_some_and(|v| quoted.iter().any(|q| *q == v.as_str())));
    if let Some(env) = of_env {
        let field = container_field(app, name, &format!("env[{}]", env.name));
        return Some((field, env.value.as_ref()?.to_string(), expected()));
    }
    let mut args = c.args.iter().chain(&c.command);
    let arg = args.find(|a| {
        let value = a.split_once('=').map_or(a.as_str(), |(_, value)| value);
        quoted.contains(&value)
    })?;
    let list = if c.args.contains(arg) { "args" } else { "command" };
    Some((container_field(app, name, list), arg.to_string(), expected()))
}

/// Whether a complaint names an argument: its flag, without dashes and value.
fn is_named(arg: &str, text: &str) -> bool {
    let flag = arg.trim_start_matches('-').split('=').next().unwrap_or_default();
    arg.starts_with('-') && flag.len() > 2 && text.contains(flag)
}

/// The memory limit.
pub(super) fn memory(app: &App, name: &str) -> Edit {
    let limit = find(app, name)?.resources.limits.get("memory");
    let value = limit.map_or("none".to_owned(), |q| q.text("memory"));
    Some((container_field(app, name, "resources.limits.memory"), value, "more".into()))
}

/// Where the credentials come from: the first variable that looks like a password.
pub(super) fn credentials(app: &App, name: &str) -> Edit {
    let c = find(app, name)?;
    let is_secret = |n: &str| says(n, &["password", "passwd", "secret", "token", "user"]);
    let env = c.env.iter().find(|e| is_secret(&e.name))?;
    let key = env.value_from.as_ref().and_then(|f| f.secret_key_ref.as_ref());
    let value =
        key.map_or("a literal value".to_owned(), |k| format!("secret {}/{}", k.name, k.key));
    let field = container_field(app, name, &format!("env[{}]", env.name));
    Some((field, value, "credentials that the peer accepts".into()))
}

/// The program that ends.
pub(super) fn completed(app: &App, name: &str) -> Edit {
    let c = find(app, name)?;
    let list: Vec<&str> = c.command.iter().chain(&c.args).map(|w| w.as_str()).collect();
    let field = if c.command.is_empty() && !c.args.is_empty() { "args" } else { "command" };
    let value = if list.is_empty() { "none (the image's own)".into() } else { list.join(" ") };
    let expected = "a program that keeps running; for work that ends, a Job".into();
    Some((container_field(app, name, field), value, expected))
}
