//! Processes that the kernel killed for memory, as its log, the kubelet and watchers of the
//! node tell it, in the words of all ages.

use crate::wording::{self, between, says};

/// Whose memory was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// The machine's.
    Machine,
    /// What the machine gives to all pods together.
    Pods,
    /// A container's or pod's own.
    Container,
}

/// One kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) scope: Scope,
    /// The process, or empty.
    pub(super) process: String,
    pub(super) pid: u32,
    /// What it held, in bytes; 0 when it was not said.
    pub(super) resident_bytes: u64,
    /// The line that says it.
    pub(super) text: String,
}

/// Kills kept of one log, the last ones.
const MAX_KILLS: usize = 64;

/// Reads one message or line; nothing when it tells of no kill.
pub(super) fn of_text(text: &str) -> Option<Kill> {
    let group = says(text, wording::OOM_GROUP);
    let machine = !group && says(text, wording::OOM_SYSTEM);
    let (pid, process) = victim(text).unwrap_or_default();
    if pid == 0 && !machine {
        return None;
    }
    let scope = if machine { Scope::Machine } else { Scope::Container };
    let resident_bytes = resident(text);
    let text = text.chars().take(300).collect();
    Some(Kill { scope, process, pid, resident_bytes, text })
}

/// All kills in the log of a kernel or kubelet. The group that ran out stands in a line of its
/// own above the kill.
pub(super) fn of_log(lines: &[String]) -> Vec<Kill> {
    let mut kills: Vec<Kill> = Vec::new();
    let mut scope: Option<Scope> = None;
    for line in lines {
        if let Some(group) = scope_of(line) {
            scope = Some(group);
        }
        let Some(mut kill) = of_text(line).filter(|k| k.pid > 0 || scope_of(line).is_none()) else {
            continue;
        };
        if kill.scope == Scope::Container {
            kill.scope = scope.unwrap_or(Scope::Container);
        }
        match kills.last_mut().filter(|k| k.pid == kill.pid && kill.pid > 0) {
            // Old kernels took two lines: who is to be killed, then what that one held.
            Some(known) => known.resident_bytes = known.resident_bytes.max(kill.resident_bytes),
            None => kills.push(kill),
        }
        if kills.len() > MAX_KILLS {
            kills.remove(0);
        }
    }
    kills
}

/// The group whose limit was reached, where a line names it.
fn scope_of(line: &str) -> Option<Scope> {
    if says(line, &["constraint=constraint_none", "global_oom"]) {
        return Some(Scope::Machine);
    }
    let named = between(line, "oom_memcg=", ",").or_else(|| {
        let (_, rest) = line.split_once("as a result of limit of ")?;
        rest.split_whitespace().next()
    })?;
    Some(match named.trim_end_matches('/') {
        "" => Scope::Machine,
        "/kubepods" | "/kubepods.slice" => Scope::Pods,
        "/kubepods/burstable" | "/kubepods.slice/kubepods-burstable.slice" => Scope::Pods,
        _ => Scope::Container,
    })
}

/// Number and name of the killed process: `Killed process 7 (java)`, `victim process: java,
/// pid: 7`.
fn victim(text: &str) -> Option<(u32, String)> {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = ["killed process ", "kill process "].iter().find_map(|w| lower.find(w)) {
        let rest = text.get(at..)?.split_once("process ")?.1;
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let name = between(rest, "(", ")").unwrap_or_default();
        return Some((number.parse().ok()?, name.to_owned()));
    }
    let name = between(text, "victim process: ", ",")?;
    let (_, pid) = text.split_once("pid: ")?;
    let number: String = pid.chars().take_while(char::is_ascii_digit).collect();
    Some((number.parse().ok()?, name.to_owned()))
}

/// `anon-rss:3145728kB` in bytes.
fn resident(text: &str) -> u64 {
    let amount = between(text, "anon-rss:", "kB").and_then(|n| n.parse::<u64>().ok());
    amount.unwrap_or(0).saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &str) -> Vec<String> {
        let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        let show =
            |k: Kill| format!("{:?} {} {} {}", k.scope, k.process, k.pid, k.resident_bytes >> 20);
        of_log(&lines).into_iter().map(show).collect()
    }

    #[test]
    fn kills_of_all_ages() {
        let new = "\
[1.0] java invoked oom-killer: gfp_mask=0x6200ca, order=0, oom_score_adj=986
[1.1] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task=java,pid=7,uid=0
[1.2] Out of memory: Killed process 7 (java) total-vm:9kB, anon-rss:3145728kB, file-rss:0kB";
        assert_eq!(shown(new), ["Machine java 7 3072"]);
        let old = "\
Out of memory: Kill process 8 (node) score 905 or sacrifice child
Killed process 8 (node) total-vm:9kB, anon-rss:1048576kB, file-rss:0kB";
        assert_eq!(shown(old), ["Machine node 8 1024"]);
        let pods = "\
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/kubepods.slice,task=a,pid=9,uid=0
Memory cgroup out of memory: Killed process 9 (a) total-vm:9kB, anon-rss:2048kB";
        assert_eq!(shown(pods), ["Pods a 9 2"]);
        let own = "\
Task in /kubepods/burstable/pod1/c1 killed as a result of limit of /kubepods/burstable/pod1
memory: usage 65536kB, limit 65536kB, failcnt 9
Memory cgroup out of memory: Kill process 5 (web) score 999 or sacrifice child
Killed process 5 (web) total-vm:9kB, anon-rss:65536kB";
        assert_eq!(shown(own), ["Container web 5 64"]);
    }

    #[test]
    fn events_and_other_lines() {
        let kubelet = of_text("System OOM encountered, victim process: java, pid: 4711");
        let kubelet = kubelet.expect("a kill");
        assert_eq!((kubelet.scope, kubelet.pid), (Scope::Machine, 4711));
        assert!(of_text("System OOM encountered").is_some());
        for quiet in ["java.lang.OutOfMemoryError: heap", "out of memory", "process 7 started"] {
            assert_eq!(of_text(quiet), None, "{quiet}");
        }
    }
}
