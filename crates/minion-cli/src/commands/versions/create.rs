//! `minion versions create`: the deploy.
use super::{delete::delete_command, image::Image, zones};
use crate::{
    boot,
    commands::{
        converge::{converge, look},
        undertaking::{Change, on_application},
    },
    deployed::{self, Deployed},
    dns::read_early,
    environment, gate,
    graph::{application::owner_of, version},
    manifest::{self, Manifest, Protocol},
    site::{Ground, Session, Site},
    user_data,
};
use aws_core::{
    Error, Result,
    cloud::{
        lookups::{self, Certificate, Offers},
        network::Choice,
        wait::{Patience, parse_duration},
    },
    engine::{Graph, Report},
    error::Kind,
    model::{ApplicationName, VersionName, image::ImageRef, layers::Layer, names::AppVersion},
    resources::{alias_record, load_balancer},
};
use clap::Args;
use std::{fmt, path::PathBuf, time::Duration};
use terminal::{
    Exit, Undertaking,
    flags::{Lock, Writes},
};

/// Arguments of `versions create`.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// The application
    application: ApplicationName,
    /// The new version's name, e.g. 2.0
    version: VersionName,
    /// The Docker image, with its tag or digest
    image: ImageRef,
    /// Environment variable of the container; beats the manifest's
    #[arg(short, long = "env", value_name = "KEY=VAL")]
    env: Vec<String>,
    /// File with environment variables, one KEY=VAL a line, as `docker run --env-file` takes it
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Linux capability for the container, e.g. NET_ADMIN
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<manifest::Capability>,
    /// Let the internet reach the load balancer
    #[arg(long)]
    public: bool,
    /// EC2 instance type; beats the manifest's
    #[arg(long, value_name = "TYPE")]
    instance_type: Option<manifest::InstanceType>,
    /// Instances to begin with; beats the manifest's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=1000))]
    instances: Option<i32>,
    /// Do not ask the registry: for those that this computer cannot reach. The tag is not pinned then
    #[arg(long)]
    no_image_check: bool,
    /// Do not wait until the version is healthy
    #[arg(long)]
    no_wait: bool,
    /// How long to wait until the version is healthy
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_duration)]
    timeout: Duration,
    #[command(flatten)]
    writes: Writes,
    #[command(flatten)]
    lock: Lock,
}

pub(super) async fn run(session: &Session, args: CreateArgs) -> Result<Exit> {
    let id = AppVersion::new(args.application.clone(), args.version.clone())?;
    id.require_new()?;
    args.image.require_version()?;
    args.image.require_tag()?;
    let given = environment::Given::read(&args.env_file, &args.env, |name| std::env::var(name).ok())?;
    given.warnings().iter().for_each(|w| session.terminal.warn(w));
    let site = session.site().await?;
    let work = async |under: &Undertaking| deployed(session, &site, &args, given, &id, under).await;
    on_application(session, &site, &id.application, (&args.writes, &args.lock), Change::default(), work).await
}

