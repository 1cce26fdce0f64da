"""What moto lacks of the calls that `overlord` makes.

Each repair names what moto does and what AWS documents. `sharing.py` has what spans accounts, `order.py` the order in
which AWS lets things be deleted, `records.py` Route 53's batches. Where AWS differs from this, AWS is right.
"""

import json

import moto.acm.models
import moto.budgets.models
import moto.budgets.responses
import moto.ce.responses
import moto.iam.models
import moto.iam.responses
import moto.route53.models
from moto.core.responses import ActionResult, EmptyResult
from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.tags import TagBackend
from moto.ec2.models.vpn_connections import VPNConnection
from moto.ec2.responses import EC2Response
from moto.iam.exceptions import DeleteConflictException, InvalidInput
from moto.iam.responses import IamResponse
from moto.route53.models import route53_backends
from moto.s3.responses import S3Response


def apply():
    """Puts all of it in place, once, before the server starts."""
    for repair in (
        _dhcp_options,
        _endpoints,
        _vpn,
        _metadata_defaults,
        _iam,
        _service_linked_roles,
        versioning,
        _nat_gateways,
        consoles,
        _budgets,
        _cost_tags,
        _certificates,
        _hosted_zones,
        _tags,
    ):
        repair()


def wrap(owner, name, around):
    """Replaces a method by `around(original, self, ..)`."""
    original = getattr(owner, name)

    def method(self, *arguments, **named):
        return around(original, self, *arguments, **named)

    method.__name__ = name
    setattr(owner, name, method)


def specified(response):
    """The tags of a request's TagSpecifications, whatever kind they name."""
    return {
        tag["Key"]: tag.get("Value", "")
        for specification in response._get_param("TagSpecifications", []) or []
        for tag in specification.get("Tags", [])
    }


def _dhcp_options():
    """CreateDhcpOptions drops the tags of its request; a set that one VPC has left is in use for ever.

    And it goes with the VPC: AWS leaves it.
    """

    def create(original, self):
        result = original(self)
        result.result["DhcpOptions"].add_tags(specified(self))
        return result

    def holders(self, options):
        # moto notes the VPC at the set, and does not take that back when the VPC gets another set.
        options.vpc = next((v for v in self.vpcs.values() if v.dhcp_options is options), None)

    def delete(original, self, options_id):
        if options_id in self.dhcp_options_sets:
            holders(self, self.dhcp_options_sets[options_id])
        return original(self, options_id)

    def delete_vpc(original, self, vpc_id):
        vpc = self.vpcs.get(vpc_id)
        options = vpc.dhcp_options if vpc else None
        if vpc:
            vpc.dhcp_options = None
        try:
            return original(self, vpc_id)
        finally:
            if vpc_id in self.vpcs:
                vpc.dhcp_options = options

    wrap(EC2Response, "create_dhcp_options", create)
    wrap(EC2Backend, "delete_dhcp_options_set", delete)
    wrap(EC2Backend, "delete_vpc", delete_vpc)


def _endpoints():
    """ModifyVpcEndpoint adds no routes to the tables that it adds, and DeleteVpcEndpoints then fails half-way."""

    def modify(original, self, **named):
        original(self, **named)
        endpoint = self.describe_vpc_endpoints(vpc_end_point_ids=[named["vpc_id"]])[0]
        prefixes = endpoint.destination_prefix_list_id
        if not prefixes:
            return
        for table in named["add_route_tables"] or []:
            self.create_route(table, None, destination_prefix_list_id=prefixes, gateway_id=endpoint.id)
        for table in named["remove_route_tables"] or []:
            self.delete_route(table, prefixes)

    def delete_table(original, self, route_table_id):
        result = original(self, route_table_id)
        for endpoint in self.vpc_end_points.values():
            if route_table_id in (endpoint.route_table_ids or []):
                endpoint.route_table_ids.remove(route_table_id)
        return result

    wrap(EC2Backend, "modify_vpc_endpoint", modify)
    wrap(EC2Backend, "delete_route_table", delete_table)


