"""A region's networks, for the dump."""

import ipaddress

from canonical import Thing
from pages import pages

GONE = {"deleted", "deleting", "rejected", "expired", "failed", "DELETED", "DELETING"}


def tag(item, key="Name"):
    """A tag's value; none where it has none."""
    return next((t["Value"] for t in item.get("Tags", []) if t["Key"] == key), None)


def standing(client, operation, key, **arguments):
    """What is not deleted."""
    return [item for item in pages(client, operation, key, **arguments) if _state(item) not in GONE]


def _state(item):
    state = item.get("State", item.get("Status"))
    return state.get("Code", state.get("Name")) if isinstance(state, dict) else state


def vpcs(account):
    ec2 = account.client("ec2")
    for vpc in pages(ec2, "describe_vpcs", "Vpcs"):
        attributes = {
            name: ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=name)[name[0].upper() + name[1:]]
            for name in ("enableDnsSupport", "enableDnsHostnames")
        }
        # A /56 that AWS chose; those of the subnets begin with it.
        chosen = [ipaddress.ip_network(a["Ipv6CidrBlock"]) for a in vpc.get("Ipv6CidrBlockAssociationSet", [])]
        prefix = next((network.exploded[:17] for network in chosen), None)
        yield Thing("vpc", tag(vpc) or vpc["CidrBlock"], [vpc["VpcId"]], {**vpc, "Attributes": attributes}, prefix)
    for options in pages(ec2, "describe_dhcp_options", "DhcpOptions"):
        values = [f"{c['Key']}={v['Value']}" for c in options["DhcpConfigurations"] for v in c["Values"]]
        yield Thing("dhcp options", tag(options) or " ".join(sorted(values)), [options["DhcpOptionsId"]], options)


def subnets(account):
    ec2 = account.client("ec2")
    for subnet in pages(ec2, "describe_subnets", "Subnets"):
        name = tag(subnet) or f"{subnet['VpcId']} {subnet['CidrBlock']}"
        yield Thing("subnet", name, [subnet["SubnetId"], subnet.get("SubnetArn")], subnet)


def routing(account):
    ec2 = account.client("ec2")
    for table in pages(ec2, "describe_route_tables", "RouteTables"):
        associations = table["Associations"]
        if any(a.get("Main") for a in associations):
            name = f"main of {table['VpcId']}"
        else:
            held = sorted(a["SubnetId"] for a in associations if "SubnetId" in a)
            name = tag(table) or (f"of {' '.join(held)}" if held else f"unused in {table['VpcId']}")
        yield Thing("route table", name, [table["RouteTableId"]], table)


