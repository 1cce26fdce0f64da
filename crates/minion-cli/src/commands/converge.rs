//! Running a graph as every mutating command does: plan or apply, and say what became of it.
use crate::site::Session;
use aws_core::{
    Result,
    cloud::Cloud,
    engine::{Graph, Mode, Options, Quiet, Report, run},
};
use terminal::{Exit, checked, flags::Writes};

/// Applies the graph, or with `--dry-run` prints the plan. `what` names the whole in the closing line.
pub(super) async fn converge(
    session: &Session,
    cloud: &Cloud,
    graph: &Graph<Cloud>,
    writes: &Writes,
    what: &str,
) -> Result<(Exit, Report)> {
    let report = checked(carry_out(session, cloud, graph, writes).await)?;
    Ok((tell(session, &report, writes, what, false)?, report))
}

/// Carries a graph out, or with `--dry-run` finds out what that would be. Steps are told, the outcome is not: see [`tell`].
pub(super) async fn carry_out(session: &Session, cloud: &Cloud, graph: &Graph<Cloud>, writes: &Writes) -> Report {
    let mode = if writes.dry_run { Mode::Plan } else { Mode::Apply };
    run(graph, cloud, mode, &options(session), &session.terminal).await
}

/// Prints a plan, or what became of it, and says how to exit.
pub(super) fn tell(session: &Session, report: &Report, writes: &Writes, what: &str, destroy: bool) -> Result<Exit> {
    if writes.dry_run {
        session.terminal.plan(report, destroy)?;
        return Ok(writes.exit(report));
    }
    Ok(session.terminal.summary(report, what))
}

/// Looks at everything in a graph of names alone and says nothing: what is read is remembered for the run.
pub(super) async fn look(session: &Session, cloud: &Cloud, graph: &Graph<Cloud>) {
    run(graph, cloud, Mode::Plan, &options(session), &Quiet).await;
}

fn options(session: &Session) -> Options {
    Options { cancel: session.cancel.clone(), ..Options::default() }
}
