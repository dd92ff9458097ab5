//! What a data store's own settings allow: how many connections, and whether it writes.

use model::App;

use crate::pod::edit::container_field;

/// The setting of a store that limits its connections: field and value.
pub(super) fn connections(app: &App) -> Option<(String, String)> {
    named(app, &["maxconnections", "maxclients", "maxincomingconnections"])
}

/// The setting of a store that keeps it from writing: field and value.
pub(super) fn read_only(app: &App) -> Option<(String, String)> {
    let found = named(
        app,
        &["readonly", "superreadonly", "innodbreadonly", "defaulttransactionreadonly", "replicaof"],
    );
    found.filter(|(_, value)| {
        !matches!(value.to_ascii_lowercase().as_str(), "0" | "off" | "false" | "no")
    })
}

/// A setting in the arguments or the variables of a workload, whatever its dashes.
fn named(app: &App, names: &[&str]) -> Option<(String, String)> {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let containers = || app.spec().into_iter().flat_map(|s| s.containers.iter());
    containers().find_map(|c| {
        let words: Vec<&str> =
            c.command.iter().chain(&c.args).flat_map(|a| a.split_whitespace()).collect();
        let by_word = words.iter().enumerate().find_map(|(i, word)| {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            if !names.contains(&plain(name).as_str()) {
                return None;
            }
            let next = words.get(i + 1).filter(|w| !w.starts_with('-'));
            let value = if word.contains('=') { value } else { next.copied().unwrap_or("on") };
            Some((container_field(app, &c.name, "args"), format!("{name}={value}")))
        });
        let by_env = || {
            let fits = |n: &str| names.iter().any(|w| plain(n).ends_with(w));
            let env = c.env.iter().find(|e| fits(&e.name))?;
            let field = container_field(app, &c.name, &format!("env[{}]", env.name));
            Some((field, env.value.as_deref().unwrap_or_default().to_owned()))
        };
        by_word.or_else(by_env)
    })
}
