"""A team's place on AWS: what `minion` finds there before its first application.

The layout is the predecessor's: a /19 split 25% public, 25% shared, 50% private, each in 8 slots, one
slot per zone; a NAT gateway per zone; public and private hosted zones; a certificate.
"""

import datetime
import ipaddress
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def seed(
    account,
    cidr="10.2.0.0/19",
    domain="team.example.org",
    layers=("public", "shared", "private"),
    zones=3,
    named=True,
    hosted_zones="both",
    certificate=True,
    settings=None,
    config_tag=None,
    policies=(),
    way_out=True,
):
    """Creates the place.

    layers: which there are. zones: how many availability zones. named: whether subnets have a Name.
    hosted_zones: none, public, private, both, or two (two public ones of the same name).
    settings: YAML of the parameter with the VPC's settings. config_tag: YAML of the VPC's `Config` tag.
    policies: names of managed policies that the account has. way_out: whether subnets lead to the internet.
    """
    ec2 = account.client("ec2")
    remove_default_vpc(ec2)
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    tags = {"Name": "team"}
    if config_tag is not None:
        tags["Config"] = config_tag
    _tag(ec2, vpc, tags)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = _network(ec2, vpc, ipaddress.ip_network(cidr), account.region, layers, zones, named, way_out)
    found = {"region": account.region, "vpc": vpc, "domain": domain, "subnets": subnets}
    found["zones"] = _hosted_zones(account.client("route53"), vpc, account.region, domain, hosted_zones)
    found["certificate_arn"] = _certificate(account.client("acm"), domain) if certificate else None
    if settings is not None:
        account.client("ssm").put_parameter(Name=f"/minion/{vpc}/settings", Value=settings, Type="String")
    for policy in policies:
        statement = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        account.client("iam").create_policy(PolicyName=policy, PolicyDocument=json.dumps(document))
    return found


def remove_default_vpc(ec2):
    """Every new account has one; a team's account does not keep it."""
    for vpc in ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]:
        of_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        for subnet in ec2.describe_subnets(Filters=of_vpc)["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])


def _network(ec2, vpc, cidr, region, layers, zones, named, way_out):
    quarters = list(cidr.subnets(2))
    halves = list(cidr.subnets(1))
    slots = {
        "public": list(quarters[0].subnets(3)),
        "shared": list(quarters[1].subnets(3)),
        "private": list(halves[1].subnets(3)),
    }
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    public = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=public, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    subnets = {layer: [] for layer in layers}
    for number in range(zones):
        zone = region + "abc"[number]
        nat = None
        for layer in ("public", "shared", "private"):
            if layer not in layers:
                continue
            block = str(slots[layer][number])
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            subnets[layer].append(subnet)
            if named:
                _tag(ec2, subnet, {"Name": f"{layer}-{zone}"})
            if layer == "public":
                ec2.associate_route_table(RouteTableId=public, SubnetId=subnet)
                address = ec2.allocate_address(Domain="vpc")["AllocationId"]
                nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
                continue
            table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
            if nat and way_out:
                ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return subnets


def _tag(ec2, resource, tags):
    ec2.create_tags(Resources=[resource], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])


def _hosted_zones(route53, vpc, region, domain, which):
    found = {"public": [], "private": []}

    def create(kind, reference, **arguments):
        made = route53.create_hosted_zone(Name=domain, CallerReference=f"{vpc} {reference}", **arguments)
        found[kind].append(made["HostedZone"]["Id"].removeprefix("/hostedzone/"))

    if which in ("public", "both", "two"):
        create("public", "one")
    if which == "two":
        create("public", "two")
    if which in ("private", "both"):
        create(
            "private",
            "private",
            VPC={"VPCRegion": region, "VPCId": vpc},
            HostedZoneConfig={"PrivateZone": True, "Comment": ""},
        )
    return found


def _certificate(acm, domain):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain), x509.DNSName(f"*.{domain}")]), False)
        .sign(key, hashes.SHA256())
    )
    return acm.import_certificate(
        Certificate=made.public_bytes(serialization.Encoding.PEM),
        PrivateKey=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )["CertificateArn"]
