"""What `overlord` makes, beyond what a team's place and `minion` have: read for the inventory."""

import json

from botocore.exceptions import ClientError

from pages import pages

# What AWS and moto go on showing for a while.
GONE = {"deleted", "deleting", "rejected", "expired", "failed", "DELETED", "DELETING"}


def regional(account):
    """Kinds that each region has."""
    ec2 = account.client("ec2")

    def standing(operation, key, name, state="State"):
        return [item[name] for item in pages(ec2, operation, key) if item.get(state) not in GONE]

    tables = pages(ec2, "describe_route_tables", "RouteTables")
    gateways = pages(ec2, "describe_internet_gateways", "InternetGateways")
    peerings = pages(ec2, "describe_vpc_peering_connections", "VpcPeeringConnections")
    groups = pages(
        ec2,
        "describe_security_groups",
        "SecurityGroups",
        Filters=[{"Name": "group-name", "Values": ["default"]}],
    )
    shares = account.client("ram").get_resource_shares(resourceOwner="SELF")["resourceShares"]
    trails = account.client("cloudtrail").describe_trails(includeShadowTrails=False)["trailList"]
    found = {
        "internet gateway": [
            " ".join([g["InternetGatewayId"], *(a["VpcId"] for a in g["Attachments"])]) for g in gateways
        ],
        "egress-only gateway": standing(
            "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"
        ),
        "dhcp options": standing("describe_dhcp_options", "DhcpOptions", "DhcpOptionsId"),
        "vpc endpoint": standing("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        "flow log": standing("describe_flow_logs", "FlowLogs", "FlowLogId"),
        "vpn gateway": standing("describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
        "customer gateway": standing("describe_customer_gateways", "CustomerGateways", "CustomerGatewayId"),
        "vpn connection": standing("describe_vpn_connections", "VpnConnections", "VpnConnectionId"),
        "transit gateway": [
            g["TransitGatewayId"]
            for g in pages(ec2, "describe_transit_gateways", "TransitGateways")
            # Those that others share with us are theirs.
            if g["State"] not in GONE and g["OwnerId"] == account.number
        ],
        "transit gateway attachment": [
            a["TransitGatewayAttachmentId"]
            for a in pages(ec2, "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments")
            # The gateway's owner sees those of others too.
            if a["State"] not in GONE and a["VpcOwnerId"] == account.number
        ],
        "peering connection": [p["VpcPeeringConnectionId"] for p in peerings if p["Status"]["Code"] not in GONE],
        "route": [
            f"{table['RouteTableId']} {_destination(route)} {_target(route)}"
            for table in tables
            for route in table["Routes"]
            if route.get("GatewayId") != "local"
        ],
        "subnet's route table": [
            f"{association['SubnetId']} {table['RouteTableId']}"
            for table in tables
            for association in table["Associations"]
            if "SubnetId" in association
        ],
        "default group rule": [
            f"{group['VpcId']} {way} {json.dumps(rule, sort_keys=True)}"
            for group in groups
            for way, rules in (("in", group["IpPermissions"]), ("out", group["IpPermissionsEgress"]))
            for rule in rules
        ],
        "resource share": [s["name"] for s in shares if s["status"] not in GONE],
        "trail": [f"{t['Name']} {_logging(account, t)}" for t in trails],
    }
    if ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]:
        found["ebs encryption by default"] = ["on"]
    defaults = ec2.get_instance_metadata_defaults().get("AccountLevel", {})
    found["metadata default"] = [f"{name} {value}" for name, value in defaults.items()]
    return found


def _destination(route):
    names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return next(route[name] for name in names if name in route)


def _target(route):
    names = ("NatGatewayId", "InstanceId", "TransitGatewayId", "VpcPeeringConnectionId", "EgressOnlyInternetGatewayId")
    return next((route[name] for name in (*names, "GatewayId", "NetworkInterfaceId") if route.get(name)), "nothing")


def _logging(account, trail):
    on = account.client("cloudtrail").get_trail_status(Name=trail["TrailARN"])["IsLogging"]
    return "logging" if on else "stopped"


def account_wide(account):
    """Kinds that an account has once."""
    iam, s3 = account.client("iam"), account.client("s3")
    budgets = account.client("budgets").describe_budgets(AccountId=account.number)["Budgets"]
    found = {
        "saml provider": [p["Arn"] for p in iam.list_saml_providers()["SAMLProviderList"]],
        "account alias": iam.list_account_aliases()["AccountAliases"],
        "bucket": [b["Name"] for b in s3.list_buckets()["Buckets"]],
        "budget": [b["BudgetName"] for b in budgets],
        "password policy": _or_none(
            lambda: _words(iam.get_account_password_policy()["PasswordPolicy"]), "NoSuchEntity"
        ),
        "public access block": _or_none(
            lambda: _words(
                account.client("s3control").get_public_access_block(AccountId=account.number)[
                    "PublicAccessBlockConfiguration"
                ]
            ),
            "NoSuchPublicAccessBlockConfiguration",
        ),
        "cost tag": [
            f"{t['TagKey']} {t['Status']}" for t in account.client("ce").list_cost_allocation_tags()["CostAllocationTags"]
        ],
        # They stay: nobody but the account itself, and a person, can close it.
        "organization's account": _or_none(
            lambda: [a["Name"] for a in pages(account.client("organizations"), "list_accounts", "Accounts")],
            "AWSOrganizationsNotInUseException",
        ),
    }
    return found


def _words(settings):
    return [f"{name} {value}" for name, value in settings.items()]


def _or_none(read, absent):
    try:
        return read()
    except ClientError as error:
        if error.response["Error"]["Code"] != absent:
            raise
        return []
