//! Shows on standard error how far long work is: only to somebody who watches, and only after a
//! second.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);
const BEAT: Duration = Duration::from_millis(100);

/// A spinner with a message. It vanishes when dropped.
pub(crate) struct Spinner {
    bar: ProgressBar,
    /// Closed on drop, so that a spinner that has not appeared yet never does.
    _alive: Option<Sender<()>>,
}

impl Spinner {
    /// Starts it; when nobody watches it stays silent.
    pub(crate) fn start(watched: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::default_spinner());
        if !watched {
            return Spinner { bar, _alive: None };
        }
        let (alive, ended) = mpsc::channel::<()>();
        let shown = bar.clone();
        thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(BEAT);
            }
        });
        Spinner { bar, _alive: Some(alive) }
    }

    /// Says what is being done.
    pub(crate) fn say(&self, what: String) {
        self.bar.set_message(what);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
