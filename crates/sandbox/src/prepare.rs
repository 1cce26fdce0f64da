//! What every region of AWS has and the emulator lacks: machine images that AWS names in public parameters. The
//! emulator lets nobody put a parameter under `/aws/`, so the gateway answers for them.
use aws_core::{
    Result,
    cloud::{Cloud, Told as _},
};
use std::collections::BTreeMap;

/// The parameters that name AWS's machine images, and the architecture of each.
const IMAGES: [(&str, &str); 4] = [
    ("/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id", "x86_64"),
    ("/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id", "arm64"),
    ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "x86_64"),
    ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64", "arm64"),
];

/// Makes a machine image for each architecture; the parameters and their values.
pub(crate) async fn prepare(cloud: &Cloud) -> Result<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    for (name, architecture) in IMAGES {
        parameters.insert(name.to_owned(), machine_image(cloud, architecture).await?);
    }
    Ok(parameters)
}

/// The hosted zone of the applications' names.
pub(crate) async fn zone(cloud: &Cloud, domain: &str) -> Result<()> {
    let route53 = cloud.route53();
    let known = route53.list_hosted_zones_by_name().dns_name(domain).max_items(1).send().await.told(cloud, domain)?;
    if known.hosted_zones().iter().any(|zone| zone.name().trim_end_matches('.') == domain) {
        return Ok(());
    }
    let create = route53.create_hosted_zone().name(domain).caller_reference(format!("minion-sandbox-{domain}"));
    create.send().await.told(cloud, domain).map(drop)
}

/// A machine image of the emulator; what it boots is the sandbox's own image all the same.
async fn machine_image(cloud: &Cloud, architecture: &str) -> Result<String> {
    use aws_sdk_ec2::types::{ArchitectureValues, Filter};
    let name = format!("minion-sandbox-{architecture}");
    let filter = Filter::builder().name("name").values(&name).build();
    let known = cloud.ec2().describe_images().filters(filter).send().await.told(cloud, &name)?;
    if let Some(id) = known.images().iter().find_map(|image| image.image_id()) {
        return Ok(id.to_owned());
    }
    let register = cloud.ec2().register_image().name(&name).root_device_name("/dev/xvda").virtualization_type("hvm");
    let made = register.architecture(ArchitectureValues::from(architecture)).send().await.told(cloud, &name)?;
    Ok(made.image_id.unwrap_or_default())
}
