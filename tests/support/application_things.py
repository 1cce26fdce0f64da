"""A region's applications, parameters and log groups, for the dump."""

import base64
import collections
import gzip
import re

from moto.ec2.models import ec2_backends
from moto.ssm.models import ssm_backends

from canonical import Thing
from network_things import GONE, tag
from pages import pages

# The tag that Auto Scaling puts on instances.
GROUP = "aws:autoscaling:groupName"
HISTORY = re.compile(r"/(minion|overlord)/[^/]+/history")


def _counted(items):
    return dict(sorted(collections.Counter(items).items()))


def _user_data(text):
    data = base64.b64decode(text)
    return (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8", "replace")


def instances(account):
    """Those of groups are counted, by state and tags. Not through the API, which takes longest for them of all."""
    ec2, backend = account.client("ec2"), ec2_backends[account.number][account.region]
    counts, others = collections.Counter(), []
    for instance in [i for r in backend.all_reservations() for i in r.instances]:
        tags = {t["key"]: t["value"] for t in instance.get_tags()}
        if instance.state in ("terminated", "shutting-down"):
            continue
        if GROUP in tags:
            words = " ".join(sorted(f"{key}={value}" for key, value in tags.items()))
            counts[f"{tags[GROUP]} {instance.state} {words}"] += 1
        else:
            others.append(instance.id)
    if others:
        for reservation in pages(ec2, "describe_instances", "Reservations", InstanceIds=others):
            for instance in reservation["Instances"]:
                yield from _instance(ec2, instance)
    for name, count in counts.items():
        yield Thing("instances", name, [], {"count": count})
    volumes = [(v.status, v.size, dict((t["key"], t["value"]) for t in v.get_tags())) for v in backend.volumes.values()]
    for name, count in _counted(f"{status} {size} {tags.get('Name')}" for status, size, tags in volumes).items():
        yield Thing("volumes", name, [], {"count": count})


def _instance(ec2, instance):
    """One that no group made."""
    attribute = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    script = attribute.get("UserData", {}).get("Value")
    groups = [i.get("Groups") for i in instance.get("NetworkInterfaces", [])]
    kept = {
        name: instance.get(name)
        for name in (
            "ImageId InstanceType KeyName SubnetId VpcId Tags State SourceDestCheck SecurityGroups IamInstanceProfile "
            "MetadataOptions"
        ).split()
    }
    fields = {**kept, "UserData": _user_data(script) if script else None, "InterfaceGroups": groups}
    ids = [instance["InstanceId"], instance.get("PublicIpAddress"), instance.get("PublicDnsName")]
    ids += [i["NetworkInterfaceId"] for i in instance.get("NetworkInterfaces", [])]
    yield Thing("instance", tag(instance) or f"in {instance.get('SubnetId')}", ids, fields)


def templates(account):
    ec2 = account.client("ec2")
    # moto answers with 15 and no token unless it is asked for more.
    for template in ec2.describe_launch_templates(MaxResults=10000)["LaunchTemplates"]:
        known = template["LaunchTemplateId"]
        versions = pages(ec2, "describe_launch_template_versions", "LaunchTemplateVersions", LaunchTemplateId=known)
        for version in versions:
            data = version["LaunchTemplateData"]
            if data.get("UserData"):
                data["UserData"] = _user_data(data["UserData"])
        yield Thing("launch template", template["LaunchTemplateName"], [known], {**template, "Versions": versions})
    for pair in pages(ec2, "describe_key_pairs", "KeyPairs"):
        yield Thing("key pair", pair["KeyName"], [pair["KeyPairId"]], pair)


def scaling_groups(account):
    scaling = account.client("autoscaling")
    groups = pages(scaling, "describe_auto_scaling_groups", "AutoScalingGroups")
    # On AWS they go with their group; moto keeps them.
    policies = pages(scaling, "describe_policies", "ScalingPolicies")
    for group in groups:
        name = group["AutoScalingGroupName"]
        group["Instances"] = _counted(f"{i['LifecycleState']} {i['HealthStatus']}" for i in group["Instances"])
        group["VPCZoneIdentifier"] = group.get("VPCZoneIdentifier", "").split(",")
        yield Thing("auto scaling group", name, [group["AutoScalingGroupARN"]], group)
        for policy in [p for p in policies if p["AutoScalingGroupName"] == name]:
            yield Thing("scaling policy", f"{name} {policy['PolicyName']}", [policy["PolicyARN"]], policy)


def _tags(elb, arns):
    """Tags by ARN."""
    if not arns:
        return {}
    # AWS takes 20 at a time.
    parts = [arns[at : at + 20] for at in range(0, len(arns), 20)]
    found = [d for part in parts for d in elb.describe_tags(ResourceArns=part)["TagDescriptions"]]
    return {d["ResourceArn"]: d["Tags"] for d in found}


def balancers(account):
    elb = account.client("elbv2")
    balancers = pages(elb, "describe_load_balancers", "LoadBalancers")
    tags = _tags(elb, [b["LoadBalancerArn"] for b in balancers])
    for balancer in balancers:
        arn, name = balancer["LoadBalancerArn"], balancer["LoadBalancerName"]
        attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        told = {**balancer, "Attributes": attributes, "Tags": tags.get(arn)}
        yield Thing("load balancer", name, [arn, arn.split("/")[-1], balancer["DNSName"]], told)
        listeners = pages(elb, "describe_listeners", "Listeners", LoadBalancerArn=arn)
        of_listeners = _tags(elb, [listener["ListenerArn"] for listener in listeners])
        for listener in listeners:
            known = listener["ListenerArn"]
            rules = pages(elb, "describe_rules", "Rules", ListenerArn=known)
            rules = [{k: v for k, v in rule.items() if k != "RuleArn"} for rule in rules if not rule["IsDefault"]]
            told = {**listener, "Rules": rules, "Tags": of_listeners.get(known)}
            yield Thing("listener", f"{name}:{listener['Port']}", [known], told)


def target_groups(account):
    elb = account.client("elbv2")
    groups = pages(elb, "describe_target_groups", "TargetGroups")
    tags = _tags(elb, [g["TargetGroupArn"] for g in groups])
    for group in groups:
        arn = group["TargetGroupArn"]
        attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        targets = _counted(f"{h['Target'].get('Port')} {h['TargetHealth']['State']}" for h in health)
        told = {**group, "Attributes": attributes, "Tags": tags.get(arn), "Targets": targets}
        yield Thing("target group", group["TargetGroupName"], [arn, arn.split("/")[-1]], told)


def parameters(account):
    """All but AWS's own, of which there are thousands."""
    ssm = account.client("ssm")
    # Asked for by path, moto goes through AWS's own too.
    backend = ssm_backends[account.number][account.region]
    for name in [n for n in dict.keys(backend._parameters) if not n.startswith("/aws/")]:
        if not backend._parameters[name]:
            continue
        found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        value = found["Value"]
        if "/leases/" in name:
            # How often it was taken is of no matter; whether somebody has it, is.
            value = "free" if '"free":true' in value else "held"
        fields = {"Value": value, "Type": found["Type"], "Tags": tags}
        yield Thing("parameter", name, [], fields)


def logs(account):
    client = account.client("logs")
    for group in pages(client, "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        if not HISTORY.fullmatch(name):
            tags = client.list_tags_log_group(logGroupName=name)["tags"]
            yield Thing("log group", name, [], {"retentionInDays": group.get("retentionInDays"), "tags": tags})


def certificates(account):
    acm = account.client("acm")
    for summary in pages(acm, "list_certificates", "CertificateSummaryList"):
        arn = summary["CertificateArn"]
        certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        tags = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
        records = [o["ResourceRecord"] for o in certificate.get("DomainValidationOptions", []) if "ResourceRecord" in o]
        made_up = [end.rstrip(".") for record in records for end in (record["Name"], record["Value"])]
        names = certificate.get("SubjectAlternativeNames")
        told = {
            **{n: certificate.get(n) for n in ("DomainName", "Status", "Type", "KeyAlgorithm", "Options")},
            "SubjectAlternativeNames": names,
            "Tags": tags,
        }
        yield Thing("certificate", certificate["DomainName"], [arn, *made_up], told)


def shares(account):
    ram = account.client("ram")
    for share in ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]:
        if share["status"] in GONE:
            continue
        arn = share["resourceShareArn"]
        associations = {
            kind: ram.get_resource_share_associations(associationType=kind, resourceShareArns=[arn])[
                "resourceShareAssociations"
            ]
            for kind in ("PRINCIPAL", "RESOURCE")
        }
        yield Thing("resource share", share["name"], [arn], {**share, **associations})


def trails(account):
    cloudtrail = account.client("cloudtrail")
    for trail in cloudtrail.describe_trails(includeShadowTrails=False)["trailList"]:
        if trail.get("HomeRegion") != account.region:
            continue
        arn = trail["TrailARN"]
        logging = cloudtrail.get_trail_status(Name=arn)["IsLogging"]
        tags = cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"]
        yield Thing("trail", trail["Name"], [arn], {**trail, "IsLogging": logging, "Tags": tags})


READERS = (
    instances,
    templates,
    scaling_groups,
    balancers,
    target_groups,
    parameters,
    logs,
    certificates,
    shares,
    trails,
)