async fn deployed(
    session: &Session,
    site: &Site,
    args: &CreateArgs,
    given: environment::Given,
    id: &AppVersion,
    under: &Undertaking,
) -> Result<Exit> {
    let (terminal, name) = (&session.terminal, &id.application);
    // Everything that can be looked at by name is, while the settings are read: it is all there afterwards.
    let (ground, versions, recommended, ()) = tokio::try_join!(
        ground_and_machine(site, args),
        deployed::versions(&site.cloud, &site.vpc, Some(name), None),
        boot::recommended(site),
        look_early(session, site, id)
    )?;
    let stored =
        manifest::parse_for_version(site.stored_manifest(name, ground.manifest.as_deref())?, "stored manifest")?;
    let manifest = stored.clone().with_registry_credentials(&site.settings.values.registry_credentials);
    let domain = site.domain(&ground.vpc_settings)?;
    let existing = versions.iter().find(|d| d.id == *id);
    if let Some(existing) = existing {
        same_image(existing, &args.image)?;
        if let Some(wanted) = args.instances.filter(|n| *n != existing.group.desired) {
            terminal.warn(&format!(
                "{id} exists already, with {} instances; --instances changes nothing. To change that: minion versions scale {} {} {wanted}",
                existing.group.desired, id.application, id.version
            ));
        }
    }

    let instance_type = args.instance_type.as_ref().unwrap_or(&manifest.instance_type).to_string();
    let image = async {
        if args.no_image_check {
            return Ok(None);
        }
        super::image::find(session, site, &ground.vpc_settings, &manifest, &args.image).await.map(Some)
    };
    let pulls = super::pulls::Pulls { site, ground: &ground, stored: &stored, manifest: &manifest, image: &args.image };
    let zone = async {
        let zones = site.zones(&domain).await?;
        let zone = site.choose_zone(&zones, &domain, !args.public)?.clone();
        // Before anything is made: the name may be somebody else's, or another region's.
        alias_record::require_free(&site.cloud, &zone.id, &id.dns_name(&domain), &id.load_balancer()).await?;
        Ok(zone)
    };
    let (image, may_pull, boot, zone, certificate, offers) = tokio::try_join!(
        image,
        pulls.look(),
        boot::boot(site, &manifest, &ground.vpc_settings, &instance_type, recommended),
        zone,
        certificate(session, site, &ground, &manifest, &domain),
        zones::offers(terminal, site, &instance_type)
    )?;
    if let Some(image) = &image {
        boot.runs(&args.image, &image.resolved)?;
        if image.resolved.architectures.is_empty() {
            session.terminal.warn(&format!(
                "Could not determine the architecture of image {}; instances of type {} run {} images only",
                args.image, boot.instance_type, boot.machine.architecture
            ));
        }
    }
    if let (Some(existing), Some(image)) = (existing, &image) {
        image.same(existing, &args.image)?;
    }
    let (balancer_subnets, instance_subnets) =
        subnets(session, &ground, &manifest, args.public, (&instance_type, offers.as_ref()))?;
    if !image.as_ref().is_some_and(|image| image.local) {
        pulls.warnings(&may_pull, &instance_subnets).iter().for_each(|w| session.terminal.warn(w));
    }
    let desired = args.instances.unwrap_or_else(|| i32::try_from(manifest.desired()).unwrap_or(i32::MAX));
    if args.writes.dry_run {
        let image = image.as_ref().map_or_else(|| args.image.to_string(), |found| found.shown(&args.image));
        terminal.say(
            &Outline {
                id,
                manifest: &manifest,
                image: &image,
                instance_type: &boot.instance_type,
                sizes: existing
                    .map_or_else(|| sizes(&manifest, desired), |d| (d.group.min, d.group.desired, d.group.max)),
                public: args.public,
                https: certificate.is_some(),
                dns_name: &id.dns_name(&domain),
            }
            .to_string(),
        );
    }
    let graph = version::graph(&version::Input {
        id,
        manifest: &manifest,
        owner: owner_of(&manifest, site.owner(name, None)),
        region: site.cloud.region(),
        vpc: &site.vpc,
        load_balancer_subnets: &balancer_subnets,
        instance_subnets: &instance_subnets,
        public: args.public,
        instances_public: instance_subnets.layer == Layer::Public,
        machine_image: &boot.machine_image,
        root_device: &boot.details.root_device,
        root_gib: boot.root_gib(&manifest),
        instance_type: &boot.instance_type,
        processors: boot.machine.processors(desired),
        user_data: user_data(args, given, id, &manifest, &ground, site, image.as_ref())?,
        image: args.image.as_str(),
        digest: image.as_ref().map(|i| i.resolved.digest.as_str()),
        desired,
        certificate_arn: certificate.as_deref(),
        zone_id: Some(&zone.id),
        dns_name: id.dns_name(&domain),
        kept_ports: versions.iter().flat_map(Deployed::ports).collect(),
    });
    let (exit, report) = converge(session, &site.cloud, &graph, &args.writes, &id.to_string()).await?;
    under.changed(&report);
    if args.writes.dry_run {
        return Ok(exit);
    }
    if exit != Exit::Done {
        // Without the lease it may be somebody else's by now: nothing is advised then.
        under.check()?;
        if let Some(text) = left_behind(id, existing.is_some(), &report) {
            terminal.say(&text);
        }
        return Ok(exit);
    }
    if report.changes() == 0 {
        terminal.say(&format!("{id} exists already with the same content."));
    }
    let wanted = existing.map_or(desired, |d| d.group.desired);
    // From here on this only looks: others need not wait until the version is healthy.
    under.let_go().await;
    serve(session, site, id, wanted, args).await?;
    let name = id.dns_name(&domain);
    let url = match &site.settings.values.sandbox {
        Some(place) => sandbox::Status::of(&place.endpoint).await.and_then(|s| s.url(&name).map(str::to_owned)),
        None => None,
    };
    let url = url.unwrap_or_else(|| url_of(&name, &manifest, certificate.is_some()));
    terminal.say(&format!("Application version URL is {url}"));
    terminal.say(&format!("Next: minion traffic {} {} PERCENT", id.application, id.version));
    Ok(Exit::Done)
}