def gateways(account):
    ec2 = account.client("ec2")
    for kind, operation, key, known in (
        ("internet gateway", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        (
            "egress-only gateway",
            "describe_egress_only_internet_gateways",
            "EgressOnlyInternetGateways",
            "EgressOnlyInternetGatewayId",
        ),
    ):
        for gateway in standing(ec2, operation, key):
            held = [a["VpcId"] for a in gateway.get("Attachments", []) if a.get("VpcId")]
            yield Thing(kind, tag(gateway) or (f"of {held[0]}" if held else "unattached"), [gateway[known]], gateway)


def nat(account):
    ec2 = account.client("ec2")
    users, interfaces = {}, set()
    for gateway in standing(ec2, "describe_nat_gateways", "NatGateways"):
        for address in gateway.get("NatGatewayAddresses", []):
            users[address.get("AllocationId")] = gateway["NatGatewayId"]
            interfaces.add(address.get("NetworkInterfaceId"))
        yield Thing("nat gateway", tag(gateway) or f"in {gateway['SubnetId']}", [gateway["NatGatewayId"]], gateway)
    for address in pages(ec2, "describe_addresses", "Addresses"):
        user = users.get(address["AllocationId"]) or address.get("InstanceId")
        name = tag(address) or (f"of {user}" if user else "unused")
        yield Thing("address", name, [address["AllocationId"], address.get("PublicIp")], {**address, "User": user})
    unused = [{"Name": "status", "Values": ["available"]}]
    for interface in pages(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=unused):
        # moto says that those of NAT gateways are not attached.
        if interface["NetworkInterfaceId"] not in interfaces:
            name = tag(interface) or f"in {interface['SubnetId']}"
            told = {"Type": interface["InterfaceType"]}
            yield Thing("unused interface", name, [interface["NetworkInterfaceId"]], told)


def security_groups(account):
    ec2 = account.client("ec2")
    for group in pages(ec2, "describe_security_groups", "SecurityGroups"):
        ids = [group["GroupId"], group.get("SecurityGroupArn")]
        yield Thing("security group", f"{group['VpcId']} {group['GroupName']}", ids, group)


def services(account):
    ec2 = account.client("ec2")
    for endpoint in standing(ec2, "describe_vpc_endpoints", "VpcEndpoints"):
        name = tag(endpoint) or f"{endpoint['VpcId']} {endpoint['ServiceName']}"
        yield Thing("vpc endpoint", name, [endpoint["VpcEndpointId"]], endpoint)
    for log in standing(ec2, "describe_flow_logs", "FlowLogs"):
        yield Thing("flow log", f"of {log['ResourceId']}", [log["FlowLogId"]], log)


def transit(account):
    ec2 = account.client("ec2")
    gateways = standing(ec2, "describe_transit_gateways", "TransitGateways")
    for gateway in gateways:
        # Those that others share with us are theirs.
        if gateway["OwnerId"] == account.number:
            name = tag(gateway) or gateway.get("Description") or "unnamed"
            ids = [gateway["TransitGatewayId"], gateway["TransitGatewayArn"]]
            yield Thing("transit gateway", name, ids, gateway)
    for table in standing(ec2, "describe_transit_gateway_route_tables", "TransitGatewayRouteTables"):
        known, gateway = table["TransitGatewayRouteTableId"], table["TransitGatewayId"]
        # On AWS they go with their gateway; moto keeps them.
        if all(g["TransitGatewayId"] != gateway for g in gateways):
            continue
        associated = ec2.get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=known)["Associations"]
        told = {**table, "Associations": associated}
        yield Thing("transit route table", tag(table) or f"of {gateway}", [known], told)
    for attachment in standing(ec2, "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"):
        # The gateway's owner sees those of others too.
        if attachment["VpcOwnerId"] == account.number:
            name = tag(attachment) or f"{attachment['VpcId']} to {attachment['TransitGatewayId']}"
            yield Thing("transit attachment", name, [attachment["TransitGatewayAttachmentId"]], attachment)


def peerings(account):
    ec2 = account.client("ec2")
    for peering in standing(ec2, "describe_vpc_peering_connections", "VpcPeeringConnections"):
        one, other = (peering[side].get("VpcId") for side in ("RequesterVpcInfo", "AccepterVpcInfo"))
        name = tag(peering) or f"{one} with {other}"
        yield Thing("peering connection", name, [peering["VpcPeeringConnectionId"]], peering)


def vpn(account):
    ec2 = account.client("ec2")
    for kind, operation, key, known in (
        ("vpn gateway", "describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
        ("customer gateway", "describe_customer_gateways", "CustomerGateways", "CustomerGatewayId"),
        ("vpn connection", "describe_vpn_connections", "VpnConnections", "VpnConnectionId"),
    ):
        for item in standing(ec2, operation, key):
            yield Thing(kind, tag(item) or "unnamed", [item[known]], item)


def defaults(account):
    ec2 = account.client("ec2")
    defaults = {
        "EbsEncryptionByDefault": ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"],
        "InstanceMetadata": ec2.get_instance_metadata_defaults().get("AccountLevel", {}),
    }
    yield Thing("defaults", "of instances", [], defaults)


READERS = (vpcs, subnets, routing, gateways, nat, security_groups, services, transit, peerings, vpn, defaults)
