//! `minion configure`
use crate::{
    settings::{ConfigFile, Profile},
    site::Session,
};
use aws_core::{
    Error, Result,
    cloud::{Cloud, Told as _, lookups, network},
    model::{image::ImageRef, names},
    registry::{parameters, settings::VpcSettings},
};
use clap::Args;
use std::collections::BTreeSet;
use terminal::{Exit, Terminal};

/// Arguments of `configure`. The values come from the flags that every command takes (--region, --vpc,
/// --domain, --certificate-arn, --registry), from the account, or from the operator.
#[derive(Debug, Args)]
#[command(
    after_help = "What the flags do not say is looked for on AWS: the only VPC, the settings of the VPC, the hosted \
zones, a certificate that covers the domain. Only what is still missing is asked for. All is checked before it is written."
)]
pub struct ConfigureArgs {
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// When a value is missing and cannot be asked for, or is not what it should be.
pub async fn run(session: &Session, args: ConfigureArgs) -> Result<Exit> {
    let (terminal, given) = (&session.terminal, &session.settings.values);
    let mut session_with_region = session.clone();
    if given.region.is_none() && !Cloud::has_region().await? {
        session_with_region.settings.values.region = Some(terminal.ask("AWS region", None, "--region")?);
    }
    let cloud = session_with_region.connect().await?;
    let account = terminal
        .during("Checking AWS credentials", async {
            let answer = cloud.sts().get_caller_identity().send().await.told(&cloud, "")?;
            Ok(answer.account().unwrap_or_default().to_owned())
        })
        .await?;
    let vpc = vpc(terminal, &cloud, given.vpc.as_deref()).await?;
    let (place, start) = terminal
        .during(&format!("Checking VPC {vpc}"), async {
            tokio::try_join!(network::load(&cloud, &vpc), parameters::read_start(&cloud, &vpc, None))
        })
        .await?;
    if place.subnets.is_empty() {
        terminal.warn(&format!("{vpc} has no subnets: nothing can be deployed into it yet (see docs/network.md)"));
    }
    let (settings, ignored) = start.settings.or(place.config_tag.as_deref());
    ignored.iter().for_each(|warning| terminal.warn(warning));
    let (domain, zone_id) = domain(terminal, &cloud, &vpc, given, &settings).await?;
    let certificate_arn = certificate(terminal, &cloud, &domain, given, &settings).await?;
    let registry = registry(terminal, given, &settings, &account, cloud.region())?;
    let profile = Profile {
        region: Some(cloud.region().to_owned()),
        vpc: Some(vpc),
        domain: Some(domain),
        zone_id,
        certificate_arn,
        registry: Some(registry),
        registry_credentials: given.registry_credentials.clone(),
        sandbox: session.settings.values.sandbox.clone(),
    };
    write(session, profile, args.dry_run)
}

fn write(session: &Session, profile: Profile, dry_run: bool) -> Result<Exit> {
    let (path, name) = (&session.settings.path, &session.settings.profile);
    let mut file = ConfigFile::read(path)?;
    let shown = serde_yaml::to_string(&std::collections::BTreeMap::from([(name, &profile)]))
        .map_err(|e| Error::failed("the profile cannot be written as YAML").caused_by(e.to_string()))?;
    session.terminal.data(&shown)?;
    if dry_run {
        return Ok(Exit::Done);
    }
    file.profiles.insert(name.clone(), profile);
    file.write(path)?;
    session.terminal.say(&format!("Profile {name} is written to {}", path.display()));
    Ok(Exit::Done)
}

async fn vpc(terminal: &Terminal, cloud: &Cloud, given: Option<&str>) -> Result<String> {
    if let Some(vpc) = given {
        return Ok(vpc.to_owned());
    }
    let all = terminal.during("Looking for VPCs", lookups::vpcs(cloud)).await?;
    // AWS makes a default VPC in every region; nobody means that one when there is another.
    let mut vpcs: Vec<_> = all.iter().filter(|v| !v.is_default).collect();
    if vpcs.is_empty() {
        vpcs = all.iter().collect();
    }
    match vpcs.as_slice() {
        [] => Err(Error::not_found(format!("there is no VPC in {}", cloud.region()))
            .hint("`overlord team create` makes one, or choose another --region.")),
        [only] => Ok(only.id.clone()),
        several => {
            let shown: Vec<_> =
                several.iter().map(|v| format!("{} {} {}", v.id, v.cidr, v.name.as_deref().unwrap_or(""))).collect();
            Ok(several[terminal.choose("VPC", &shown, "--vpc")?].id.clone())
        }
    }
}

async fn domain(
    terminal: &Terminal,
    cloud: &Cloud,
    vpc: &str,
    given: &Profile,
    settings: &VpcSettings,
) -> Result<(String, Option<String>)> {
    let domain = match given.domain.clone().or_else(|| settings.domain.clone()) {
        Some(domain) => domain.trim_end_matches('.').to_owned(),
        None => {
            let zones = terminal.during("Looking for hosted zones", lookups::all_zones(cloud)).await?;
            let names: Vec<String> = zones.into_iter().map(|z| z.name).collect::<BTreeSet<_>>().into_iter().collect();
            match names.as_slice() {
                [] => {
                    return Err(Error::not_found("there is no hosted zone in this account")
                        .hint("Create one in Route 53 for the domain of the applications, or let `overlord team create` do it."));
                }
                [only] => only.clone(),
                several => several[terminal.choose("Domain", several, "--domain")?].clone(),
            }
        }
    };
    let zones =
        terminal.during(&format!("Checking hosted zones of {domain}"), lookups::zones(cloud, vpc, &domain)).await?;
    let zone_id = given.zone_id.as_deref();
    if let Some(id) = zone_id
        && !zones.iter().any(|z| z.id == id)
    {
        return Err(Error::usage(format!("hosted zone {id} is not one of {domain}")));
    }
    for internal in [true, false] {
        match lookups::choose_zone(&zones, internal, zone_id) {
            Ok(_) => {}
            // A domain may have a private zone alone, and then has no public versions.
            Err(e) if !internal && e.kind() == aws_core::error::Kind::NotFound => {}
            Err(_) if zones.len() > 1 && zone_id.is_none() => {
                let shown: Vec<_> = zones
                    .iter()
                    .map(|z| format!("{} {}", z.id, if z.private { "private" } else { "public" }))
                    .collect();
                return Ok((domain, Some(zones[terminal.choose("Hosted zone", &shown, "--zone-id")?].id.clone())));
            }
            Err(e) => return Err(e),
        }
    }
    Ok((domain, given.zone_id.clone()))
}

async fn certificate(
    terminal: &Terminal,
    cloud: &Cloud,
    domain: &str,
    given: &Profile,
    settings: &VpcSettings,
) -> Result<Option<String>> {
    let look = lookups::certificates_for(cloud, domain);
    let found = terminal.during(&format!("Looking for certificates of *.{domain}"), look).await?;
    if let Some(arn) = given.certificate_arn.clone().or_else(|| settings.certificate_arn.clone()) {
        if !found.iter().any(|c| c.arn == arn) {
            return Err(Error::usage(format!(
                "certificate {arn} is not one that is issued and covers *.{domain} in {}",
                cloud.region()
            ))
            .hint("Choose another one with --certificate-arn, or leave it out: it is looked for."));
        }
        return Ok(Some(arn));
    }
    match found.as_slice() {
        [] => {
            terminal.warn(&format!("no certificate covers *.{domain}: versions get HTTP without TLS"));
            Ok(None)
        }
        [only] => Ok(Some(only.arn.clone())),
        several => {
            let shown: Vec<_> = several.iter().map(|c| format!("{} {}", c.arn, c.names.join(", "))).collect();
            Ok(Some(several[terminal.choose("Certificate", &shown, "--certificate-arn")?].arn.clone()))
        }
    }
}

/// The operator's, the VPC's, else the account's own.
fn registry(
    terminal: &Terminal,
    given: &Profile,
    settings: &VpcSettings,
    account: &str,
    region: &str,
) -> Result<String> {
    let suffix = names::dns_suffix(region);
    let host = given.registry.clone().or_else(|| settings.registry.clone()).unwrap_or_else(|| {
        let own = format!("{account}.dkr.ecr.{region}.{suffix}");
        terminal
            .say(&format!("No registry is named: it is {own}, Amazon ECR of this account (--registry names another)"));
        own
    });
    let parsed: ImageRef = format!("{host}/image:tag").parse()?;
    if parsed.registry() != host {
        return Err(Error::usage(format!("`{host}` is not the host of a container registry"))
            .hint("Give a host with its port if it has one, without https://, e.g. registry.example.org:5000."));
    }
    Ok(host)
}
