//! Understands the command line above an output: which tool, kind, namespace, and whether the
//! output can be whole.
//!
//! It must never claim completeness when anything in the line could have left rows out.

mod prompt;
mod words;

pub use prompt::{command_text, prompt_host};

use super::kinds::{self, Kind};
use words::Words;

/// What ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// `kubectl`, `oc` and wrappers named `kubectl_...`.
    Kubectl,
    /// `systemctl`.
    Systemctl,
    /// `journalctl`, `dmesg`, `docker ps`, ...: lines kept as a log of the machine.
    Machine,
    /// `nc`, `curl`, `wget`, `telnet`.
    Dial,
    /// Anything else.
    #[default]
    Other,
}

/// Which namespace a command asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// No flag: the namespace of the context, which the text does not tell.
    #[default]
    Unsaid,
    /// `-n x`.
    Named(String),
    /// `-A`.
    All,
}

/// A command line, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Command {
    /// What ran.
    pub tool: Tool,
    /// Words of the innermost command, its name first.
    pub words: Vec<String>,
    /// `get`, `describe`, ...; for `systemctl` its verb.
    pub verb: String,
    /// Kinds asked for; empty when unknown.
    pub kinds: Vec<&'static Kind>,
    /// `kubectl get all`.
    pub everything: bool,
    /// Names asked for, without their kind.
    pub names: Vec<String>,
    /// `-n`, `-A`.
    pub scope: Scope,
    /// `-o`.
    pub output: String,
    /// `-c`.
    pub container: Option<String>,
    /// `--previous`.
    pub previous: bool,
    /// Host (`ssh HOST`, `kubectl debug node/HOST`) or pod (`kubectl exec POD --`) the tool ran
    /// on.
    pub host: Option<String>,
    /// The host is a pod.
    pub in_pod: bool,
    /// Machine named by the prompt before the command.
    pub prompted_at: Option<String>,
    /// Something in the line leaves rows out: a selector, a name, a pipe, a second command.
    pub narrowed: bool,
}

impl Command {
    /// Parses the text after a prompt.
    pub fn parse(text: &str) -> Command {
        let words = Words::parse(text);
        let mut command = Command { narrowed: words.filtered || words.chained, ..Self::default() };
        command.unwrap_all(words.first);
        command.set_tool();
        if words.chained {
            command.kinds.clear();
            command.everything = false;
        }
        command
    }

    /// The namespace named by `-n`, if any.
    pub fn namespace(&self) -> Option<&str> {
        match &self.scope {
            Scope::Named(name) => Some(name),
            _ => None,
        }
    }

    /// The machine that the tool ran on, where the line tells.
    pub fn machine(&self) -> Option<&str> {
        self.host.as_deref().filter(|_| !self.in_pod).or(self.prompted_at.as_deref())
    }

    /// The one kind asked for.
    pub fn kind(&self) -> Option<&'static Kind> {
        match self.kinds.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Takes off what only runs another command: `sudo`, `ssh HOST`, `kubectl exec POD --`.
    fn unwrap_all(&mut self, mut words: Vec<String>) {
        for _ in 0..8 {
            let Some(first) = words.first() else { break };
            let rest = match words::base_name(first) {
                // `KUBECONFIG=/x kubectl ...`
                _ if first.contains('=') => words.get(1..).map(<[String]>::to_vec),
                "sudo" | "time" | "nohup" | "stdbuf" | "exec" => words::skip_flags(&words, &[]),
                "watch" => words::skip_flags(&words, &["-n", "--interval"]),
                "timeout" => {
                    words::skip_flags(&words, &[]).and_then(|w| Some(w.get(1..)?.to_vec()))
                }
                "chroot" => words::skip_flags(&words, &[]).and_then(|w| Some(w.get(1..)?.to_vec())),
                "microk8s" | "k3s" | "minikube" | "rke2" | "env" => words::skip_flags(&words, &[]),
                "ssh" => self.unwrap_ssh(&words),
                "kubectl" | "oc" | "k" => self.unwrap_exec(&words),
                "docker" | "crictl" if words.get(1).is_some_and(|w| w == "exec") => {
                    words::skip_flags(words.get(1..).unwrap_or(&[]), &[])
                        .and_then(|w| Some(w.get(1..)?.to_vec()))
                }
                _ => None,
            };
            match rest {
                Some(rest) if !rest.is_empty() => words = rest,
                _ => break,
            }
        }
        self.words = words;
    }

    fn unwrap_ssh(&mut self, words: &[String]) -> Option<Vec<String>> {
        let rest = words::skip_flags(words, &["-i", "-p", "-l", "-o", "-F", "-J"])?;
        let (host, inner) = rest.split_first()?;
        let inner: Vec<String> = match inner {
            // `ssh host "systemctl status kubelet"` is one word to the shell.
            [one] => one.split_whitespace().map(str::to_owned).collect(),
            many => many.to_vec(),
        };
        if inner.is_empty() {
            return None;
        }
        self.host = Some(host.rsplit('@').next().unwrap_or(host).to_owned());
        Some(inner)
    }

