//! Decodes the items of a long list on several threads.
//!
//! This thread reads the input, cuts it into segments and hands on the objects, in order; the
//! others decode one segment each. Where to cut is a guess, which never shows: a segment begins
//! between two items when the one before it was decoded to its last byte, and else it was decoded
//! for nothing: its bytes are put back and read item by item, as those of any short list are.
//! So the outcome is the same for any cuts and any number of threads.

use super::buffer::{Handed, More};
use super::cut::Cutter;
use super::segment::{self, Segment};
use super::walk::{Inside, Walk};
use super::{Decode, Objects};
use std::collections::VecDeque;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

/// Threads that decode; with more of them this thread cannot keep up.
const MOST_THREADS: usize = 4;
/// Segments each of them has in hand or waiting: with fewer the threads wait for each other.
const AHEAD: usize = 8;

/// When a list is read by several threads, and how.
#[derive(Clone, Copy, Debug)]
pub struct Fan {
    /// Threads that decode; as many as there are cores when it is not said.
    pub threads: Option<usize>,
    /// How many bytes of a list are read before, and again after a cut that was wrong.
    pub after_bytes: u64,
    /// Least length of the window a segment is cut from; small enough for the caches.
    pub segment_bytes: usize,
}

impl Default for Fan {
    fn default() -> Self {
        Fan { threads: None, after_bytes: 1024 * 1024, segment_bytes: 192 * 1024 }
    }
}

/// One thread that decodes.
struct Worker<T> {
    segments: SyncSender<Arc<Handed>>,
    read: Receiver<Segment<T>>,
}

/// A segment on its way.
struct Sent {
    part: Arc<Handed>,
    worker: usize,
}

impl<R: Read, O: Objects> Walk<'_, R, O> {
    /// Up to where items are read one by one, counted as [`super::buffer::Buffer::taken`]; at
    /// least one of them is.
    pub(super) fn alone_until(&self) -> u64 {
        self.buffer.taken().saturating_add(self.fan.after_bytes.max(1))
    }

    /// Reads items from the front, where one begins, as long as they are plain objects. It may
    /// read none, and leaves the rest to be read one by one.
    pub(super) fn fan_out(&mut self, inside: Inside<'_>) {
        let count = || thread::available_parallelism().map_or(1, |n| n.get().min(MOST_THREADS));
        let count = self.fan.threads.unwrap_or_else(count);
        let Some(cutter) = Cutter::new(self.buffer.window()).filter(|_| count > 1) else { return };
        thread::scope(|scope| {
            let start = || worker(scope, self.decoder.clone(), inside);
            let workers: Vec<_> = (0..count).map_while(|_| start()).collect();
            self.feed(&cutter, inside, &workers);
        });
    }

    fn feed(
        &mut self,
        cutter: &Cutter,
        inside: Inside<'_>,
        workers: &[Worker<<O::Decoder as Decode>::Object>],
    ) {
        let mut flight: VecDeque<Sent> = VecDeque::new();
        let (mut turns, mut spare) = ((0..workers.len()).cycle(), Vec::new());
        loop {
            while flight.len() < workers.len() * AHEAD
                && let Some(worker) = turns.next()
                && let Some(sent) = self.segment(cutter, worker, &mut spare)
            {
                if let Some(worker) = workers.get(sent.worker) {
                    // A thread that is gone answers nothing, and nothing is lost by that.
                    let _ = worker.segments.send(Arc::clone(&sent.part));
                }
                flight.push_back(sent);
            }
            let Some(sent) = flight.pop_front() else { return };
            let read = workers.get(sent.worker).and_then(|w| w.read.recv().ok());
            let read = read.unwrap_or_default();
            self.outcome.objects += read.objects.len() as u64;
            for (lines, object) in read.objects {
                self.out.object(object, sent.part.line.saturating_add(lines), inside.gone);
            }
            if read.used < sent.part.bytes().len() {
                let line = sent.part.line.saturating_add(read.lines);
                let later = flight.iter().map(|s| s.part.bytes());
                let rest = sent.part.bytes().get(read.used..).unwrap_or_default();
                return self.buffer.put_back(std::iter::once(rest).chain(later), line);
            }
            spare = Arc::into_inner(sent.part).map(Handed::into_spare).unwrap_or_default();
        }
    }

    /// Takes the next segment out of the window; nothing when there is no place to cut.
    fn segment(&mut self, cutter: &Cutter, worker: usize, spare: &mut Vec<u8>) -> Option<Sent> {
        let (least, most) = (self.fan.segment_bytes, self.fan.segment_bytes.saturating_mul(4));
        let end = loop {
            let window = self.buffer.window();
            if window.len() >= least
                && let Some(end) = cutter.cut(window)
            {
                break end;
            }
            if window.len() >= most || self.buffer.more() != More::Got {
                return None;
            }
        };
        let part = self.buffer.hand_over(end, std::mem::take(spare));
        Some(Sent { part: Arc::new(part), worker })
    }
}

/// Starts a thread, if there can be one more.
fn worker<'scope, D: Decode + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    decoder: D,
    inside: Inside<'scope>,
) -> Option<Worker<D::Object>>
where
    D::Object: 'scope,
{
    let (segments, queue) = sync_channel::<Arc<Handed>>(AHEAD);
    let (done, read) = sync_channel(AHEAD);
    let work = move || {
        for part in queue {
            // What cannot be decoded without a panic is left to the thread that reports it.
            let decode = || segment::decode(&decoder, part.bytes(), inside);
            let segment = catch_unwind(AssertUnwindSafe(decode)).unwrap_or_default();
            drop(part);
            if done.send(segment).is_err() {
                return;
            }
        }
    };
    let named = thread::Builder::new().name("json".to_owned());
    named.spawn_scoped(scope, work).ok().map(|_| Worker { segments, read })
}