def _vpn():
    """VPN connections have neither options nor static routes, and routes of a gateway cannot be propagated."""

    def create(original, self):
        result = original(self)
        connection = result.result["VpnConnection"]
        options = self._get_param("Options", {}) or {}
        connection.options = {"StaticRoutesOnly": str(options.get("StaticRoutesOnly", False)).lower() == "true"}
        return result

    def connection_of(self):
        return self.ec2_backend.describe_vpn_connections([self._get_param("VpnConnectionId")])[0]

    def create_vpn_connection_route(self):
        connection, to = connection_of(self), self._get_param("DestinationCidrBlock")
        route = {"DestinationCidrBlock": to, "Source": "Static", "State": "available"}
        connection.routes = [r for r in connection.routes if r["DestinationCidrBlock"] != to] + [route]
        return EmptyResult()

    def delete_vpn_connection_route(self):
        connection, to = connection_of(self), self._get_param("DestinationCidrBlock")
        if all(r["DestinationCidrBlock"] != to for r in connection.routes):
            raise EC2ClientError("InvalidRoute.NotFound", f"The route {to} does not exist")
        connection.routes = [r for r in connection.routes if r["DestinationCidrBlock"] != to]
        return EmptyResult()

    def propagation(self, wanted):
        table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
        gateway = self.ec2_backend.get_vpn_gateway(self._get_param("GatewayId"))
        attachment = gateway.attachments.get(table.vpc_id)
        if wanted and not (attachment and attachment.state == "attached"):
            raise EC2ClientError("Gateway.NotAttached", f"{gateway.id} is not attached to {table.vpc_id}")
        others = [g for g in getattr(table, "propagating_vgws", []) if g["GatewayId"] != gateway.id]
        table.propagating_vgws = others + ([{"GatewayId": gateway.id}] if wanted else [])
        return EmptyResult()

    VPNConnection.routes = []
    wrap(EC2Response, "create_vpn_connection", create)
    EC2Response.create_vpn_connection_route = create_vpn_connection_route
    EC2Response.delete_vpn_connection_route = delete_vpn_connection_route
    EC2Response.enable_vgw_route_propagation = lambda self: propagation(self, True)
    EC2Response.disable_vgw_route_propagation = lambda self: propagation(self, False)


def _metadata_defaults():
    """Get- and ModifyInstanceMetadataDefaults are missing."""

    def get(self):
        return ActionResult({"AccountLevel": getattr(self.ec2_backend, "metadata_defaults", {})})

    def modify(self):
        defaults = dict(getattr(self.ec2_backend, "metadata_defaults", {}))
        for name in ("HttpTokens", "HttpEndpoint", "InstanceMetadataTags"):
            value = self._get_param(name)
            if value == "no-preference":
                defaults.pop(name, None)
            elif value:
                defaults[name] = value
        hops = self._get_param("HttpPutResponseHopLimit")
        if hops is not None:
            defaults.pop("HttpPutResponseHopLimit", None)
            if int(hops) != -1:
                defaults["HttpPutResponseHopLimit"] = int(hops)
        self.ec2_backend.metadata_defaults = defaults
        return ActionResult({"Return": True})

    EC2Response.get_instance_metadata_defaults = get
    EC2Response.modify_instance_metadata_defaults = modify


def consoles():
    """No instance boots, so none says on its console how its script ended (AWS: what the script wrote there)."""

    def output(original, self):
        answer = original(self)
        script = self.ec2_backend.get_instance(self._get_param("InstanceId")).user_data
        if script and "masquerade" in script.decode():
            console = answer.result["Output"].decode() + "nat: ready\n"
            answer.result["Output"] = Base64EncodedString.from_raw_string(console)
        return answer

    wrap(EC2Response, "get_console_output", output)