    fn unwrap_exec(&mut self, words: &[String]) -> Option<Vec<String>> {
        let verb =
            words.iter().position(|w| matches!(w.as_str(), "exec" | "rsh" | "debug" | "run"))?;
        let dashes = words.iter().position(|w| w == "--")?;
        let outer = Command::kubectl_words(words.get(..dashes)?);
        if verb > dashes || !matches!(outer.verb.as_str(), "exec" | "rsh" | "debug" | "run") {
            return None;
        }
        let name = outer.names.first().map(String::as_str);
        let node = name.and_then(|n| n.strip_prefix("node/").or(n.strip_prefix("nodes/")));
        self.in_pod = node.is_none();
        self.host = node.or(name).map(str::to_owned);
        let inner = words.get(dashes + 1..)?;
        // `sh -c "curl http://x"`
        if let [shell, flag, script] = inner
            && words::base_name(shell).ends_with("sh")
            && flag.ends_with('c')
        {
            return Some(Words::parse(script).first);
        }
        Some(inner.to_vec())
    }

    fn set_tool(&mut self) {
        let Some(first) = self.words.first() else { return };
        let name = words::base_name(first).to_owned();
        match name.as_str() {
            "kubectl" | "oc" | "k" | "kc" | "kubecolor" => {
                let outer = Command::kubectl_words(&self.words);
                *self = Command {
                    words: std::mem::take(&mut self.words),
                    host: self.host.take(),
                    in_pod: self.in_pod,
                    narrowed: self.narrowed || outer.narrowed,
                    ..outer
                };
            }
            "systemctl" | "service" => {
                self.tool = Tool::Systemctl;
                self.systemctl_words();
            }
            "nc" | "ncat" | "netcat" | "curl" | "wget" | "telnet" => self.tool = Tool::Dial,
            "journalctl" | "dmesg" | "docker" | "crictl" | "df" | "free" | "ps" | "nerdctl"
            | "ctr" | "top" | "uptime" => {
                self.tool = Tool::Machine;
            }
            wrapper if wrapper.starts_with("kubectl_") => {
                self.tool = Tool::Kubectl;
                self.narrowed = true;
                let mut parts = wrapper.split('_').skip(1);
                self.verb = parts.next().unwrap_or("").to_owned();
                if self.verb == "top" {
                    self.kinds = parts.filter_map(kinds::by_name).collect();
                }
            }
            _ => {}
        }
    }

    fn systemctl_words(&mut self) {
        let plain: Vec<String> =
            self.words.iter().skip(1).filter(|w| !w.starts_with('-')).cloned().collect();
        self.verb = plain.first().cloned().unwrap_or_default();
        self.names = plain.get(1..).unwrap_or(&[]).to_vec();
    }

    /// Parses `kubectl` and its arguments.
    fn kubectl_words(words: &[String]) -> Command {
        let mut command = Command { tool: Tool::Kubectl, ..Self::default() };
        let mut plain: Vec<&str> = Vec::new();
        let mut rest = words.iter().skip(1).map(String::as_str).peekable();
        while let Some(word) = rest.next() {
            if word == "--" {
                break;
            }
            if !word.starts_with('-') || word == "-" {
                plain.push(word);
                continue;
            }
            let (flag, mut value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word, None),
            };
            // `-nshop`, `-oyaml`
            let (flag, glued) = words::short_flag(flag);
            value = value.or(glued);
            let follows = plain.first() == Some(&"logs") && flag == "-f";
            if value.is_none() && words::takes_value(flag) && !follows {
                value = rest.next();
            }
            if !follows {
                command.flag(flag, value.unwrap_or(""));
            }
        }
        command.plain_words(&plain);
        command
    }

    fn flag(&mut self, flag: &str, value: &str) {
        match flag {
            "-n" | "--namespace" => self.scope = Scope::Named(value.to_owned()),
            "-A" | "--all-namespaces" if value != "false" => self.scope = Scope::All,
            "-o" | "--output" => self.output = value.to_owned(),
            "-c" | "--container" => self.container = Some(value.to_owned()),
            "-p" | "--previous" => self.previous = value != "false",
            "-l" | "--selector" | "--field-selector" | "-w" | "--watch" | "--limit" | "-f"
            | "--filename" | "--for" | "--types" | "--raw" | "--no-headers" | "--chunk-size" => {
                self.narrowed = true;
                if flag == "--for"
                    && let Some((_, name)) = value.split_once('/')
                {
                    self.names.push(name.to_owned());
                }
            }
            _ => {}
        }
    }

    fn plain_words(&mut self, plain: &[&str]) {
        let Some((verb, rest)) = plain.split_first() else { return };
        self.verb = (*verb).to_owned();
        match *verb {
            "logs" | "log" | "exec" | "rsh" | "attach" | "debug" | "run" => {
                self.names = rest.iter().take(1).map(|n| (*n).to_owned()).collect();
                if self.container.is_none() && rest.len() == 2 && verb.starts_with("log") {
                    self.container = rest.get(1).map(|c| (*c).to_owned());
                }
            }
            "events" => {
                self.kinds = kinds::by_kind("Event").into_iter().collect();
                self.narrowed |= !rest.is_empty();
            }
            _ => self.resources(rest),
        }
    }

    /// `pods`, `pod/x svc/y`, `pods,svc`, `pod x y`, `all`.
    fn resources(&mut self, rest: &[&str]) {
        let Some((first, names)) = rest.split_first() else { return };
        if first.contains('/') {
            for word in rest {
                if let Some((kind, name)) = word.split_once('/') {
                    self.kinds.extend(kinds::by_name(kind));
                    self.names.push(name.to_owned());
                }
            }
            self.kinds.dedup();
        } else {
            for kind in first.split(',') {
                self.everything |= kind == "all";
                self.kinds.extend(kinds::by_name(kind));
            }
            self.names.extend(names.iter().map(|n| (*n).to_owned()));
        }
        self.narrowed |= !self.names.is_empty();
    }
}

#[cfg(test)]
mod tests;
