//! What changes in requests and answers that are passed on: the headers that hold for one connection only, and a body
//! that can be had back.
use hyper::{
    HeaderMap,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    header::{CONNECTION, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

/// Takes out what holds for one connection only (RFC 9110, 7.6.1). With `upgrade`, the wish for another protocol stays.
pub(super) fn strip(headers: &mut HeaderMap, upgrade: bool) {
    let upgrade = headers.get(UPGRADE).filter(|_| upgrade).cloned();
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let known = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    let named = ["keep-alive", "proxy-connection"].map(HeaderName::from_static);
    for name in listed.into_iter().chain(known).chain(named) {
        headers.remove(name);
    }
    if let Some(protocol) = upgrade {
        headers.insert(UPGRADE, protocol);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

/// Whether this asks for another protocol, a WebSocket for example.
pub(super) fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    let words = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    headers.contains_key(UPGRADE) && words.into_iter().any(|word| word.trim().eq_ignore_ascii_case("upgrade"))
}

/// A request's body that can be had back as long as nothing of it was read.
#[derive(Clone)]
pub(super) struct Handed(Arc<Mutex<Slot>>);

struct Slot {
    body: Option<Incoming>,
    read: bool,
}

impl Handed {
    pub(super) fn new(body: Incoming) -> Self {
        Self(Arc::new(Mutex::new(Slot { body: Some(body), read: false })))
    }

    /// The body, when nothing of it was read.
    pub(super) fn back(&self) -> Option<Incoming> {
        let mut slot = self.slot();
        let whole = !slot.read;
        slot.body.take().filter(|_| whole)
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Handed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut slot = self.slot();
        let Some(body) = slot.body.as_mut() else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        slot.read |= matches!(polled, Poll::Ready(Some(_)));
        polled
    }
    fn is_end_stream(&self) -> bool {
        self.slot().body.as_ref().is_none_or(Incoming::is_end_stream)
    }
    fn size_hint(&self) -> SizeHint {
        self.slot().body.as_ref().map_or_else(SizeHint::new, Incoming::size_hint)
    }
}
