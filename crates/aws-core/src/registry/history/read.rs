//! Reading the history back.
use super::{
    event::{Entry, Event, entries},
    write::Book,
};
use crate::{
    Result,
    cloud::{Cloud, Told as _},
};
use jiff::Timestamp;

/// The last so many runs, the newest first; and, with `documents`, those before until each kind of document is there
/// once more, so that the oldest one has something to be compared with. Empty when nothing was ever written.
pub async fn read(cloud: &Cloud, book: &Book, runs: usize, documents: bool) -> Result<Vec<Entry>> {
    let mut events: Vec<(Timestamp, Event)> = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let call = cloud.logs().get_log_events().log_group_name(&book.group).log_stream_name(&book.stream);
        let answer = call.start_from_head(false).set_next_token(token.clone()).send().await;
        let Some(page) = answer.unless_gone(cloud, &book.group)? else {
            return Ok(Vec::new());
        };
        for event in page.events() {
            let time = event.timestamp().and_then(|ms| Timestamp::from_millisecond(ms).ok());
            // What somebody else wrote is not ours to judge.
            if let (Some(time), Some(Ok(event))) = (time, event.message().map(serde_json::from_str)) {
                events.push((time, event));
            }
        }
        let found = entries(&events);
        // The end is a token that stays the same; a page may be empty before that.
        if page.next_backward_token == token || enough(&found, runs, documents) {
            return Ok(found);
        }
        token = page.next_backward_token;
    }
}

/// Whether no older run is needed.
fn enough(found: &[Entry], runs: usize, documents: bool) -> bool {
    if found.len() <= runs {
        return false;
    }
    let (shown, before) = found.split_at(runs);
    let mut kinds = shown.iter().flat_map(|e| e.began.documents.keys());
    !documents
        || kinds.all(|k| {
            before.iter().any(|e| e.began.documents.contains_key(k) && e.ended.as_ref().is_none_or(super::Ended::acted))
        })
}
