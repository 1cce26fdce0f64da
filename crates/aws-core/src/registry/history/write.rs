//! Writing the history.
use super::event::{Began, Ended, Event, Said};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    model::{
        OrganizationName, Owner, Owning as _, TeamName, TeamOwner,
        tags::{MANAGED_BY, VPC},
    },
    registry::lease,
};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};

/// Tries until a group and a stream that were just made can be written to, and the pause before each.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(250);

/// Where a history is kept: a log group, and the stream in it.
#[derive(Debug, Clone)]
pub struct Book {
    pub(super) group: String,
    pub(super) stream: String,
    tags: BTreeMap<String, String>,
}

impl Book {
    /// An application's: group `/minion/<vpc>/history`.
    pub fn application(owner: &Owner) -> Self {
        // The group is all applications'.
        let tags = owner.tags("history").into_iter().filter(|(k, _)| ["Name", MANAGED_BY, VPC].contains(&k.as_str()));
        Self {
            group: format!("/minion/{}/history", owner.vpc),
            stream: owner.application.clone(),
            tags: tags.collect(),
        }
    }
    /// A team's: group `/overlord/<organization>/history`, in the account of the records.
    pub fn team(organization: &OrganizationName, team: &TeamName) -> Self {
        let owner = TeamOwner { organization: organization.clone(), team: None, extra: BTreeMap::new() };
        Self {
            group: format!("/overlord/{organization}/history"),
            stream: team.to_string(),
            tags: owner.tags("history"),
        }
    }
}

/// A run that was begun.
#[derive(Debug, Clone)]
pub struct Run(String);

/// Writes that a run begins. Who runs it (whoever has the credentials of `caller`), and from where, is filled in.
pub async fn began(cloud: &Cloud, caller: &Cloud, book: &Book, began: Began) -> Result<Run> {
    let run = Run(lease::token()?);
    let began = Began { who: caller.caller().await?.arn.clone(), from: lease::origin(), ..began };
    write(cloud, book, Event { run: run.0.clone(), said: Said::Began(began) }).await?;
    Ok(run)
}

/// Writes how a run ended.
pub async fn ended(cloud: &Cloud, book: &Book, run: &Run, ended: Ended) -> Result<()> {
    write(cloud, book, Event { run: run.0.clone(), said: Said::Ended(ended) }).await
}

async fn write(cloud: &Cloud, book: &Book, event: Event) -> Result<()> {
    let now = Timestamp::now().as_millisecond();
    let event = InputLogEvent::builder().timestamp(now).message(event.text()).build();
    let event = event.map_err(|e| Error::failed("an event lacks its text or time").caused_by(e))?;
    let put = async || {
        let call = cloud.logs().put_log_events().log_group_name(&book.group).log_stream_name(&book.stream);
        call.log_events(event.clone()).send().await.unless_gone(cloud, &book.group)
    };
    for n in 0..TRIES {
        if let Some(answer) = put().await? {
            let refused = answer.rejected_log_events_info().is_some();
            let hint = "Is this computer's clock right?";
            return if refused { Err(Error::failed("AWS takes no event of this time").hint(hint)) } else { Ok(()) };
        }
        open(cloud, book).await?;
        tokio::time::sleep(PAUSE * n).await;
    }
    Err(Error::failed(format!("log group {} cannot be written to although it is there", book.group)))
}

/// Makes the stream, and the group if there is none. Others may do so at the same time.
async fn open(cloud: &Cloud, book: &Book) -> Result<()> {
    let stream = async || {
        let call = cloud.logs().create_log_stream().log_group_name(&book.group).log_stream_name(&book.stream);
        match call.send().await.unless_there(cloud, &book.group) {
            Err(e) if e.is_gone() => Ok(false),
            other => other.map(|_| true),
        }
    };
    if stream().await? {
        return Ok(());
    }
    let call = cloud.logs().create_log_group().log_group_name(&book.group);
    call.set_tags(Some(book.tags.clone().into_iter().collect())).send().await.unless_there(cloud, &book.group)?;
    stream().await.map(drop)
}
