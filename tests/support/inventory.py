"""What stands in an account of the emulator.

Read through the AWS API: moto's own /moto-api/data.json goes on showing what was deleted.
"""

import infrastructure
from pages import pages as _pages


def inventory(account):
    """Maps each kind to the names or ids of what there is; kinds without any are left out."""
    return _sorted(_all(account, (_ec2, _scaling, _elb, _iam, _dns, _other)))


def estate(accounts):
    """The same of one account in several regions, and of all kinds: `eu-west-1 vpc`, `role`.

    accounts: the account once for each region.
    """
    found = _all(accounts[0], (_iam, _dns, infrastructure.account_wide))
    for account in accounts:
        regional = _all(account, (_ec2, _scaling, _elb, _other, infrastructure.regional))
        found.update({f"{account.region} {kind}": names for kind, names in regional.items()})
    return _sorted(found)


def _all(account, readers):
    found = {}
    for kinds in readers:
        found.update(kinds(account))
    return found


def _sorted(found):
    return {kind: sorted(names) for kind, names in found.items() if names}


def _ec2(account):
    ec2 = account.client("ec2")
    reservations = _pages(ec2, "describe_instances", "Reservations")
    instances = [i for r in reservations for i in r["Instances"] if i["State"]["Name"] != "terminated"]
    # moto answers with 15 and no token unless it is asked for more.
    templates = ec2.describe_launch_templates(MaxResults=10000)["LaunchTemplates"]
    gone = {"deleted", "deleting"}
    return {
        "vpc": [v["VpcId"] for v in _pages(ec2, "describe_vpcs", "Vpcs")],
        "subnet": [s["SubnetId"] for s in _pages(ec2, "describe_subnets", "Subnets")],
        "route table": [t["RouteTableId"] for t in _pages(ec2, "describe_route_tables", "RouteTables")],
        "nat gateway": [
            n["NatGatewayId"] for n in _pages(ec2, "describe_nat_gateways", "NatGateways") if n["State"] not in gone
        ],
        "address": [a["AllocationId"] for a in _pages(ec2, "describe_addresses", "Addresses")],
        "security group": [
            f"{g['VpcId']}/{g['GroupName']}" for g in _pages(ec2, "describe_security_groups", "SecurityGroups")
        ],
        "key pair": [k["KeyName"] for k in _pages(ec2, "describe_key_pairs", "KeyPairs")],
        "instance": [i["InstanceId"] for i in instances],
        "volume": [v["VolumeId"] for v in _pages(ec2, "describe_volumes", "Volumes")],
        "launch template": [t["LaunchTemplateName"] for t in templates],
    }


def _scaling(account):
    scaling = account.client("autoscaling")
    groups = _pages(scaling, "describe_auto_scaling_groups", "AutoScalingGroups")
    policies = _pages(scaling, "describe_policies", "ScalingPolicies")
    names = [g["AutoScalingGroupName"] for g in groups]
    return {
        "auto scaling group": names,
        # On AWS they go with their group; moto keeps them.
        "scaling policy": [
            f"{p['AutoScalingGroupName']}/{p['PolicyName']}" for p in policies if p["AutoScalingGroupName"] in names
        ],
    }


def _elb(account):
    elb = account.client("elbv2")
    balancers = _pages(elb, "describe_load_balancers", "LoadBalancers")
    listeners = [
        f"{b['LoadBalancerName']}:{listener['Port']}"
        for b in balancers
        for listener in _pages(elb, "describe_listeners", "Listeners", LoadBalancerArn=b["LoadBalancerArn"])
    ]
    return {
        "load balancer": [b["LoadBalancerName"] for b in balancers],
        "listener": listeners,
        "target group": [g["TargetGroupName"] for g in _pages(elb, "describe_target_groups", "TargetGroups")],
    }


def _iam(account):
    iam = account.client("iam")
    profiles = _pages(iam, "list_instance_profiles", "InstanceProfiles")
    roles = _pages(iam, "list_roles", "Roles")
    linked = [r["RoleName"] for r in roles if r["Path"].startswith("/aws-service-role/")]
    return {
        "role": [r["RoleName"] for r in roles if r["RoleName"] not in linked],
        "service-linked role": linked,
        "instance profile": [p["InstanceProfileName"] for p in profiles],
        "policy": [p["PolicyName"] for p in _pages(iam, "list_policies", "Policies", Scope="Local")],
    }


def _dns(account):
    route53 = account.client("route53")
    zones = _pages(route53, "list_hosted_zones", "HostedZones")
    records = []
    for zone in zones:
        for record in _pages(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]):
            if record["Name"] == zone["Name"] and record["Type"] in ("NS", "SOA"):
                continue
            words = [record["Name"].rstrip("."), record["Type"], record.get("SetIdentifier")]
            if "Weight" in record:
                words.append(str(record["Weight"]))
            records.append(" ".join(word for word in words if word))
    return {"hosted zone": [zone["Id"] for zone in zones], "record set": records}


def _other(account):
    logs = account.client("logs")
    ssm = account.client("ssm")
    acm = account.client("acm")
    groups = [g["logGroupName"] for g in _pages(logs, "describe_log_groups", "logGroups")]
    ours = [{"Key": "Path", "Option": "Recursive", "Values": ["/minion", "/overlord"]}]
    return {
        # The history of what was done stays, whatever is deleted.
        "log group": [name for name in groups if not name.endswith("/history")],
        # Not all there are: AWS's own are thousands, in pages of ten.
        "parameter": [p["Name"] for p in _pages(ssm, "describe_parameters", "Parameters", ParameterFilters=ours)],
        "certificate": [c["CertificateArn"] for c in _pages(acm, "list_certificates", "CertificateSummaryList")],
    }
