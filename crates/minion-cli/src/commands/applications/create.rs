//! `minion applications create` and `update`: the same convergence, told differently.
use crate::{
    commands::{
        converge::{converge, look},
        undertaking::{Change, on_application},
    },
    deployed::{self, Deployed},
    graph::application::{Input, SaveKey, deletion, graph, kept_grants, problem},
    manifest::{self, Loaded, Manifest, limits, registries},
    site::{Session, Site},
};
use aws_core::{Error, Result, resources::role};
use clap::Args;
use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use terminal::{
    Exit, Terminal, Undertaking,
    flags::{Lock, Writes},
};

/// Arguments of `applications create` and `update`.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// The manifest: a YAML file
    manifest: PathBuf,
    #[command(flatten)]
    writes: Writes,
    #[command(flatten)]
    lock: Lock,
}

/// Keys of the manifest that change an existing application at once. All others are for versions made later.
const AT_ONCE: &[&str] = &["application_name", "policies", "managed_policies", "stateful"];
/// Keys that change the application at once, and that versions made before keep as they were.
const BOTH: &[&str] = &["exposed_ports", "secrets", "registry_credentials", "tags", "team_name", "logging"];

pub(super) async fn run(session: &Session, args: CreateArgs, update: bool) -> Result<Exit> {
    let mut loaded = manifest::load(&args.manifest)?;
    let terminal = &session.terminal;
    let credentials = &session.settings.values.registry_credentials;
    loaded.manifest = loaded.manifest.with_registry_credentials(credentials);
    loaded.warnings.extend(registries::readable(&loaded.manifest.registry_credentials));
    loaded.warnings.iter().for_each(|w| terminal.warn(w));
    let name = &loaded.manifest.application_name;
    let site = session.site().await?;
    fits(&site, &loaded).await?;
    let change = Change { manifest: Some(&loaded.text), ..Change::default() };
    let work = async |under: &Undertaking| converged(session, &site, &loaded, &args, update, under).await;
    on_application(session, &site, name, (&args.writes, &args.lock), change, work).await
}

/// What can be known of the manifest once the region and the account are: before the lease, which writes.
async fn fits(site: &Site, loaded: &Loaded) -> Result<()> {
    if let Some(problem) = problem(&loaded.manifest, site.cloud.region()) {
        return Err(loaded.wrong(&problem));
    }
    if limits::asks_for_quota(&loaded.manifest) {
        let quota = role::managed_quota(&site.cloud).await?;
        if let Some(problem) = limits::attached(&loaded.manifest, quota) {
            return Err(loaded.wrong(&problem));
        }
    }
    Ok(())
}

async fn converged(
    session: &Session,
    site: &Site,
    loaded: &Loaded,
    args: &CreateArgs,
    update: bool,
    under: &Undertaking,
) -> Result<Exit> {
    let (terminal, name) = (&session.terminal, &loaded.manifest.application_name);
    let (ground, versions) = terminal
        .during(&format!("Checking whether application {name} exists"), async {
            // What the names lead to is looked at while the settings are read.
            let names = deletion(name, &site.owner(name, None), site.cloud.region(), false);
            let early = async {
                look(session, &site.cloud, &names).await;
                Ok(())
            };
            let versions = deployed::versions(&site.cloud, &site.vpc, Some(name), None);
            let (ground, versions, ()) = tokio::try_join!(site.ground(Some(name)), versions, early)?;
            Ok((ground, versions))
        })
        .await?;
    let stored = ground.manifest.as_deref();
    if update && stored.is_none() {
        return Err(Error::not_found(format!("application {name} does not exist in {}", site.vpc))
            .hint(format!("`minion applications create {}` creates it.", args.manifest.display())));
    }
    if !update && stored.is_some() {
        terminal.say(&format!("Application {name} exists already: making it what the manifest says."));
    }
    let running_policy = if versions.is_empty() {
        None
    } else {
        role::inline_policy(&site.cloud, &name.role(site.cloud.region())).await?
    };
    let input = Input {
        manifest: &loaded.manifest,
        text: &loaded.text,
        owner: site.owner(name, None),
        ground: &ground,
        region: site.cloud.region(),
        kept_ports: versions.iter().flat_map(Deployed::ports).collect(),
        running_policy: running_policy.as_ref(),
        save_key: save_key(site, terminal, args.writes.dry_run),
    };
    let graph = graph(&input);
    let kept = kept_grants(&input);
    if !kept.is_empty() {
        terminal.say(&format!("The role's grants are kept for versions that run: {}.", kept.join(", ")));
    }
    let (exit, report) = converge(session, &site.cloud, &graph, &args.writes, &format!("Application {name}")).await?;
    under.changed(&report);
    if exit == Exit::Done && !args.writes.dry_run {
        tell(terminal, name.as_str(), report.changes(), update || stored.is_some());
    }
    if let Some(old) = stored.and_then(|text| manifest::parse(text, "stored manifest").ok()) {
        let old = old.with_registry_credentials(&site.settings.values.registry_credentials);
        let late = only_new_versions(&old, &loaded.manifest);
        if !late.is_empty() && !versions.is_empty() {
            terminal.say(&format!("Only versions made from now on get the new: {}.", late.join(", ")));
        }
    }
    Ok(exit)
}

