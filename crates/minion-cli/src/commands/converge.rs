//! Running a graph as every mutating command does: plan or apply, and say what became of it.
use crate::site::Session;
use aws_core::{
    cloud::Cloud,
    engine::{Graph, Mode, Options, Quiet, Report, run},
};
use terminal::{Exit, flags::Writes};

/// Applies the graph, or with `--dry-run` prints the plan. `what` names the whole in the closing line.
pub(super) async fn converge(
    session: &Session,
    cloud: &Cloud,
    graph: &Graph<Cloud>,
    writes: &Writes,
    what: &str,
) -> aws_core::Result<(Exit, Report)> {
    go(session, cloud, graph, writes, what, false).await
}

/// Removes what the graph owns, or with `--dry-run` prints the plan.
pub(super) async fn destroy(
    session: &Session,
    cloud: &Cloud,
    graph: &Graph<Cloud>,
    writes: &Writes,
    what: &str,
) -> aws_core::Result<(Exit, Report)> {
    go(session, cloud, graph, writes, what, true).await
}

async fn go(
    session: &Session,
    cloud: &Cloud,
    graph: &Graph<Cloud>,
    writes: &Writes,
    what: &str,
    destroy: bool,
) -> aws_core::Result<(Exit, Report)> {
    let mode = match (destroy, writes.dry_run) {
        (false, false) => Mode::Apply,
        (false, true) => Mode::Plan,
        (true, false) => Mode::Destroy,
        (true, true) => Mode::PlanDestroy,
    };
    let options = Options { cancel: session.cancel.clone(), ..Options::default() };
    let report = run(graph, cloud, mode, &options, &session.terminal).await;
    let exit = if writes.dry_run {
        session.terminal.plan(&report, destroy)?;
        writes.exit(&report)
    } else {
        session.terminal.summary(&report, what)
    };
    Ok((exit, report))
}

/// Looks at everything in the graph and says nothing: what is read is remembered for the run.
pub(super) async fn look(session: &Session, cloud: &Cloud, graph: &Graph<Cloud>) {
    let options = Options { cancel: session.cancel.clone(), ..Options::default() };
    run(graph, cloud, Mode::Plan, &options, &Quiet).await;
}
