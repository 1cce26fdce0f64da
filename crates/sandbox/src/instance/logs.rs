//! What an application prints goes to the emulator's CloudWatch Logs, as Docker's driver `awslogs` would send it.
use super::engine::container_name;
use crate::serve::Parts;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use bollard::{models::HostConfigLogConfig, query_parameters::LogsOptionsBuilder};
use futures::StreamExt as _;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Lines that wait together before they are sent.
const BATCH: usize = 500;
/// How long they wait.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends what the application of this instance prints, until its container is gone.
pub(super) fn follow(parts: Arc<Parts>, instance: String, logging: Option<HostConfigLogConfig>) {
    let Some(HostConfigLogConfig { typ: Some(driver), config }) = logging else { return };
    if driver != "awslogs" {
        return;
    }
    tokio::spawn(async move {
        let options: HashMap<String, String> = config.unwrap_or_default();
        let Some(group) = options.get("awslogs-group").cloned() else { return };
        let stream = options.get("awslogs-stream").cloned().unwrap_or_else(|| instance.clone());
        let logs = parts.cloud.logs();
        // It may be there from an earlier boot.
        let _ = logs.create_log_stream().log_group_name(&group).log_stream_name(&stream).send().await;
        let name = container_name(&instance);
        let mut last = jiff::Timestamp::MIN;
        // An application that ends is started again: its output goes on until its container is gone.
        while parts.engine.state(&name).await.is_ok_and(|state| state.is_some()) {
            let since = i32::try_from(last.as_second()).unwrap_or(0);
            let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).timestamps(true);
            let options = options.since(since).build();
            let lines = parts.engine.client().logs(&name, Some(options)).filter_map(|line| async { told(line.ok()?) });
            let mut batches = std::pin::pin!(batched(lines));
            while let Some(batch) = batches.next().await {
                let fresh: Vec<_> = batch.into_iter().filter(|(at, _)| *at > last).collect();
                let Some((newest, _)) = fresh.last() else { continue };
                last = *newest;
                let events = fresh.into_iter().filter_map(|(at, text)| event(at, text)).collect();
                let put = logs.put_log_events().log_group_name(&group).log_stream_name(&stream);
                if let Err(e) = put.set_log_events(Some(events)).send().await {
                    parts.log.say(&format!("{instance}: its output cannot be kept: {e:?}"));
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
}

/// When a line was printed, in front of it, and the line.
fn told(line: bollard::container::LogOutput) -> Option<(jiff::Timestamp, String)> {
    let text = String::from_utf8_lossy(&line.into_bytes()).trim_end().to_owned();
    let (at, text) = text.split_once(' ').unwrap_or((&text, ""));
    Some((at.parse().ok()?, text.to_owned()))
}

fn event(at: jiff::Timestamp, text: String) -> Option<InputLogEvent> {
    // An event must not be empty.
    let text = if text.is_empty() { " ".to_owned() } else { text };
    InputLogEvent::builder().timestamp(at.as_millisecond()).message(text).build().ok()
}

/// What comes within half a second, together.
fn batched<T>(items: impl futures::Stream<Item = T>) -> impl futures::Stream<Item = Vec<T>> {
    let items = Box::pin(items.fuse());
    futures::stream::unfold(items, |mut items| async move {
        let mut batch = vec![items.next().await?];
        let until = tokio::time::Instant::now() + PAUSE;
        while batch.len() < BATCH {
            match tokio::time::timeout_at(until, items.next()).await {
                Ok(Some(item)) => batch.push(item),
                Ok(None) | Err(_) => break,
            }
        }
        Some((batch, items))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_together_is_sent_together() {
        let items = futures::stream::iter([1, 2, 3]).chain(futures::stream::once(async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            4
        }));
        let batches: Vec<Vec<i32>> = batched(items).collect().await;
        assert_eq!(batches, [vec![1, 2, 3], vec![4]]);
    }
}
