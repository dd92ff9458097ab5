//! `seaworthy twin`: serves the built-in simulated cluster until it is interrupted.

use std::fs::OpenOptions;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use model::Timestamp;
use twin::scenario::{self, Scenario};
use twin::{Options, Speed};

use crate::exit::{Failure, Outcome};
use crate::runtime;
use crate::settings::Twin;

pub(super) fn run(options: &Twin) -> Result<Outcome, Failure> {
    let twin = twin::Twin::new(story(options));
    twin.advance_seconds(i64::from(options.advance));
    runtime::run(async {
        let serve = Options {
            address: options.listen,
            token: options.token.clone().unwrap_or_else(random_token),
            speed: options.speed,
            authorization: options.authorization,
            plain: options.plain,
        };
        let server = twin::serve(&twin, serve).await.context("cannot serve the twin")?;
        announce(options, &server)?;
        // Until Ctrl-C, which the runtime waits for.
        std::future::pending().await
    })
}

/// The built-in story, or a cluster without one.
fn story(options: &Twin) -> Scenario {
    if options.story {
        return scenario::cascade(options.seed);
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // What passes before it is served must have passed by now.
    let passed = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let start = Timestamp::from_seconds(passed - i64::from(options.advance));
    scenario::plain(options.seed, start, options.nodes, options.controllers.clone())
}

/// Says where it is and how to talk to it.
fn announce(options: &Twin, server: &twin::Server) -> Result<(), Failure> {
    let speed = match options.speed {
        Speed::Pause => "paused".to_owned(),
        Speed::Times(times) => format!("{times} virtual seconds a second"),
    };
    let mut say = io::stderr().lock();
    let scheme = if options.plain { "http" } else { "https" };
    let _ = writeln!(say, "Twin on {scheme}://{} ({speed}); Ctrl-C ends it.", server.address());
    match &options.write_kubeconfig {
        Some(file) => {
            write_private(file, &server.kubeconfig())
                .with_context(|| format!("cannot write {}", file.display()))?;
            let _ = writeln!(say, "kubectl --kubeconfig {} get nodes", file.display());
        }
        None => {
            let mut out = io::stdout().lock();
            let written = out.write_all(server.kubeconfig().as_bytes()).and_then(|()| out.flush());
            written.context("cannot write the kubeconfig to standard output")?;
        }
    }
    Ok(())
}

/// Writes a file that only its owner may read: it holds a token.
fn write_private(file: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// 128 bits from the keys that the standard library takes from the system for its hash maps.
fn random_token() -> String {
    let part = || RandomState::new().hash_one(0_u8);
    format!("{:016x}{:016x}", part(), part())
}
