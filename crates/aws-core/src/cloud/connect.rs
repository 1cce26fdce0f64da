//! Credentials, region, clients.
use super::{
    Told as _,
    errors::Lost,
    memory::Memory,
    profile_files::ProfileFiles,
    retries::{self, OnThrottle, Retries},
    role::{AssumedRole, RoleCredentials},
};
use crate::{
    Error, Result,
    engine::{InFlight, Room, Wanted, World},
};
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig, identity::IdentityCache, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use futures::{FutureExt as _, future::BoxFuture};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::OnceCell;

/// What decides whom we talk to, beside the AWS environment variables and files.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The region; else AWS's own settings decide.
    pub region: Option<String>,
    /// The name under which calls appear in CloudTrail: `minion` or `overlord`.
    pub tool: &'static str,
    /// Every service's address, for the sandbox and for tests; no proxy sees what is said to it. Else AWS's own
    /// settings decide.
    pub endpoint: Option<String>,
    /// Access key id and secret access key, for the sandbox and for tests: with these, no profile of
    /// this machine is read. Else AWS's own settings decide.
    pub credentials: Option<(String, String)>,
    /// Hears when a service limits the rate of calls.
    pub on_throttle: OnThrottle,
    /// Where calls that write are noted while they are under way.
    pub in_flight: InFlight,
}
impl Default for ConnectOptions {
    fn default() -> Self {
        let (on_throttle, in_flight) = Default::default();
        Self { region: None, tool: "minion", endpoint: None, credentials: None, on_throttle, in_flight }
    }
}

/// One account and region: clients, made when first used, and what was read in this run.
pub struct Cloud {
    config: SdkConfig,
    region: String,
    memory: Memory,
    caller: Arc<OnceCell<Caller>>,
    clients: Clients,
    on_throttle: OnThrottle,
    in_flight: InFlight,
    /// A sandbox, and a test of one kind of resource, have no quotas.
    has_quotas: bool,
    pub(super) lost: Lost,
}

/// Whose credentials these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account's number.
    pub account: String,
    /// The user, or the role and its session.
    pub arn: String,
}

/// Connection must stand within this.
const CONNECT: Duration = Duration::from_secs(5);
/// One try of a call.
const ATTEMPT: Duration = Duration::from_secs(30);
/// A call with all its retries, and with its wait for its turn where AWS limits the rate of calls.
const OPERATION: Duration = Duration::from_secs(600);

/// Makes a client that tries again as [`retries`] says.
macro_rules! with_retries {
    ($cloud:ident, $config:expr, $service:literal) => {
        $config
            .retry_config(retries::config())
            .interceptor(Retries {
                service: $service,
                told: $cloud.on_throttle.clone(),
                in_flight: $cloud.in_flight.clone(),
            })
            .retry_partition(retries::partition($service))
            .build()
    };
}

macro_rules! clients {
    ($($name:ident: $krate:ident, $service:literal;)*) => {
        #[derive(Clone, Default)]
        struct Clients {
            $($name: OnceLock<$krate::Client>,)*
            s3: OnceLock<aws_sdk_s3::Client>,
            s3control: OnceLock<aws_sdk_s3control::Client>,
        }
        impl Cloud {
            $(
                #[doc = concat!("The client of ", $service, ".")]
                pub fn $name(&self) -> &$krate::Client {
                    self.clients.$name.get_or_init(|| {
                        let config = $krate::config::Builder::from(&self.config);
                        $krate::Client::from_conf(with_retries!(self, config, $service))
                    })
                }
            )*
        }
    };
}
clients! {
    acm: aws_sdk_acm, "AWS Certificate Manager";
    autoscaling: aws_sdk_autoscaling, "Auto Scaling";
    budgets: aws_sdk_budgets, "AWS Budgets";
    cloudtrail: aws_sdk_cloudtrail, "CloudTrail";
    costs: aws_sdk_costexplorer, "Cost Explorer";
    ec2: aws_sdk_ec2, "EC2";
    ecr: aws_sdk_ecr, "the container registry";
    elb: aws_sdk_elasticloadbalancingv2, "Elastic Load Balancing";
    iam: aws_sdk_iam, "IAM";
    logs: aws_sdk_cloudwatchlogs, "CloudWatch Logs";
    organizations: aws_sdk_organizations, "AWS Organizations";
    quotas: aws_sdk_servicequotas, "Service Quotas";
    ram: aws_sdk_ram, "Resource Access Manager";
    route53: aws_sdk_route53, "Route 53";
    secretsmanager: aws_sdk_secretsmanager, "Secrets Manager";
    ssm: aws_sdk_ssm, "Systems Manager";
    sts: aws_sdk_sts, "the Security Token Service";
}

