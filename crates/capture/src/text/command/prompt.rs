//! Finds the command in a line of a terminal: `$ x`, `root@host:~# x`, `PS C:\> x`, or `x` alone.
//!
//! A comment or a sentence must not pass for a command, so weak prompts count only before tools
//! we know.

use super::words::base_name;

/// Longest prompt believed, in bytes.
const MAX_PROMPT_BYTES: usize = 100;

/// The command in this line, or `None` when the line is output.
pub fn command_text(line: &str) -> Option<&str> {
    let first = line.chars().next()?;
    if first.is_whitespace() {
        return None;
    }
    let line = line.trim_end();
    for strong in ["$ ", "$: "] {
        if let Some(rest) = line.strip_prefix(strong) {
            return Some(rest.trim()).filter(|r| starts_like_command(r));
        }
    }
    if bare_command(line) {
        return Some(line);
    }
    let head = line.as_bytes().get(..MAX_PROMPT_BYTES + 4).unwrap_or(line.as_bytes());
    if !head.iter().any(|b| matches!(b, b'$' | b'#' | b'>' | b'%') || *b >= 0x80) {
        return None;
    }
    for (at, _) in line.match_indices(' ') {
        if at > MAX_PROMPT_BYTES {
            break;
        }
        let (prompt, rest) = line.split_at(at);
        let rest = rest.trim_start();
        let Some(last) = prompt.chars().last() else { continue };
        if matches!(last, '$' | '#' | '>' | '%' | '❯' | '➜' | 'λ')
            && ((user_at_host(prompt) && starts_like_command(rest)) || known_tool(rest))
        {
            return Some(rest);
        }
    }
    themed(line).or_else(|| windows(line))
}

/// The machine that the prompt before `command` names: `root@worker-1:~#`.
pub fn prompt_host<'l>(line: &'l str, command: &str) -> Option<&'l str> {
    let prompt = line.trim_end().strip_suffix(command)?.trim_end();
    let (_, rest) = prompt.split_once('@').filter(|_| user_at_host(prompt))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
    rest.get(..end).filter(|h| !h.is_empty() && *h != "localhost")
}

/// `➜  ~ kubectl get pods`: the sign first, then a directory.
fn themed(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['➜', '❯', 'λ'])?.trim_start();
    let (_, command) = rest.split_once(' ')?;
    Some(command.trim_start()).filter(|c| known_tool(c))
}

/// `C:\Users\me>kubectl get pods`: no blank after the sign.
fn windows(line: &str) -> Option<&str> {
    let (prompt, command) = line.split_once('>')?;
    (prompt.len() <= MAX_PROMPT_BYTES && prompt.contains(":\\") && known_tool(command))
        .then_some(command)
}

fn starts_like_command(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '.' | '_'))
}

/// `root@host:~#`, `[root@host ~]#`, `me@host dir %`.
fn user_at_host(prompt: &str) -> bool {
    let Some((user, host)) = prompt.split_once('@') else { return false };
    let user = user.rsplit([' ', ')', '[']).next().unwrap_or(user);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let host_ok = host.starts_with(|c: char| c.is_alphanumeric());
    !user.is_empty()
        && user.chars().all(plain)
        && host_ok
        && host.split(' ').count() <= 3
        && !host.contains(['"', '=', ',', ';'])
}

/// A tool we know, with something after it.
fn known_tool(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let Some(name) = words.next() else { return false };
    if name == "sudo" {
        return words.next().is_some_and(|n| is_known(base_name(n)));
    }
    is_known(base_name(name)) && words.next().is_some()
}

fn is_known(name: &str) -> bool {
    matches!(
        name,
        "kubectl"
            | "oc"
            | "k"
            | "kubecolor"
            | "ssh"
            | "nc"
            | "ncat"
            | "telnet"
            | "curl"
            | "wget"
            | "systemctl"
            | "journalctl"
            | "docker"
            | "crictl"
            | "nerdctl"
            | "ps"
            | "uptime"
            | "helm"
            | "df"
            | "free"
            | "dmesg"
            | "kubeadm"
            | "minikube"
            | "microk8s"
            | "k3s"
            | "etcdctl"
            | "nslookup"
            | "dig"
            | "ping"
    ) || name.starts_with("kubectl_")
}

/// No prompt at all: only lines nobody would write as a sentence.
fn bare_command(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let Some(mut name) = words.next() else { return false };
    if name == "sudo" {
        name = words.next().unwrap_or("");
    }
    let second = words.next().unwrap_or("");
    if line.ends_with([':', '.', '?', '!']) {
        return false;
    }
    match base_name(name) {
        "kubectl" | "oc" | "k" | "kubecolor" => {
            let verb_at =
                if second.starts_with('-') { line.split_whitespace().nth(3) } else { None };
            known_verb(second) || verb_at.is_some_and(known_verb)
        }
        "systemctl" => matches!(second, "status" | "is-active" | "show" | "list-units"),
        "journalctl" | "nc" | "curl" | "wget" => second.starts_with('-'),
        "ssh" => words.next().is_some_and(|w| matches!(base_name(w), "systemctl" | "journalctl")),
        _ => false,
    }
}

fn known_verb(word: &str) -> bool {
    matches!(
        word,
        "get"
            | "describe"
            | "logs"
            | "log"
            | "events"
            | "top"
            | "exec"
            | "apply"
            | "delete"
            | "rollout"
            | "scale"
            | "version"
            | "cluster-info"
            | "explain"
            | "api-resources"
            | "config"
            | "auth"
            | "edit"
            | "patch"
            | "create"
            | "run"
            | "debug"
            | "drain"
            | "cordon"
            | "uncordon"
            | "taint"
            | "label"
            | "annotate"
    )
}
