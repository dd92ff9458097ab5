//! Reads a cluster: every kind in pages, a few kinds at a time, results in a stable order.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use kube::Client;
use model::{Blind, Builder, Kind, Object, Text};
use tokio::time::timeout;

use crate::page::Page;
use crate::refusal::{EXPIRED, FORBIDDEN, NOT_FOUND, Refusal, UNAUTHORISED};
use crate::server::{self, Server};
use crate::{Error, request};

/// Kinds that are read at the same time. Their results are taken in order.
const KINDS_AT_A_TIME: usize = 4;

/// So many lists may have no answer at all; a server that fails more of them is not there.
const LISTS_IN_VAIN: usize = 3;
/// Nobody waits longer for one page of a list.
pub(crate) const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of the cluster is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Where a list of all namespaces is refused, this one alone is asked for.
    pub fallback_namespace: Option<String>,
    /// How long one page of a list is waited for, where it is not the usual time.
    pub page_timeout: Option<Duration>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The evidence; complete lists are noted in its coverage.
    pub evidence: Builder,
    /// What could not be read, with the command that would show it.
    pub blind: Vec<Blind>,
    /// Who answered.
    pub server: Server,
}

/// How far reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The kind being read.
    pub kind: Kind,
    /// Objects of it so far.
    pub objects: u64,
    /// Objects of it to come, where the server says.
    pub remaining: Option<u64>,
}

/// Reads these kinds; what is no object of the API is passed over. It only lists.
///
/// # Errors
/// When the cluster does not answer, does not know us, or refuses every kind.
pub async fn read(
    client: &Client,
    scope: &Scope,
    kinds: &[Kind],
    progress: &dyn Fn(Progress),
) -> Result<Reading, Error> {
    let mut reading = Reading { server: server::ask(client).await?, ..Reading::default() };
    let page_timeout = scope.page_timeout.unwrap_or(PAGE_TIMEOUT);
    let reader = &Reader { client, scope, progress, page_timeout };
    let api_kinds: Vec<Kind> = kinds.iter().copied().filter(|k| k.is_api_object()).collect();
    let mut lists =
        stream::iter(&api_kinds).map(|kind| reader.kind(*kind)).buffered(KINDS_AT_A_TIME);
    let mut listed = 0;
    let mut kind = api_kinds.iter();
    let mut unanswered = None;
    let mut in_vain = 0;
    while let (Some(list), Some(kind)) = (lists.next().await, kind.next()) {
        let list = match list {
            // Who answers for other kinds is there: this list alone is lost.
            Err(Error::Unreachable { what, reason }) => {
                let refusal = Refusal::unanswered(&reason);
                unanswered = unanswered.or(Some(Error::Unreachable { what, reason }));
                in_vain += 1;
                if in_vain > LISTS_IN_VAIN {
                    break;
                }
                KindList { blind: vec![not_listed(*kind, refusal)], ..KindList::new(*kind) }
            }
            list => list?,
        };
        listed += usize::from(list.is_listed);
        list.note(&mut reading);
    }
    if let (Some(error), true) = (unanswered, listed == 0 || in_vain > LISTS_IN_VAIN) {
        return Err(error);
    }
    if listed == 0 && !api_kinds.is_empty() {
        let message = reading.blind.first().map(|b| b.why.clone()).unwrap_or_default();
        return Err(Error::NothingReadable { message });
    }
    Ok(reading)
}

/// All that came of one kind.
#[derive(Clone)]
pub(crate) struct KindList {
    pub(crate) kind: Kind,
    /// The one namespace that could be listed, when it was not all of them.
    pub(crate) namespace: Option<String>,
    pub(crate) objects: Vec<Object>,
    /// Names of objects that keep none themselves, in the same order.
    pub(crate) names: Vec<Text>,
    /// Which version of the list it is.
    pub(crate) version: String,
    pub(crate) is_listed: bool,
    pub(crate) blind: Vec<Blind>,
}

impl KindList {
    fn new(kind: Kind) -> Self {
        KindList {
            kind,
            namespace: None,
            objects: Vec::new(),
            names: Vec::new(),
            version: String::new(),
            is_listed: false,
            blind: Vec::new(),
        }
    }

    /// The same list with other objects.
    pub(crate) fn with(&self, objects: Vec<Object>) -> Self {
        let KindList { kind, ref namespace, is_listed, ref blind, .. } = *self;
        let (namespace, blind) = (namespace.clone(), blind.clone());
        KindList { namespace, objects, is_listed, blind, ..KindList::new(kind) }
    }

    /// Whether it shows as much as another one.
    pub(crate) fn sees_as(&self, other: &KindList) -> bool {
        (&self.namespace, self.is_listed, &self.blind)
            == (&other.namespace, other.is_listed, &other.blind)
    }

    pub(crate) fn note(self, reading: &mut Reading) {
        let KindList { kind, namespace, objects, is_listed, blind, .. } = self;
        let is_complete = is_listed && !blind.iter().any(|b| b.what.contains(UNREADABLE));
        for object in objects {
            reading.evidence.add(object, 0);
        }
        if is_complete {
            reading.evidence.coverage.list(kind, namespace.as_deref());
        } else if !blind.is_empty() {
            reading.evidence.coverage.note_cut(kind);
        }
        reading.blind.extend(blind);
    }
}