/// The clients whose addresses hold a bucket's name or an account's number in front of the host's name. That needs
/// names that resolve: at an address given by hand (the sandbox, a test) it goes into the path instead.
impl Cloud {
    /// The client of S3.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.clients.s3.get_or_init(|| {
            let config = aws_sdk_s3::config::Builder::from(&self.config);
            let path = self.config.endpoint_url().is_some();
            aws_sdk_s3::Client::from_conf(with_retries!(self, config.force_path_style(path), "S3"))
        })
    }
    /// The client of S3's account-wide settings.
    pub fn s3control(&self) -> &aws_sdk_s3control::Client {
        self.clients.s3control.get_or_init(|| {
            let mut config = aws_sdk_s3control::config::Builder::from(&self.config);
            if let Some(url) = self.config.endpoint_url() {
                config = config.endpoint_resolver(Given(url.to_owned()));
            }
            aws_sdk_s3control::Client::from_conf(with_retries!(self, config, "S3 Control"))
        })
    }
}

/// An address that is used as it is.
#[derive(Debug)]
struct Given(String);
impl aws_sdk_s3control::config::endpoint::ResolveEndpoint for Given {
    fn resolve_endpoint<'a>(
        &'a self,
        _: &'a aws_sdk_s3control::config::endpoint::Params,
    ) -> aws_sdk_s3control::config::endpoint::EndpointFuture<'a> {
        use aws_smithy_types::endpoint::Endpoint;
        aws_sdk_s3control::config::endpoint::EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

impl Cloud {
    /// The same credentials in another region; nothing is called, and nothing that was read is shared.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        self.with(self.config.to_builder(), region)
    }

    /// Another role's credentials, got with these; nothing is called yet.
    pub fn assume(&self, role: &AssumedRole, region: &str) -> Self {
        let credentials = RoleCredentials { sts: self.sts().clone(), role: role.clone() };
        let config = self.config.to_builder().credentials_provider(SharedCredentialsProvider::new(credentials));
        // As long as any call may wait for its turn.
        let cache = IdentityCache::lazy().load_timeout(OPERATION).build();
        self.with(config.identity_cache(cache), region)
    }

    fn new(config: SdkConfig, region: String, on_throttle: OnThrottle, in_flight: InFlight) -> Self {
        let (memory, caller, clients, lost) = Default::default();
        Self { config, region, memory, caller, clients, on_throttle, in_flight, has_quotas: true, lost }
    }

    fn with(&self, config: aws_types::sdk_config::Builder, region: &str) -> Self {
        let config = config.region(Region::new(region.to_owned())).build();
        let new = Self::new(config, region.to_owned(), self.on_throttle.clone(), self.in_flight.clone());
        Self { has_quotas: self.has_quotas, ..new }
    }

    /// The same connection, for work that goes on beside the command's: what one of them reads, the other does not see.
    #[must_use]
    pub fn beside(&self) -> Self {
        let (config, region) = (self.config.clone(), self.region.clone());
        let own = Self::new(config, region, self.on_throttle.clone(), self.in_flight.clone());
        Self { caller: self.caller.clone(), clients: self.clients.clone(), has_quotas: self.has_quotas, ..own }
    }

    /// Whether quotas are read and judged here.
    pub(super) fn has_quotas(&self) -> bool {
        self.has_quotas
    }

    /// Whose credentials these are; asked for once.
    pub async fn caller(&self) -> Result<&Caller> {
        let load = async {
            let who = self.sts().get_caller_identity().send().await.told(self, "")?;
            let account =
                who.account.ok_or_else(|| Error::failed("sts:GetCallerIdentity answered without an account"))?;
            Ok(Caller { account, arn: who.arn.unwrap_or_default() })
        };
        self.caller.get_or_try_init(|| load).await
    }

    /// The account's number; asked for once.
    pub async fn account(&self) -> Result<String> {
        self.caller().await.map(|caller| caller.account.clone())
    }

    /// The account's number, if it was asked for already.
    pub(super) fn known_account(&self) -> Option<String> {
        self.caller.get().map(|caller| caller.account.clone())
    }
}

