//! Decodes the items of a long list on several threads.
//!
//! This thread reads the input, cuts it into segments and hands on the objects, in order; the
//! others decode one segment each, and so does this one while the next segment is not decoded.
//! Where to cut is a guess, which never shows: a segment begins
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
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope};

/// Threads at work; with more of them this thread cannot keep up.
const MOST_THREADS: usize = 5;
/// Segments in hand or waiting, for each of them: with fewer the threads wait for each other.
const AHEAD: usize = 4;

/// When a list is read by several threads, and how.
#[derive(Clone, Copy, Debug)]
pub struct Fan {
    /// Threads at work; as many as there are cores when it is not said.
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

/// A segment to decode, and where the outcome goes.
type Job<T> = (Arc<Handed>, SyncSender<Segment<T>>);
/// One queue for all threads: one that is held up holds up nothing but its segment.
type Queue<T> = Arc<Mutex<Receiver<Job<T>>>>;

/// A segment on its way.
struct Sent<T> {
    part: Arc<Handed>,
    read: Receiver<Segment<T>>,
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
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        thread::scope(|scope| {
            let start = || worker(scope, self.decoder.clone(), Arc::clone(&queue), inside);
            let others = (1..count).map_while(|_| start()).count();
            self.feed(&cutter, inside, &jobs, &queue, (others + 1) * AHEAD);
            drop(jobs);
        });
    }

    fn feed(
        &mut self,
        cutter: &Cutter,
        inside: Inside<'_>,
        jobs: &Sender<Job<<O::Decoder as Decode>::Object>>,
        queue: &Queue<<O::Decoder as Decode>::Object>,
        ahead: usize,
    ) {
        let (mut flight, mut spare) = (VecDeque::new(), Vec::new());
        loop {
            while flight.len() < ahead
                && let Some(part) = self.segment(cutter, &mut spare)
            {
                let (part, (done, read)) = (Arc::new(part), sync_channel(1));
                // The queue lives as long as this thread, so nothing is lost.
                let _ = jobs.send((Arc::clone(&part), done));
                flight.push_back(Sent { part, read });
            }
            let Some(sent) = flight.pop_front() else { return };
            let read = loop {
                match sent.read.try_recv() {
                    Err(TryRecvError::Empty) => {}
                    read => break read.unwrap_or_default(),
                }
                // Another thread that holds the queue is waiting for a job: there is none.
                match queue.try_lock().ok().and_then(|queue| queue.try_recv().ok()) {
                    Some(job) => run(&self.decoder, job, inside),
                    None => break sent.read.recv().unwrap_or_default(),
                }
            };
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
    fn segment(&mut self, cutter: &Cutter, spare: &mut Vec<u8>) -> Option<Handed> {
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
        Some(self.buffer.hand_over(end, std::mem::take(spare)))
    }
}

/// Starts a thread, if there can be one more.
fn worker<'scope, D: Decode + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    decoder: D,
    queue: Queue<D::Object>,
    inside: Inside<'scope>,
) -> Option<()>
where
    D::Object: 'scope,
{
    let next = move || queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    let work = move || {
        while let Some(job) = next() {
            run(&decoder, job, inside);
        }
    };
    thread::Builder::new().name("json".to_owned()).spawn_scoped(scope, work).ok().map(drop)
}

/// Decodes one segment.
fn run<D: Decode>(decoder: &D, (part, done): Job<D::Object>, inside: Inside<'_>) {
    // What cannot be decoded without a panic is left to the thread that reports it.
    let decode = || segment::decode(decoder, part.bytes(), inside);
    let segment = catch_unwind(AssertUnwindSafe(decode)).unwrap_or_default();
    drop(part);
    // Nobody waits for it any more when a cut before it was wrong.
    let _ = done.send(segment);
}