def _iam():
    """SAML providers have no tags; a policy that is attached or a boundary can be deleted (AWS: DeleteConflict)."""

    def create(original, self):
        result = original(self)
        provider = self.backend.get_saml_provider(result.result["SAMLProviderArn"])
        provider.tags = list(self._get_param("Tags", []) or [])
        return result

    def provider_of(self):
        return self.backend.get_saml_provider(self._get_param("SAMLProviderArn"))

    def tag(self):
        given = {t["Key"]: t["Value"] for t in provider_of(self).tags + list(self._get_param("Tags", []))}
        provider_of(self).tags = [{"Key": key, "Value": value} for key, value in given.items()]
        return EmptyResult()

    def untag(self):
        keys = self._get_param("TagKeys", [])
        provider_of(self).tags = [t for t in provider_of(self).tags if t["Key"] not in keys]
        return EmptyResult()

    def delete_policy(original, self, policy_arn):
        policy = self.get_policy(policy_arn)
        holders = [r.name for r in self.roles.values() if r.permissions_boundary_arn == policy_arn]
        holders += [r.name for r in self.roles.values() if policy_arn in r.managed_policies]
        if holders:
            names = ", ".join(holders)
            raise DeleteConflictException(f"Cannot delete a policy attached to entities: {policy.name}: {names}")
        return original(self, policy_arn)

    moto.iam.models.SAMLProvider.tags = []
    wrap(IamResponse, "create_saml_provider", create)
    IamResponse.list_saml_provider_tags = lambda self: ActionResult(
        {"Tags": provider_of(self).tags, "IsTruncated": False}
    )
    IamResponse.tag_saml_provider = tag
    IamResponse.untag_saml_provider = untag
    wrap(moto.iam.models.IAMBackend, "delete_policy", delete_policy)


def _service_linked_roles():
    """Their names are made up, and one that exists is refused as any role is (AWS: InvalidInput)."""
    names = {
        "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
        "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
        "transitgateway.amazonaws.com": "AWSServiceRoleForVPCTransitGateway",
    }

    def create(original, self, service_name, description, suffix):
        there = next((r for r in self.get_roles() if r.path == f"/aws-service-role/{service_name}/"), None)
        if there and not suffix:
            raise InvalidInput(
                f"Service role name {there.name} has been taken in this account, please try a different suffix."
            )
        role = original(self, service_name, description, suffix)
        if not suffix:
            role.name = names.get(service_name, role.name)
        return role

    wrap(moto.iam.models.IAMBackend, "create_service_linked_role", create)


def versioning():
    """GetBucketVersioning's root element is AWS's VersioningConfiguration; the SDK does not read moto's."""

    def get_bucket_versioning(self):
        status = self.backend.get_bucket_versioning(self.bucket_name)
        text = f"<Status>{status}</Status>" if status else ""
        namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        return 200, {}, f'<VersioningConfiguration xmlns="{namespace}">{text}</VersioningConfiguration>'

    S3Response.get_bucket_versioning = get_bucket_versioning


def _nat_gateways():
    """The interface of a NAT gateway looks like anybody's; AWS's has a type of its own, and goes with the gateway.

    So does the association of its address, which moto keeps: no other gateway can have the address then.
    """

    def create(original, self, *arguments, **named):
        gateway = original(self, *arguments, **named)
        gateway._eni.interface_type = "nat_gateway"
        gateway._eni.description = f"Interface for NAT Gateway {gateway.id}"
        return gateway

    def delete(original, self, nat_gateway_id):
        gateway = original(self, nat_gateway_id)
        for address in self.addresses:
            if address.eni is gateway._eni:
                address.eni = address.association_id = None
        self.enis.pop(gateway._eni.id, None)
        return gateway

    wrap(EC2Backend, "create_nat_gateway", create)
    wrap(EC2Backend, "delete_nat_gateway", delete)


