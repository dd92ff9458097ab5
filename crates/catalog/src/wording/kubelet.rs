//! What kubelets are told about their disks: in their settings file, and by flags.

/// When a kubelet removes images and when it evicts pods, as far as it was stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds<'a> {
    /// From which share of the disk on images are removed, in percent.
    pub image_gc_high: Option<u32>,
    /// Signals and what must be left of them: `imagefs.available`, `15%`.
    pub eviction_hard: Option<Vec<(&'a str, &'a str)>>,
}

fn bare(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

fn pair<'a>(text: &'a str, between: &str) -> Option<(&'a str, &'a str)> {
    let (name, value) = text.split_once(between)?;
    Some((bare(name), bare(value)))
}

/// The thresholds of a settings file (`kind: KubeletConfiguration`); `None` when it is none.
pub fn kubelet_settings(text: &str) -> Option<Thresholds<'_>> {
    if !text.contains("KubeletConfiguration") {
        return None;
    }
    let mut told = Thresholds::default();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = pair(line, ":") else { continue };
        match name {
            "imageGCHighThresholdPercent" => told.image_gc_high = value.parse().ok(),
            "evictionHard" => {
                let inner = value.trim_start_matches('{').trim_end_matches('}');
                let mut signals: Vec<_> = inner.split(',').filter_map(|s| pair(s, ":")).collect();
                let below = |l: &&str| l.starts_with([' ', '\t']);
                while let Some(next) = lines.next_if(below) {
                    signals.extend(pair(next, ":"));
                }
                told.eviction_hard = Some(signals);
            }
            _ => {}
        }
    }
    Some(told)
}

/// The thresholds among the flags that lines of a kubelet's log or its command tell; `None`
/// when there are none. A kubelet prints the defaults of all flags also where a settings file
/// overrides them: then such lines say nothing.
pub fn kubelet_flags<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Thresholds<'a>> {
    const PRINTED: &str = "FLAG: --";
    let (mut told, mut printed, mut has_file) = (Thresholds::default(), false, false);
    for line in lines.filter(|l| l.contains("--")) {
        let value = |flag: &str| {
            let (_, rest) = line.split_once(flag)?;
            let rest = rest.strip_prefix(['=', ' '])?.trim_start_matches('"');
            rest.split(['"', ' ']).next()
        };
        let prints = line.contains(PRINTED);
        has_file |= prints && value("--config").is_some_and(|v| !v.is_empty());
        if let Some(high) = value("--image-gc-high-threshold") {
            (told.image_gc_high, printed) = (high.parse().ok(), printed || prints);
        }
        if let Some(hard) = value("--eviction-hard").filter(|v| !v.is_empty()) {
            let signals = hard.split(',').filter_map(|s| pair(s, "<"));
            (told.eviction_hard, printed) = (Some(signals.collect()), printed || prints);
        }
    }
    (told != Thresholds::default() && !(printed && has_file)).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_from_both_forms_of_a_map() {
        let text = "kind: KubeletConfiguration\nevictionHard:\n  imagefs.available: \"12%\"\n  \
                    nodefs.available: 5Gi\nimageGCHighThresholdPercent: 80\n";
        let told = kubelet_settings(text).expect("settings");
        assert_eq!(told.image_gc_high, Some(80));
        let signals = [("imagefs.available", "12%"), ("nodefs.available", "5Gi")];
        assert_eq!(told.eviction_hard.as_deref(), Some(&signals[..]));
        let inline = "kind: KubeletConfiguration\nevictionHard: {imagefs.available: 12%}\n";
        let told = kubelet_settings(inline).expect("settings");
        assert_eq!(told.eviction_hard.as_deref(), Some(&signals[..1]));
        assert_eq!(kubelet_settings("a: b"), None);
    }

    #[test]
    fn printed_defaults_say_nothing_beside_a_file() {
        let flags = "I1 flags.go:64] FLAG: --image-gc-high-threshold=\"85\"";
        assert_eq!(kubelet_flags([flags].into_iter()).and_then(|t| t.image_gc_high), Some(85));
        let file = "I1 flags.go:64] FLAG: --config=\"/var/lib/kubelet/config.yaml\"";
        assert_eq!(kubelet_flags([flags, file].into_iter()), None);
        assert_eq!(kubelet_flags(["nothing", "--v=2"].into_iter()), None);
        let told =
            kubelet_flags(["kubelet --eviction-hard imagefs.available<15% --v=2"].into_iter());
        let hard = told.and_then(|t| t.eviction_hard);
        assert_eq!(hard, Some(vec![("imagefs.available", "15%")]));
    }
}