/// Looks at what a version's names lead to, so that the graph finds it read already. What fails here is told
/// when the graph looks again.
async fn look_early(session: &Session, site: &Site, id: &AppVersion) -> Result<()> {
    let (manifest, owner) = (Manifest::bare(&id.application), site.owner(&id.application, None));
    let mut graph = Graph::default();
    version::ground(&mut graph, id, &owner, site.cloud.region());
    version::deletion(&mut graph, id, &manifest, &owner, None);
    let certificates = async {
        if let Some(domain) = &site.settings.values.domain {
            let _ = lookups::certificates_for(&site.cloud, domain).await;
        }
    };
    tokio::join!(look(session, &site.cloud, &graph), read_early(site), certificates);
    Ok(())
}

/// Reads the settings and the stored manifest, and the instance type as soon as that is known.
async fn ground_and_machine(site: &Site, args: &CreateArgs) -> Result<Ground> {
    let ground = site.ground(Some(&args.application)).await?;
    let stored = ground.manifest.as_deref().and_then(|text| manifest::parse(text, "stored manifest").ok());
    if let Some(instance_type) = args.instance_type.as_ref().or(stored.as_ref().map(|m| &m.instance_type)) {
        // What goes wrong is told when it is needed, an instance type that does not exist, for example.
        let name = instance_type.as_str();
        let _ = tokio::join!(lookups::machine(&site.cloud, name), lookups::offers_by_zone_name(&site.cloud, name));
    }
    Ok(ground)
}

/// Waits until the version is healthy.
async fn serve(session: &Session, site: &Site, id: &AppVersion, wanted: i32, args: &CreateArgs) -> Result<()> {
    let terminal = &session.terminal;
    if let Some(dns_name) = load_balancer::dns_name(&site.cloud, &id.load_balancer()).await? {
        terminal.say(&format!("DNS name of load balancer is {dns_name}"));
    }
    if !args.no_wait && wanted > 0 {
        let patience = Patience::new(args.timeout, session.cancel.clone());
        if let Err(error) = gate::wait_until_healthy(session, site, id, wanted, &patience).await {
            let error = gate::explain(site, id, error).await;
            return Err(error.hint(format!(
                "The version is left for a look: minion versions show {} {}. To remove it: {}",
                id.application,
                id.version,
                delete_command(id)
            )));
        }
    }
    Ok(())
}

