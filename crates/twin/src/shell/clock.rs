//! How virtual time follows the wall while the twin is served.

use std::time::Duration;

use model::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::twin::Twin;

/// Virtual time is moved on this often.
const BEAT: Duration = Duration::from_millis(100);

/// How fast virtual time runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// It stands.
    Pause,
    /// So many virtual seconds a second.
    Times(u32),
}

/// Moves virtual time with the wall clock until nobody can change the speed any more.
pub(super) async fn follow(twin: Twin, mut speed: watch::Receiver<Speed>) {
    loop {
        let chosen = *speed.borrow_and_update();
        let Speed::Times(times) = chosen else {
            if speed.changed().await.is_err() {
                return;
            }
            continue;
        };
        let (began, from) = (Instant::now(), twin.now());
        loop {
            tokio::select! {
                changed = speed.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                () = sleep(BEAT) => {
                    let wall = i64::try_from(began.elapsed().as_micros()).unwrap_or(i64::MAX);
                    let micros = wall.saturating_mul(i64::from(times));
                    twin.run_until(Timestamp::from_micros(from.micros().saturating_add(micros)));
                }
            }
        }
    }
}
