//! How Kubernetes words things, old and new. Fragments are data: one place for each.

mod access;
mod balancer;
mod certificate;
mod cluster;
mod config;
mod control_plane;
mod disk;
mod eviction;
mod image;
mod ingress;
mod kernel;
mod kubelet;
mod node;
mod probe;
mod program;
mod resolver;
mod sandbox;
mod scaling;
mod tooling;
mod volume;

pub use access::*;
pub use balancer::*;
pub use certificate::*;
pub use cluster::*;
pub use config::*;
pub use control_plane::*;
pub use disk::*;
pub use eviction::*;
pub use image::*;
pub use ingress::*;
pub use kernel::*;
pub use kubelet::*;
pub use node::*;
pub use probe::*;
pub use program::*;
pub use resolver::*;
pub use sandbox::*;
pub use scaling::*;
pub use tooling::*;
pub use volume::*;

/// Whether a text holds one of the fragments, letters compared without case.
pub fn says(text: &str, fragments: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    fragments.iter().any(|f| text.contains(&f.to_ascii_lowercase()))
}

/// What stands between two marks: `between("serviceaccount \"a\" not found", "\"", "\"")`.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_found_whatever_their_case() {
        assert!(says("PLEG is not healthy: pleg was last seen active 3m7s ago", RUNTIME_DOWN));
        assert!(!says("all is well", RUNTIME_DOWN));
        assert_eq!(between("serviceaccount \"a\" not found", "\"", "\""), Some("a"));
    }
}