/// Marks objects that the server listed and nobody could decode.
const UNREADABLE: &str = "that cannot be decoded";

pub(crate) struct Reader<'a> {
    pub(crate) client: &'a Client,
    pub(crate) scope: &'a Scope,
    pub(crate) progress: &'a dyn Fn(Progress),
    /// How long a page is waited for.
    pub(crate) page_timeout: Duration,
}

impl Reader<'_> {
    /// One kind: of all namespaces, else of the one that we may see.
    pub(crate) async fn kind(&self, kind: Kind) -> Result<KindList, Error> {
        let mut list = KindList::new(kind);
        let mut refused = match self.list(&mut list).await? {
            Ok(()) => return Ok(list),
            Err(refusal) => refusal,
        };
        let namespace = self.scope.fallback_namespace.clone().filter(|_| kind.is_namespaced());
        if let (FORBIDDEN, Some(namespace)) = (refused.code, namespace) {
            list.blind.push(elsewhere(kind, &namespace, &refused.message));
            list.namespace = Some(namespace);
            match self.list(&mut list).await? {
                Ok(()) => return Ok(list),
                Err(refusal) => refused = refusal,
            }
        }
        // Nobody misses what only some clusters serve.
        let is_absent = kind.is_optional() && refused.code == NOT_FOUND;
        list.blind = if is_absent { Vec::new() } else { vec![not_listed(kind, refused)] };
        Ok(list)
    }

    /// All pages of a kind. A list that expired on the way is begun again, once.
    async fn list(&self, list: &mut KindList) -> Result<Result<(), Refusal>, Error> {
        let mut tries = 2;
        loop {
            tries -= 1;
            match self.pages(list).await? {
                Err(Refusal { code: EXPIRED, .. }) if tries > 0 => {
                    list.objects.clear();
                    list.names.clear();
                }
                Err(Refusal { code: UNAUTHORISED, message }) => {
                    return Err(Error::Unauthorised { message });
                }
                other => return Ok(other),
            }
        }
    }

    async fn pages(&self, list: &mut KindList) -> Result<Result<(), Refusal>, Error> {
        let (kind, mut token) = (list.kind, None::<String>);
        let mut unreadable = Vec::new();
        loop {
            let request = request::list(kind, list.namespace.as_deref(), token.as_deref());
            let body = match timeout(self.page_timeout, self.client.request_text(request)).await {
                Ok(Ok(body)) => body,
                Ok(Err(e)) => return Ok(Err(Refusal::of(e, kind.plural())?)),
                Err(_) => return Err(late(kind)),
            };
            let page = match Page::decode(kind, &body) {
                Ok(page) => page,
                Err(e) => {
                    let message = format!("the answer is no list: {e}");
                    return Ok(Err(Refusal { code: 0, message }));
                }
            };
            list.objects.extend(page.objects);
            list.names.extend(page.names);
            list.version = page.version;
            unreadable.extend(page.unreadable);
            let objects = list.objects.len() as u64;
            (self.progress)(Progress { kind, objects, remaining: page.remaining });
            // A server that hands out its last token again would keep us for ever.
            if page.next.is_some() && page.next == token {
                let message = "the server begins the same page again".to_owned();
                return Ok(Err(Refusal { code: 0, message }));
            }
            if page.next.is_none() {
                break;
            }
            token = page.next;
        }
        list.is_listed = true;
        if let Some(first) = unreadable.first() {
            list.blind.push(Blind {
                what: format!("{} {} {UNREADABLE}", unreadable.len(), kind.plural()),
                why: first.clone(),
                ask: ask(kind, None),
            });
        }
        Ok(Ok(()))
    }
}

/// A page did not come in time.
fn late(kind: Kind) -> Error {
    let reason = std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time");
    let reason = Box::new(kube::Error::Service(Box::new(reason)));
    Error::Unreachable { what: kind.plural().to_owned(), reason }
}

fn ask(kind: Kind, namespace: Option<&str>) -> String {
    let place = match namespace {
        Some(namespace) => format!(" -n {namespace}"),
        None if kind.is_namespaced() => " -A".to_owned(),
        None => String::new(),
    };
    format!("kubectl get {}{place}", kind.plural())
}

fn elsewhere(kind: Kind, namespace: &str, message: &str) -> Blind {
    Blind {
        what: format!("{} outside namespace {namespace}", kind.plural()),
        why: format!("refused: {message}"),
        ask: ask(kind, None),
    }
}

fn not_listed(kind: Kind, refusal: Refusal) -> Blind {
    let why = match refusal.code {
        NOT_FOUND => format!("this cluster does not serve {}", kind.api_version()),
        FORBIDDEN => format!("refused: {}", refusal.message),
        _ => refusal.message,
    };
    Blind { what: kind.plural().to_owned(), why, ask: ask(kind, None) }
}
