"""Many versions of many applications, as `minion` itself writes them, for the figures of the bench."""


def versions(
    account, vpc, subnets, domain, zone, applications=100, versions=10, image="registry.example.org/hello"
):
    """Creates `applications` times `versions` Auto Scaling groups, and DNS records for each application.

    The first two versions of each application share its traffic. Returns how many groups there are.
    """
    ec2, scaling, ssm = account.client("ec2"), account.client("autoscaling"), account.client("ssm")
    ami = ssm.get_parameter(Name="/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id")
    template = ec2.create_launch_template(
        LaunchTemplateName="load",
        LaunchTemplateData={"ImageId": ami["Parameter"]["Value"], "InstanceType": "t3.micro"},
    )["LaunchTemplate"]["LaunchTemplateId"]
    balancer = account.client("elbv2").create_load_balancer(Name="load", Subnets=subnets, Scheme="internal")
    balancer = balancer["LoadBalancers"][0]
    names = [f"application-{number:03}" for number in range(applications)]
    wanted = [(name, f"{number}.0") for name in names for number in range(1, versions + 1)]

    def create(number, application, version):
        tags = {
            "Name": f"app-{application}-{version}",
            "managed-by": "minion",
            "team": "team",
            "minion:vpc": vpc,
            "minion:application": application,
            "minion:version": version,
            "minion:image": f"{image}:{version}",
            "minion:image-digest": "sha256:" + "0" * 64,
        }
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=tags["Name"],
            LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
            MinSize=1,
            MaxSize=8,
            DesiredCapacity=1,
            VPCZoneIdentifier=",".join(subnets[number % len(subnets) :] + subnets[: number % len(subnets)]),
            Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],
        )

    for application in names:
        manifest = f"application_name: {application}\nteam_name: team\nexposed_ports: [8080]\n"
        ssm.put_parameter(Name=f"/minion/{vpc}/applications/{application}", Value=manifest, Type="String")
    # One after another: moto answers 500 when two groups are made in an account at the same time.
    # moto puts instances into the first subnet only, and a subnet has an end.
    for number, (application, version) in enumerate(wanted):
        create(number, application, version)
    for application in names:
        _records(account.client("route53"), zone, domain, application, versions, balancer)
    return len(wanted)


def _records(route53, zone, domain, application, versions, balancer):
    alias = {
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "DNSName": balancer["DNSName"],
        "EvaluateTargetHealth": False,
    }

    def change(name, **more):
        record = {"Name": f"{name}.{domain}", "Type": "A", "AliasTarget": alias, **more}
        return {"Action": "CREATE", "ResourceRecordSet": record}

    changes = [change(f"{application}-{number}-0") for number in range(1, versions + 1)]
    for number, weight in ((1, 140), (2, 60)):
        changes.append(change(application, SetIdentifier=f"app-{application}-{number}.0", Weight=weight))
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