impl Cloud {
    /// Reads AWS's settings and makes a connection; calls nothing yet.
    ///
    /// # Errors
    /// When no region is set anywhere.
    pub async fn connect(options: ConnectOptions) -> Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            // For what the SDK calls by itself: roles, single sign-on.
            .retry_config(retries::config().with_max_attempts(4))
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
        let has_quotas = options.endpoint.is_none();
        if let Some(endpoint) = options.endpoint {
            loader = loader.endpoint_url(endpoint).http_client(without_proxy());
        }
        let profiles = ProfileFiles::read(&variable);
        match options.credentials {
            Some((id, secret)) => {
                let given = Credentials::new(id, secret, None, None, "given");
                loader = without_profiles(loader).credentials_provider(given);
            }
            None => loader = profiles.given_to(loader),
        }
        let config = loader.load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            if let Some(fault) = profiles.fault().await {
                return Err(fault);
            }
            return Err(Error::usage("no AWS region is set").hint("Give --region, set AWS_REGION, or run `configure`."));
        };
        Ok(Self { has_quotas, ..Self::new(config, region, options.on_throttle, options.in_flight) })
    }

    /// Whether AWS's own settings name a region.
    ///
    /// # Errors
    /// When there is none because the files of profiles cannot be read, or lack the profile that was chosen.
    pub async fn has_region() -> Result<bool> {
        let profiles = ProfileFiles::read(&variable);
        let config = profiles.given_to(aws_config::defaults(BehaviorVersion::latest())).load().await;
        match config.region() {
            Some(_) => Ok(true),
            None => profiles.fault().await.map_or(Ok(false), Err),
        }
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
        // Boxed: each function that a future is handed through would else hold it once more.
        self.memory.once(key.into(), Box::pin(load)).await
    }
}

/// A variable of the environment that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The SDK's own client takes the environment's proxy, even to loopback.
fn without_proxy() -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    use aws_smithy_http_client::{
        Builder,
        tls::{Provider, rustls_provider::CryptoMode},
    };
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
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
    fn room<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Room> {
        self.room_for(wanted).boxed()
    }
}

#[cfg(test)]
impl Cloud {
    /// The same with quotas, for a test of them.
    pub(super) fn with_quotas(self) -> Self {
        Self { has_quotas: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        process::Command,
    };

    /// Run by the test below, in a process whose environment names a proxy.
    #[tokio::test]
    #[ignore = "needs the environment of the test below"]
    async fn called_with_a_proxy() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 8192]).unwrap();
            let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                .unwrap();
        });
        let credentials = Some(("id".to_owned(), "secret".to_owned()));
        let options = ConnectOptions { region: Some("eu-west-1".into()), endpoint, credentials, ..Default::default() };
        let cloud = Cloud::connect(options).await.unwrap();
        assert_eq!(cloud.account().await.unwrap(), "123456789012");
        server.join().unwrap();
    }

    #[test]
    fn no_proxy_sees_what_is_said_to_an_endpoint_that_was_given() {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--ignored", "--exact", "cloud::connect::tests::called_with_a_proxy"]);
        for name in ["NO_PROXY", "no_proxy", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"] {
            child.env_remove(name);
        }
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            // Nobody listens there.
            child.env(name, "http://127.0.0.1:1");
        }
        let ran = child.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    }
}