/// What a dry run says before its plan, whose lines are names: what would run, and how it is reached.
struct Outline<'a> {
    id: &'a AppVersion,
    manifest: &'a Manifest,
    image: &'a str,
    instance_type: &'a str,
    /// Least, wanted and largest number of instances.
    sizes: (i32, i32, i32),
    public: bool,
    https: bool,
    dns_name: &'a str,
}

impl fmt::Display for Outline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, manifest, image, instance_type, sizes: (min, desired, max), public, https, dns_name } = self;
        let plural = if *desired == 1 { "" } else { "s" };
        let reach = if *public { "public" } else { "internal" };
        let protocol = match (manifest.exposed_protocol, https) {
            (Protocol::Http, true) => "HTTPS",
            (Protocol::Http, false) => "HTTP",
            (Protocol::Tcp, _) => "TCP",
        };
        write!(
            f,
            "{id}: {image} on {desired} {instance_type} instance{plural} ({min}-{max}), {reach}, {protocol}, DNS name {dns_name}"
        )
    }
}

/// Least, wanted and largest number of instances of a new version: the manifest's bounds, widened to what was
/// asked for.
fn sizes(manifest: &Manifest, desired: i32) -> (i32, i32, i32) {
    let bound = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    (bound(manifest.scaling.min).min(desired), desired, bound(manifest.scaling.max).max(desired))
}

/// What to say of the version after a run that did not get done; nothing where the summary said it all.
fn left_behind(id: &AppVersion, existed: bool, report: &Report) -> Option<String> {
    // A write that was interrupted may have happened.
    let half_done = report.failures().any(|(_, e)| e.kind() == Kind::Interrupted);
    let untouched = report.changes() == 0 && !half_done;
    match (existed, untouched) {
        (true, true) => Some(format!("{id} is unchanged.")),
        (true, false) => None,
        (false, true) if report.cancelled() => None,
        (false, _) => Some(format!("To remove what is there of it: {}", delete_command(id))),
    }
}

/// The URL of the version, for people: the final dot of DNS is left out. A sandbox knows its own, with other ports.
fn url_of(dns_name: &str, manifest: &Manifest, certificate: bool) -> String {
    match (manifest.exposed_protocol, certificate) {
        (Protocol::Http, true) => format!("https://{dns_name}"),
        (Protocol::Http, false) => format!("http://{dns_name}"),
        (Protocol::Tcp, _) => format!("tcp://{dns_name}:{}", manifest.traffic_port().get()),
    }
}

/// A version never changes: the same name with another image is refused.
fn same_image(existing: &Deployed, image: &ImageRef) -> Result<()> {
    if existing.image() == image.as_str() {
        return Ok(());
    }
    Err(Error::refused(format!("{} exists already with image {}", existing.id, existing.image())).hint(format!(
        "A version never changes. Give {image} a version name of its own, or delete this one: {}",
        delete_command(&existing.id)
    )))
}

/// Load balancers stand in the shared layer (in the public one with `--public`), instances in the private one,
/// in zones that the load balancer reaches and that offer the instance type.
fn subnets(
    session: &Session,
    ground: &Ground,
    manifest: &Manifest,
    public: bool,
    (instance_type, offers): (&str, Option<&Offers>),
) -> Result<(Choice, Choice)> {
    let balancer = ground.place.choose(if public { Layer::Public } else { Layer::Shared }, "the load balancer")?;
    let all = ground.place.choose(Layer::Private, "the instances")?;
    let (all, without) = zones::offering(&all, offers, instance_type)?;
    if manifest.exposed_protocol == Protocol::Http {
        balancer.require_two_zones("an Application Load Balancer")?;
    }
    let (instances, dropped) = all.within(&balancer.zones);
    let there = format!("the load balancer's {} subnets are in {}", balancer.layer, balancer.zones.join(", "));
    let here = format!("the instances' {} subnets are in {}", all.layer, all.zones.join(", "));
    if instances.ids.is_empty() {
        return Err(Error::refused(format!("{there}, {here}: no instance would get a request")).hint(format!(
            "A load balancer reaches instances in its own availability zones only. Add a {} subnet in one of {}.",
            all.layer,
            balancer.zones.join(", ")
        )));
    }
    for warning in [&balancer.warning, &instances.warning, &without].into_iter().flatten() {
        session.terminal.warn(warning);
    }
    if !dropped.is_empty() {
        session.terminal.warn(&format!("{there}, {here}: no instances start in {}", dropped.join(", ")));
    }
    Ok((balancer, instances))
}

