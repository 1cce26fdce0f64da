//! Where a command works: the connection, the settings of operator and VPC, the network.
use crate::settings::Settings;
use aws_core::{
    Error, Result,
    cloud::{
        Cloud, ConnectOptions, lookups,
        network::{self, Place},
    },
    engine::Cancel,
    model::{ApplicationName, Owner},
    registry::{
        parameters::{self, Start},
        settings::VpcSettings,
    },
};
use std::sync::atomic::{AtomicBool, Ordering};
use terminal::Terminal;

/// What every command gets.
#[derive(Clone)]
pub struct Session {
    /// Where output goes.
    pub terminal: Terminal,
    /// The operator's Ctrl-C.
    pub cancel: Cancel,
    /// Flags, environment and profile.
    pub settings: Settings,
}

impl Session {
    /// Connects to the account and region of the settings; calls nothing yet.
    ///
    /// # Errors
    /// When no region is set.
    pub async fn connect(&self) -> Result<Cloud> {
        if let Some(place) = &self.settings.values.sandbox {
            let region = self.settings.values.region.as_deref();
            let region = region.ok_or_else(|| Error::usage("the sandbox's profile names no region"))?;
            return sandbox::connect(&place.endpoint, region).await;
        }
        Cloud::connect(ConnectOptions {
            region: self.settings.values.region.clone(),
            tool: "minion",
            on_throttle: self.terminal.on_throttle(),
            in_flight: self.cancel.in_flight().clone(),
            ..ConnectOptions::default()
        })
        .await
    }

    /// Connects, and takes the VPC from the settings.
    ///
    /// # Errors
    /// When no region or VPC is set.
    pub async fn site(&self) -> Result<Site> {
        let vpc = self.settings.vpc()?.to_owned();
        let (settings, terminal) = (self.settings.clone(), self.terminal.clone());
        Ok(Site { cloud: self.connect().await?, vpc, settings, terminal, warned: AtomicBool::new(false) })
    }
}

/// One VPC, seen by one operator.
pub struct Site {
    /// The connection.
    pub cloud: Cloud,
    /// The VPC's id.
    pub vpc: String,
    /// Flags, environment and profile.
    pub settings: Settings,
    /// Where warnings go.
    terminal: Terminal,
    /// Whether it was said what of the old `Config` tag is ignored.
    warned: AtomicBool,
}

/// What is known about the place once it was read: the VPC's own settings, and its network.
pub struct Ground {
    /// Settings of the VPC, the old `Config` tag included.
    pub vpc_settings: VpcSettings,
    /// The stored manifest of the application that was asked for.
    pub manifest: Option<String>,
    /// The network.
    pub place: Place,
}

impl Site {
    /// Reads the VPC's settings, an application's stored manifest, and the network, all at once.
    ///
    /// # Errors
    /// When a call fails or the VPC does not exist.
    pub async fn ground(&self, application: Option<&ApplicationName>) -> Result<Ground> {
        let (start, place) = tokio::try_join!(self.start(application), network::load(&self.cloud, &self.vpc))?;
        let vpc_settings = self.filled(start.settings, &place);
        Ok(Ground { vpc_settings, manifest: start.manifest, place })
    }

    /// The VPC's settings, filled from its old `Config` tag. What of that is ignored, is said once.
    pub fn filled(&self, settings: VpcSettings, place: &Place) -> VpcSettings {
        let (settings, ignored) = settings.or(place.config_tag.as_deref());
        if !self.warned.swap(true, Ordering::Relaxed) {
            ignored.iter().for_each(|warning| self.terminal.warn(warning));
        }
        settings
    }

    /// Reads the VPC's settings and an application's stored manifest: one call.
    pub async fn start(&self, application: Option<&ApplicationName>) -> Result<Start> {
        parameters::read_start(&self.cloud, &self.vpc, application.map(ApplicationName::as_str)).await
    }

    /// The domain: the operator's, else the VPC's.
    ///
    /// # Errors
    /// When neither is set.
    pub fn domain(&self, vpc_settings: &VpcSettings) -> Result<String> {
        let found = self.settings.values.domain.clone().or_else(|| vpc_settings.domain.clone());
        found.map(|d| d.trim_end_matches('.').to_owned()).ok_or_else(|| {
            Error::usage("no domain is set").hint("Run `minion configure`, or give --domain (or MINION_DOMAIN): the hosted zone in which the applications get their names.")
        })
    }

    /// The domain: the operator's, the VPC's, or that of the VPC's old `Config` tag, which costs calls of its own.
    ///
    /// # Errors
    /// A usage error when none is set; what AWS answers.
    pub async fn any_domain(&self, read: Option<&VpcSettings>) -> Result<String> {
        if let Some(domain) = &self.settings.values.domain {
            return Ok(domain.clone());
        }
        let settings = match read {
            Some(settings) => settings.clone(),
            None => self.start(None).await?.settings,
        };
        match self.domain(&settings) {
            Ok(domain) => Ok(domain),
            Err(_) => {
                let place = network::load(&self.cloud, &self.vpc).await?;
                self.domain(&self.filled(settings, &place))
            }
        }
    }

    /// The hosted zones of the domain: the VPC's private one, and public ones.
    pub async fn zones(&self, domain: &str) -> Result<Vec<lookups::Zone>> {
        lookups::zones(&self.cloud, &self.vpc, domain).await
    }

    /// The hosted zone for records of internal, or of public, load balancers.
    ///
    /// # Errors
    /// When there is none, or when there are two and `--zone-id` does not choose.
    pub fn choose_zone<'z>(
        &self,
        zones: &'z [lookups::Zone],
        domain: &str,
        internal: bool,
    ) -> Result<&'z lookups::Zone> {
        if zones.is_empty() {
            return Err(Error::not_found(format!(
                "there is no hosted zone {domain} that is public or belongs to {}",
                self.vpc
            ))
            .hint("Create the hosted zone, associate it with the VPC, or give another --domain."));
        }
        lookups::choose_zone(zones, internal, self.settings.values.zone_id.as_deref())
    }

    /// The owner tags of what belongs to an application, or to one of its versions.
    pub fn owner(&self, application: &ApplicationName, version: Option<&str>) -> Owner {
        Owner {
            tool: "minion",
            vpc: self.vpc.clone(),
            team: None,
            application: application.to_string(),
            version: version.map(str::to_owned),
            extra: std::collections::BTreeMap::new(),
        }
    }
}

impl Site {
    /// The application's stored manifest, as text.
    ///
    /// # Errors
    /// When there is none: the application does not exist.
    pub fn stored_manifest<'t>(&self, name: &ApplicationName, stored: Option<&'t str>) -> Result<&'t str> {
        stored.ok_or_else(|| {
            Error::not_found(format!("application {name} does not exist in {} ({})", self.vpc, self.cloud.region()))
                .hint("`minion applications` lists those there are; `minion applications create MANIFEST` creates one.")
        })
    }
}