def _budgets():
    """UpdateBudget and all about subscribers and tags are missing."""
    response = moto.budgets.responses.BudgetsResponse

    def budget_of(self):
        account, name = self._get_param("AccountId"), self._get_param("BudgetName")
        self.backend.describe_budget(account, name)
        return self.backend.budgets[account][name]

    def same(one, other):
        names = ("NotificationType", "ComparisonOperator", "Threshold")
        percent = "PERCENTAGE"
        return [one[n] for n in names] == [other[n] for n in names] and one.get("ThresholdType", percent) == other.get(
            "ThresholdType", percent
        )

    def notification_of(self, name="Notification"):
        wanted = self._get_param(name)
        found = [n for n in budget_of(self).notifications if same(n.details, wanted)]
        if not found:
            raise moto.budgets.models.NotFoundException("Unable to get the notification - it doesn't exist.")
        return found[0]

    def update_budget(self):
        account, new = self._get_param("AccountId"), self._get_param("NewBudget")
        self.backend.describe_budget(account, new["BudgetName"])
        self.backend.budgets[account][new["BudgetName"]].budget.update(new)
        return "{}"

    def update_notification(self):
        notification_of(self, "OldNotification").details = self._get_param("NewNotification")
        return "{}"

    def describe_subscribers_for_notification(self):
        return json.dumps({"Subscribers": notification_of(self).subscribers})

    def create_subscriber(self):
        notification_of(self).subscribers.append(self._get_param("Subscriber"))
        return "{}"

    def delete_subscriber(self):
        notification = notification_of(self)
        notification.subscribers = [s for s in notification.subscribers if s != self._get_param("Subscriber")]
        return "{}"

    for function in (
        update_budget,
        update_notification,
        describe_subscribers_for_notification,
        create_subscriber,
        delete_subscriber,
    ):
        setattr(response, function.__name__, function)


def _cost_tags():
    """Cost allocation tags are missing. Billing has seen `team` and no other key."""
    response = moto.ce.responses.CostExplorerResponse
    active = {}

    def keys(self):
        return active.setdefault(self.current_account, {"team": "Inactive"})

    def list_cost_allocation_tags(self):
        request = json.loads(self.body or "{}")
        wanted, status = request.get("TagKeys"), request.get("Status")
        tags = [
            {"TagKey": key, "Type": "UserDefined", "Status": value}
            for key, value in keys(self).items()
            if (not wanted or key in wanted) and (not status or status == value)
        ]
        return json.dumps({"CostAllocationTags": tags})

    def update_cost_allocation_tags_status(self):
        errors = []
        for entry in json.loads(self.body)["CostAllocationTagsStatus"]:
            if entry["TagKey"] in keys(self):
                keys(self)[entry["TagKey"]] = entry["Status"]
            else:
                errors.append({"TagKey": entry["TagKey"], "Code": "TagKeysNotFoundException", "Message": "not found"})
        return json.dumps({"Errors": errors})

    response.list_cost_allocation_tags = list_cost_allocation_tags
    response.update_cost_allocation_tags_status = update_cost_allocation_tags_status


def _tags():
    """Tags of AWS's own do not count as a resource's fifty (EC2 user guide, "Tag restrictions")."""

    def create_tags(original, self, resource_ids, tags):
        aside = {}
        for resource in resource_ids:
            there = self.tags[resource] if resource in self.tags else {}
            aside[resource] = {key: there.pop(key) for key in list(there) if key.startswith("aws:")}
        try:
            return original(self, resource_ids, tags)
        finally:
            for resource, mine in aside.items():
                for key, value in mine.items():
                    self.tags[resource].setdefault(key, value)

    wrap(TagBackend, "create_tags", create_tags)


def _certificates():
    """A certificate is issued after a while. AWS issues it once its validation record is in the domain's zone."""

    def check(original, self):
        if self.status == "PENDING_VALIDATION":
            account = self.arn.split(":")[4]
            zones = list(route53_backends[account]["aws"].zones.values())
            there = {record.name.rstrip(".") for zone in zones for record in zone.rrsets if record.type == "CNAME"}
            options = self.describe()["Certificate"]["DomainValidationOptions"]
            if any(option["ResourceRecord"]["Name"].rstrip(".") not in there for option in options):
                return
        original(self)

    wrap(moto.acm.models.CertBundle, "check", check)


def _hosted_zones():
    """Ids of hosted zones start with any letter. AWS's start with Z."""
    original = moto.route53.models.create_route53_zone_id
    moto.route53.models.create_route53_zone_id = lambda *all, **named: "Z" + original(*all, **named)[1:]
