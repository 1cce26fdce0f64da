//! Credentials, region, clients.
use super::memory::Memory;
use crate::{Error, Result, engine::World};
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// What decides whom we talk to, beside the AWS environment variables and files.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The region; else AWS's own settings decide.
    pub region: Option<String>,
    /// The name under which calls appear in CloudTrail: `minion` or `overlord`.
    pub tool: &'static str,
    /// Every service's address, for the sandbox and for tests; else AWS's own settings decide.
    pub endpoint: Option<String>,
    /// Access key id and secret access key, for the sandbox and for tests: with these, no profile of
    /// this machine is read. Else AWS's own settings decide.
    pub credentials: Option<(String, String)>,
}
impl Default for ConnectOptions {
    fn default() -> Self {
        Self { region: None, tool: "minion", endpoint: None, credentials: None }
    }
}

/// One account and region: clients, made when first used, and what was read in this run.
pub struct Cloud {
    config: SdkConfig,
    region: String,
    memory: Memory,
    clients: Clients,
}

/// Connection must stand within this.
const CONNECT: Duration = Duration::from_secs(5);
/// One try of a call, and a call with all its retries.
const ATTEMPT: Duration = Duration::from_secs(30);
const OPERATION: Duration = Duration::from_secs(120);

macro_rules! clients {
    ($($name:ident: $krate:ident, $service:literal;)*) => {
        #[derive(Default)]
        struct Clients {
            $($name: OnceLock<$krate::Client>,)*
        }
        impl Cloud {
            $(
                #[doc = concat!("The client of ", $service, ".")]
                pub fn $name(&self) -> &$krate::Client {
                    self.clients.$name.get_or_init(|| $krate::Client::new(&self.config))
                }
            )*
        }
    };
}
clients! {
    acm: aws_sdk_acm, "AWS Certificate Manager";
    autoscaling: aws_sdk_autoscaling, "Auto Scaling";
    ec2: aws_sdk_ec2, "EC2";
    ecr: aws_sdk_ecr, "the container registry";
    elb: aws_sdk_elasticloadbalancingv2, "Elastic Load Balancing";
    iam: aws_sdk_iam, "IAM";
    logs: aws_sdk_cloudwatchlogs, "CloudWatch Logs";
    route53: aws_sdk_route53, "Route 53";
    ssm: aws_sdk_ssm, "Systems Manager";
    sts: aws_sdk_sts, "the Security Token Service";
}

impl Cloud {
    /// Reads AWS's settings and makes a connection; calls nothing yet.
    ///
    /// # Errors
    /// When no region is set anywhere.
    pub async fn connect(options: ConnectOptions) -> Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::adaptive().with_max_attempts(4))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .operation_attempt_timeout(ATTEMPT)
                    .operation_timeout(OPERATION)
                    .build(),
            )
            .app_name(
                aws_config::AppName::new(format!("{}-{}", options.tool, env!("CARGO_PKG_VERSION")))
                    .expect("letters, digits, dots and dashes are allowed in an app name"),
            );
        if let Some(region) = options.region {
            loader = loader.region(Region::new(region));
        }
        if let Some(endpoint) = options.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some((id, secret)) = options.credentials {
            loader = without_profiles(loader).credentials_provider(Credentials::new(id, secret, None, None, "given"));
        }
        let config = loader.load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Error::usage("no AWS region is set").hint("Give --region, set AWS_REGION, or run `configure`."));
        };
        Ok(Self { config, region, memory: Memory::default(), clients: Clients::default() })
    }

    /// Whether AWS's own settings name a region.
    pub async fn has_region() -> bool {
        aws_config::default_provider::region::DefaultRegionChain::builder().build().region().await.is_some()
    }

    /// The region's name.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The list of this name: fetched by `load` the first time, shared afterwards, until
    /// [`World::forget`].
    ///
    /// # Errors
    /// What `load` returns; a failure is not remembered.
    pub async fn once<T: Send + Sync + 'static>(
        &self,
        key: impl Into<String>,
        load: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        self.memory.once(key.into(), load).await
    }
}

/// Leaves this machine's AWS profiles unread.
#[expect(deprecated, reason = "the new name of this type is in a crate that is no dependency of ours")]
fn without_profiles(loader: ConfigLoader) -> ConfigLoader {
    use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
    loader.profile_files(ProfileFiles::builder().with_contents(ProfileFileKind::Config, "").build())
}

impl Cloud {
    /// Puts what was just made in the place of what was read before.
    pub fn remember<T: Send + Sync + 'static>(&self, key: impl Into<String>, value: T) {
        self.memory.put(key.into(), value);
    }
}

impl World for Cloud {
    fn forget(&self) {
        self.memory.forget();
    }
}
