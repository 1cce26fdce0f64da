//! What an account on AWS has and the emulator lacks: the parameters of AWS's machine images.
use aws_core::{
    Result,
    cloud::{Cloud, Told as _},
};
use aws_sdk_ssm::types::ParameterType;

/// The parameters that name AWS's machine images, and the architecture of each.
const IMAGES: [(&str, &str); 4] = [
    ("/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id", "x86_64"),
    ("/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id", "arm64"),
    ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "x86_64"),
    ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64", "arm64"),
];

/// Puts what is missing.
///
/// # Errors
/// What the emulator answers.
pub(crate) async fn prepare(cloud: &Cloud) -> Result<()> {
    for (parameter, architecture) in IMAGES {
        let known = cloud.ssm().get_parameter().name(parameter).send().await;
        if known.is_ok() {
            continue;
        }
        let id = machine_image(cloud, architecture).await?;
        let put = cloud.ssm().put_parameter().name(parameter).value(id).r#type(ParameterType::String).overwrite(true);
        put.send().await.told(cloud, "ssm:PutParameter", parameter)?;
    }
    Ok(())
}

/// A machine image of the emulator; what it boots is the sandbox's own image all the same.
async fn machine_image(cloud: &Cloud, architecture: &str) -> Result<String> {
    use aws_sdk_ec2::types::{ArchitectureValues, Filter};
    let name = format!("minion-sandbox-{architecture}");
    let filter = Filter::builder().name("name").values(&name).build();
    let known = cloud.ec2().describe_images().filters(filter).send().await.told(cloud, "ec2:DescribeImages", &name)?;
    if let Some(id) = known.images().iter().find_map(|image| image.image_id()) {
        return Ok(id.to_owned());
    }
    let register = cloud.ec2().register_image().name(&name).root_device_name("/dev/xvda").virtualization_type("hvm");
    let made = register.architecture(ArchitectureValues::from(architecture)).send().await;
    let made = made.told(cloud, "ec2:RegisterImage", &name)?;
    Ok(made.image_id.unwrap_or_default())
}