fn tell(terminal: &Terminal, name: &str, changes: usize, existed: bool) {
    if changes == 0 {
        terminal.say(&format!("Application {name} is as the manifest says; nothing to change."));
    } else if !existed {
        terminal.say(&format!("Next: minion versions create {name} VERSION IMAGE"));
    }
}

/// The manifest's keys that differ and that existing versions do not get.
fn only_new_versions(old: &Manifest, new: &Manifest) -> Vec<String> {
    let as_map = |m: &Manifest| match serde_json::to_value(m) {
        Ok(serde_json::Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    };
    let (old, new) = (as_map(old), as_map(new));
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = keys.into_iter().filter(|k| old.get(*k) != new.get(*k) && !AT_ONCE.contains(&k.as_str()));
    differing
        .map(|k| if BOTH.contains(&k.as_str()) { format!("{k} (what is shared has changed)") } else { k.clone() })
        .collect()
}

/// Stores private keys beside the operator's other SSH keys, readable by the operator alone.
fn save_key(site: &Site, terminal: &Terminal, dry_run: bool) -> SaveKey {
    let (vpc, terminal) = (site.vpc.clone(), terminal.clone());
    Arc::new(move |name, pem| {
        debug_assert!(!dry_run, "a dry run creates no key");
        let path = write_key(&key_directory()?, &format!("{name}-{vpc}"), pem)?;
        terminal.say(&format!("Private key: {}", path.display()));
        Ok(())
    })
}

/// Where private keys are stored.
pub(super) fn key_directory() -> Result<PathBuf> {
    let home = etcetera::home_dir().map_err(|_| {
        Error::failed("there is no home directory to store the private key in")
            .hint("Set HOME, or `ssh_key: false` in the manifest: with `managed_policies: [AmazonSSMManagedInstanceCore]` instances can be reached through Session Manager without a key.")
    })?;
    Ok(home.join(".ssh"))
}

/// Writes to the first free one of `stem.pem`, `stem-2.pem`, ..: no older key is overwritten.
fn write_key(directory: &Path, stem: &str, pem: &str) -> Result<PathBuf> {
    let fail = |path: &Path, e: std::io::Error| {
        Error::failed(format!("private key {} cannot be written: {e}", path.display()))
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(directory).map_err(|e| fail(directory, e))?;
    for n in 1..1000 {
        let path = directory.join(if n == 1 { format!("{stem}.pem") } else { format!("{stem}-{n}.pem") });
        match options.open(&path) {
            Ok(mut file) => {
                file.write_all(pem.as_bytes()).map_err(|e| fail(&path, e))?;
                return Ok(path);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(fail(&path, e)),
        }
    }
    Err(Error::failed(format!("there are a thousand keys {stem}*.pem in {} already", directory.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let first = write_key(dir.path(), "app-x-vpc-1", "one").unwrap();
        let second = write_key(dir.path(), "app-x-vpc-1", "two").unwrap();
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "one");
        assert!(second.ends_with("app-x-vpc-1-2.pem"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_only_new_versions_get() {
        let parse = |text: &str| manifest::parse(text, "test").unwrap();
        let old = parse("application_name: a\nexposed_ports: [80]\n");
        let new = parse(
            "application_name: a\nexposed_ports: [81]\ninstance_type: t3.large\nmanaged_policies: [ReadOnlyAccess]\n",
        );
        assert_eq!(only_new_versions(&old, &new), ["exposed_ports (what is shared has changed)", "instance_type"]);
    }
}
