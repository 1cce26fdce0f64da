//! `overlord diagram`: a team's network as a picture.
use crate::{
    accounts::Account,
    diagram::{self, Picture},
    session::Session,
    survey::{Purpose, Survey},
};
use aws_core::{
    Error, Result,
    model::TeamName,
    registry::teams::{self, Interconnect, TeamRecord},
};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use terminal::Exit;

/// How a picture is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An SVG file
    #[default]
    Svg,
    /// Text for Mermaid, which many wikis draw
    Mermaid,
}

/// Arguments of `diagram`.
#[derive(Debug, Args)]
pub struct DiagramArgs {
    /// The team
    name: TeamName,
    /// How to write it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Draw what the files say, not what is on AWS
    #[arg(long)]
    plan: bool,
    /// The team's file, with --plan [default: the one in `teams` beside the organization's file, if there is one]
    #[arg(short, long, value_name = "FILE", requires = "plan")]
    file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// What AWS answers; when the file cannot be written.
pub async fn run(session: &Session, args: DiagramArgs) -> Result<Exit> {
    let home = session.home().await?;
    let stored = teams::read(&home, session.organization(), &args.name).await?;
    let picture =
        if args.plan { planned(session, &args, stored).await? } else { found(session, &args.name, stored).await? };
    let text = match args.format {
        Format::Svg => diagram::svg(&picture),
        Format::Mermaid => diagram::mermaid(&picture),
    };
    match &args.to {
        None => session.terminal.data(&text)?,
        Some(path) => {
            std::fs::write(path, text)
                .map_err(|e| Error::failed(format!("{} cannot be written: {e}", path.display())))?;
            session.terminal.say(&format!("The network of team {} is drawn in {}", args.name, path.display()));
        }
    }
    Ok(Exit::Done)
}

async fn planned(session: &Session, args: &DiagramArgs, stored: Option<TeamRecord>) -> Result<Picture> {
    let (team, _) = session.team(&args.name, args.file.as_deref())?;
    let survey = Survey::make(session, team, stored, None, Purpose::Converge).await?;
    let survey = survey.ok_or_else(|| {
        Error::failed(format!("the account of team {} is still to be made: its zones are not known", args.name))
            .hint("`overlord team create` makes it.")
    })?;
    Ok(diagram::from_plan(&survey.team, &survey.record))
}

async fn found(session: &Session, name: &TeamName, stored: Option<TeamRecord>) -> Result<Picture> {
    let record = stored.ok_or_else(|| {
        Error::not_found(format!("team {name} does not exist")).hint("With --plan its file is drawn instead.")
    })?;
    let account = Account::of(&record);
    let looking = format!("Looking at the network of team {name}");
    let drawing = session.terminal.during(&looking, async {
        let mut regions = Vec::new();
        for region in &record.regions {
            let vpc = region.vpc.as_deref().ok_or_else(|| {
                Error::failed(format!("team {name} has no VPC in {} yet", region.region))
                    .hint(format!("`overlord team update {name}` goes on with what was begun."))
            })?;
            let cloud = session.accounts.recorded(&account, &region.region).await?;
            regions.push(diagram::from_aws(&cloud, vpc, region).await?);
        }
        if record.interconnect == Interconnect::Peering {
            let home = session.home().await?;
            let teams = teams::list(&home, session.organization()).await?;
            regions.iter_mut().for_each(|r| r.name_peers(&teams));
        }
        Ok(Picture::of_aws(session.organization(), &record, regions))
    });
    drawing.await
}