/// The certificate for HTTPS: the operator's, else the VPC's, else one that covers the domain. A TCP load
/// balancer passes bytes on and needs none.
async fn certificate(
    session: &Session,
    site: &Site,
    ground: &Ground,
    manifest: &Manifest,
    domain: &str,
) -> Result<Option<String>> {
    if manifest.exposed_protocol != Protocol::Http {
        return Ok(None);
    }
    let set = site.settings.values.certificate_arn.clone().or_else(|| ground.vpc_settings.certificate_arn.clone());
    let covering = match lookups::certificates_for(&site.cloud, domain).await {
        // Not everybody who deploys may read certificates.
        Err(e) if e.kind() == Kind::Access => {
            let what = match &set {
                Some(arn) => format!("Whether certificate {arn} covers *.{domain} could not be checked"),
                None => "Certificates could not be read, so the load balancer speaks HTTP, not HTTPS".to_owned(),
            };
            session.terminal.warn(&format!("{what}: {e}"));
            return Ok(set);
        }
        other => other?,
    };
    let chosen = choose_certificate(set, &covering, domain, site.cloud.region())?;
    // A sandbox has none, and none to be missed.
    if chosen.is_none() && site.settings.values.sandbox.is_none() {
        session.terminal.warn(&format!(
            "No certificate in {} covers *.{domain}: the load balancer speaks HTTP, not HTTPS",
            site.cloud.region()
        ));
    }
    Ok(chosen)
}

/// The one that was set, which must be among those that cover the domain; else the one of them that lasts
/// longest, which is the first.
fn choose_certificate(
    set: Option<String>,
    covering: &[Certificate],
    domain: &str,
    region: &str,
) -> Result<Option<String>> {
    match set {
        None => Ok(covering.first().map(|c| c.arn.clone())),
        Some(arn) if covering.iter().any(|c| c.arn == arn) => Ok(Some(arn)),
        Some(arn) => {
            let arns: Vec<&str> = covering.iter().map(|c| c.arn.as_str()).collect();
            let error = Error::usage(format!(
                "certificate {arn} is not an issued, valid certificate in {region} that covers *.{domain}"
            ));
            Err(match arns.as_slice() {
                [] => error.hint(format!("Request one for *.{domain} in ACM, in {region}.")),
                _ => error.hint(format!("These cover it: {}. Give one with --certificate-arn.", arns.join(", "))),
            })
        }
    }
}

fn user_data(
    args: &CreateArgs,
    given: environment::Given,
    id: &AppVersion,
    manifest: &Manifest,
    ground: &Ground,
    site: &Site,
    image: Option<&Image>,
) -> Result<String> {
    let settings = &ground.vpc_settings;
    // What this computer has comes from no registry.
    let local = image.is_some_and(|image| image.local);
    let log_group = id.application.log_group();
    let mut capabilities = manifest.capabilities.clone();
    capabilities.extend(args.cap_add.iter().filter(|c| !manifest.capabilities.contains(c)).cloned());
    user_data::render(&user_data::Instance {
        manifest,
        application: id.application.as_str(),
        version: id.version.as_str(),
        image: image.map_or_else(|| args.image.to_string(), |i| i.pinned(&args.image)),
        image_tag_shown: args.image.as_str(),
        region: site.cloud.region(),
        log_group: manifest.uses_log_group().then_some(log_group.as_str()),
        environment: given.over(manifest)?,
        cap_add: capabilities.iter().map(ToString::to_string).collect(),
        insecure: settings.registry.as_deref().filter(|_| settings.registry_insecure && !local),
        nameservers: &settings.nameservers,
        cacerts: settings.cacerts.as_deref().filter(|_| !local),
        ecr: user_data::EcrRegistry::of(args.image.registry()).filter(|_| !local),
        login: manifest.registry_credential(args.image.registry()).filter(|_| !local && args.image.ecr().is_none()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::engine::{Action, NodeReport, Outcome};

    #[test]
    fn what_is_said_after_a_run_that_failed() {
        let id = AppVersion::new("hello".parse().unwrap(), "1.0".parse().unwrap()).unwrap();
        let report = |outcomes: Vec<Outcome>| {
            let node = |outcome| NodeReport::new("thing", "a", outcome);
            Report::from(outcomes.into_iter().map(node).collect::<Vec<_>>())
        };
        let said = |existed, outcomes| left_behind(&id, existed, &report(outcomes)).unwrap_or_default();
        let failed = || Outcome::Failed(Error::refused("no"));
        let made = || Outcome::Done(Action::Create);
        let half_done = || Outcome::Failed(Error::interrupted("stop"));
        assert!(said(true, vec![failed(), Outcome::Done(Action::Keep)]).ends_with(" is unchanged."));
        assert!(said(true, vec![Outcome::Cancelled]).ends_with(" is unchanged."));
        assert_eq!(said(true, vec![made(), failed()]), "");
        assert_eq!(said(true, vec![half_done()]), "");
        assert_eq!(said(false, vec![Outcome::Cancelled]), "");
        for outcomes in [vec![made(), failed()], vec![failed()], vec![half_done()], vec![made(), Outcome::Cancelled]] {
            assert!(said(false, outcomes).contains("minion versions delete hello 1.0"));
        }
    }

    #[test]
    fn a_dry_run_says_what_would_run() {
        let id = AppVersion::new("hello".parse().unwrap(), "1.0".parse().unwrap()).unwrap();
        let text = "application_name: hello\nexposed_ports: [80]\nscaling: {min: 1, max: 4}\n";
        let manifest = manifest::parse(text, "test").unwrap();
        assert_eq!(sizes(&manifest, 6), (1, 6, 6));
        assert_eq!(sizes(&manifest, 0), (0, 0, 4));
        let outline = Outline {
            id: &id,
            manifest: &manifest,
            image: "registry.example.org/hello:1@sha256:abc",
            instance_type: "t3.small",
            sizes: sizes(&manifest, 2),
            public: false,
            https: true,
            dns_name: "hello-1-0.example.org",
        };
        assert_eq!(
            outline.to_string(),
            format!(
                "{id}: registry.example.org/hello:1@sha256:abc on 2 t3.small instances (1-4), internal, HTTPS, DNS name hello-1-0.example.org"
            )
        );
    }

    #[test]
    fn a_certificate_covers_the_domain() {
        let certificate = |arn: &str| Certificate {
            arn: arn.into(),
            names: vec!["*.example.org".into()],
            status: "ISSUED".into(),
            not_after: None,
        };
        let both = [certificate("longest"), certificate("other")];
        let choose = |set: Option<&str>, covering: &[Certificate]| {
            choose_certificate(set.map(str::to_owned), covering, "example.org", "eu-west-1")
        };
        assert_eq!(choose(None, &[]).unwrap(), None);
        assert_eq!(choose(None, &both).unwrap().as_deref(), Some("longest"));
        assert_eq!(choose(Some("other"), &both).unwrap().as_deref(), Some("other"));
        let error = choose(Some("third"), &both).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains("third") && error.hints()[0].contains("longest, other"), "{error:?}");
        assert!(choose(Some("third"), &[]).unwrap_err().hints()[0].contains("*.example.org"));
    }
}
