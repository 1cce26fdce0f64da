"""Resource shares and transit gateways that reach across accounts, which moto does not have.

AWS: an account that a transit gateway is shared with sees it (without the owner's tags) and attaches its VPCs to it.
Inside one organization with sharing enabled a share is there at once; to any other account goes an invitation, and the
association is ASSOCIATING until it is accepted. The owner of a gateway sees all its attachments, and cannot delete it
while there are any.
"""

import json

import moto.ram.models
import moto.ram.urls
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.responses import EC2Response
from moto.ec2.utils import describe_tag_filter
from moto.organizations.models import organizations_backends
from moto.ram.exceptions import UnknownResourceException
from moto.ram.models import ResourceAccessManagerBackend, ResourceShare, ram_backends
from moto.ram.responses import ResourceAccessManagerResponse

from repairs import specified, wrap

NEW_PATHS = (
    "associateresourceshare",
    "disassociateresourceshare",
    "getresourceshareinvitations",
    "acceptresourceshareinvitation",
    "listprincipals",
    "listresources",
    "tagresource",
    "untagresource",
)


def apply():
    """Puts all of it in place, once, before the server starts."""
    for path in NEW_PATHS:
        moto.ram.urls.url_paths["{0}/" + path + "$"] = ResourceAccessManagerResponse.dispatch
    _shares()
    _gateways()
    _attachments()


def _owners(region):
    """What each account has of EC2 in a region. `dict.get`, since asking moto for it makes it, where there is none."""
    found = [dict.get(regions, region) for regions in list(ec2_backends.values())]
    return [backend for backend in found if backend is not None]


def _all_shares(region):
    """Every share of every account in a region that is not deleted."""
    return [
        share
        for regions in list(ram_backends.values())
        for name, backend in list(regions.items())
        if name == region
        for share in backend.resource_shares
        if share.status != "DELETED"
    ]


def _reaches(share, account):
    return account in share.principals and account not in share.invitations


def _same_organization(one, other):
    """Whether both accounts are in one organization that enabled sharing with RAM."""
    for regions in list(organizations_backends.values()):
        for backend in list(regions.values()):
            if backend.org and getattr(backend, "sharing", False):
                numbers = {account.id for account in backend.accounts}
                if {one, other} <= numbers:
                    return True
    return False


def _shares():
    ResourceShare.invitations = {}
    ResourceShare.tags = []

    def create(original, self, **request):
        answer = original(self, **request)
        share = self.resource_shares[-1]
        share.tags = list(request.get("tags") or [])
        share.invitations = {}
        invite(share, share.principals)
        return answer

    def invite(share, principals):
        for principal in principals:
            if principal.isdigit() and not _same_organization(share.account_id, principal):
                share.invitations[principal] = share.arn.replace(":resource-share/", ":resource-share-invitation/")

    def describe(original, self):
        return {**original(self), "tags": self.tags}

    def own(self, arn):
        for share in self.ram_backend.resource_shares:
            if share.arn == arn and share.status != "DELETED":
                return share
        raise UnknownResourceException(f"ResourceShare {arn} could not be found.")

    def association(share, entity, kind, status=None):
        pending = kind == "PRINCIPAL" and entity in share.invitations
        return {
            "resourceShareArn": share.arn,
            "resourceShareName": share.name,
            "associatedEntity": entity,
            "associationType": kind,
            "status": status or ("ASSOCIATING" if pending else "ASSOCIATED"),
            "creationTime": unix_time(share.creation_time),
            "lastUpdatedTime": unix_time(share.last_updated_time),
            "external": pending,
        }

    def associate_resource_share(self):
        request = self.request_params
        share, principals = own(self, request["resourceShareArn"]), request.get("principals", [])
        new = [p for p in principals if p not in share.principals]
        share.add_principals(new)
        invite(share, new)
        share.add_resources(request.get("resourceArns", []))
        made = [association(share, p, "PRINCIPAL", "ASSOCIATING") for p in principals]
        made += [association(share, r, "RESOURCE", "ASSOCIATING") for r in request.get("resourceArns", [])]
        return json.dumps({"resourceShareAssociations": made})

    def disassociate_resource_share(self):
        request = self.request_params
        share = own(self, request["resourceShareArn"])
        gone = []
        for principal in request.get("principals", []):
            if principal in share.principals:
                share.principals.remove(principal)
                share.invitations.pop(principal, None)
                gone.append(association(share, principal, "PRINCIPAL", "DISASSOCIATING"))
        for resource in request.get("resourceArns", []):
            if resource in share.resource_arns:
                share.resource_arns.remove(resource)
                gone.append(association(share, resource, "RESOURCE", "DISASSOCIATING"))
        return json.dumps({"resourceShareAssociations": gone})

    def get_resource_share_associations(self):
        request = self.request_params
        kind, arns = request["associationType"], request.get("resourceShareArns")
        found = []
        for share in self.ram_backend.resource_shares:
            if share.status == "DELETED" or (arns and share.arn not in arns):
                continue
            for entity in share.principals if kind == "PRINCIPAL" else share.resource_arns:
                if entity == (request.get("principal") or request.get("resourceArn") or entity):
                    found.append(association(share, entity, kind))
        status = request.get("associationStatus")
        found = [a for a in found if not status or a["status"] == status]
        return json.dumps({"resourceShareAssociations": found})

    def get_resource_shares(self):
        request = self.request_params
        if request["resourceOwner"] == "SELF":
            shares = self.ram_backend.resource_shares
        else:
            shares = [s for s in _all_shares(self.region) if _reaches(s, self.current_account)]
        arns, name, status = (request.get(n) for n in ("resourceShareArns", "name", "resourceShareStatus"))

        def wanted(share):
            tags = {tag["key"]: tag.get("value", "") for tag in share.tags}
            return (
                (not arns or share.arn in arns)
                and (not name or share.name == name)
                and (not status or share.status == status)
                and all(tags.get(f["tagKey"]) in f["tagValues"] for f in request.get("tagFilters", []))
            )

        return json.dumps({"resourceShares": [share.describe() for share in shares if wanted(share)]})

    def invitation(share, account):
        return {
            "resourceShareInvitationArn": share.invitations[account],
            "resourceShareName": share.name,
            "resourceShareArn": share.arn,
            "senderAccountId": share.account_id,
            "receiverAccountId": account,
            "invitationTimestamp": unix_time(share.creation_time),
            "status": "PENDING",
        }

    def invitations_of(self):
        shares = [s for s in _all_shares(self.region) if self.current_account in s.invitations]
        return [(share, invitation(share, self.current_account)) for share in shares]

    def get_resource_share_invitations(self):
        request = self.request_params
        arns, shares = request.get("resourceShareInvitationArns"), request.get("resourceShareArns")
        found = [
            i
            for _, i in invitations_of(self)
            if (not arns or i["resourceShareInvitationArn"] in arns) and (not shares or i["resourceShareArn"] in shares)
        ]
        return json.dumps({"resourceShareInvitations": found})

    def accept_resource_share_invitation(self):
        wanted = self.request_params["resourceShareInvitationArn"]
        for share, told in invitations_of(self):
            if told["resourceShareInvitationArn"] == wanted:
                share.invitations.pop(self.current_account)
                return json.dumps({"resourceShareInvitation": {**told, "status": "ACCEPTED"}})
        raise JsonRESTError("ResourceShareInvitationArnNotFoundException", f"{wanted} could not be found.")

    def list_principals(self):
        arns = self.request_params.get("resourceShareArns")
        shares = [s for s in self.ram_backend.resource_shares if s.status != "DELETED" and (not arns or s.arn in arns)]
        found = [{"id": p, "resourceShareArn": s.arn} for s in shares for p in s.principals]
        return json.dumps({"principals": found})

    def list_resources(self):
        mine = self.request_params["resourceOwner"] == "SELF"
        shares = _all_shares(self.region)
        if mine:
            shares = [s for s in shares if s.account_id == self.current_account]
        else:
            shares = [s for s in shares if _reaches(s, self.current_account)]
        found = [{"arn": r, "resourceShareArn": s.arn, "status": "AVAILABLE"} for s in shares for r in s.resource_arns]
        return json.dumps({"resources": found})

    def tag_resource(self):
        share = own(self, self.request_params["resourceShareArn"])
        tags = {t["key"]: t.get("value", "") for t in share.tags + self.request_params["tags"]}
        share.tags = [{"key": key, "value": value} for key, value in tags.items()]
        return "{}"

    def untag_resource(self):
        share = own(self, self.request_params["resourceShareArn"])
        share.tags = [t for t in share.tags if t["key"] not in self.request_params["tagKeys"]]
        return "{}"

    def enable_sharing(original, self):
        answer = original(self)
        self.organizations_backend.sharing = True
        return answer

    wrap(ResourceAccessManagerBackend, "create_resource_share", create)
    wrap(ResourceAccessManagerBackend, "enable_sharing_with_aws_organization", enable_sharing)
    wrap(ResourceShare, "describe", describe)
    for function in (
        associate_resource_share,
        disassociate_resource_share,
        get_resource_share_associations,
        get_resource_shares,
        get_resource_share_invitations,
        accept_resource_share_invitation,
        list_principals,
        list_resources,
        tag_resource,
        untag_resource,
    ):
        setattr(ResourceAccessManagerResponse, function.__name__, function)


class Seen:
    """Another account's gateway, as an account sees it that it is shared with."""

    tags = []

    def __init__(self, gateway):
        self._gateway = gateway

    def __getattr__(self, name):
        return getattr(self._gateway, name)

    def get_tags(self):
        return []


class Gateways(dict):
    """An account's own gateways by id; looked at, those that are shared with it too."""

    def __init__(self, backend):
        super().__init__()
        self.backend = backend

    def shared(self):
        arns = {
            arn
            for share in _all_shares(self.backend.region_name)
            if _reaches(share, self.backend.account_id)
            for arn in share.resource_arns
        }
        if not arns:
            return {}
        gateways = [g for owner in _owners(self.backend.region_name) for g in dict.values(owner.transit_gateways)]
        return {g.id: Seen(g) for g in gateways if g.arn in arns}

    def get(self, key, default=None):
        return super().get(key) or self.shared().get(key, default)

    def __contains__(self, key):
        return self.get(key) is not None

    def values(self):
        return [*super().values(), *self.shared().values()]


def _gateways():
    def start(original, self, *arguments, **named):
        original(self, *arguments, **named)
        self.transit_gateways = Gateways(self)

    def delete(original, self, transit_gateway_id):
        gateway = dict.get(self.transit_gateways, transit_gateway_id)
        if gateway is None:
            raise EC2ClientError("InvalidTransitGatewayID.NotFound", f"{transit_gateway_id} does not exist.")
        held = [a.id for a in _attached_to(self, {transit_gateway_id})]
        if held:
            message = f"{transit_gateway_id} has non-deleted VPC Attachments: {', '.join(held)}"
            raise EC2ClientError("IncorrectState", message)
        return original(self, transit_gateway_id)

    wrap(EC2Backend, "__init__", start)
    wrap(EC2Backend, "delete_transit_gateway", delete)


def _attached_to(backend, gateways):
    """Attachments of other accounts, and of this one, in this region, to these gateways."""
    every = [a for owner in _owners(backend.region_name) for a in owner.transit_gateway_attachments.values()]
    return [a for a in every if a.transit_gateway_id in gateways and a.state != "deleted"]


def _attachments():
    """Tags of the creating call are dropped, and no listing is filtered by tag."""

    def create(original, self):
        result = original(self)
        result.result["TransitGatewayVpcAttachment"].add_tags(specified(self))
        return result

    def associate(original, self, transit_gateway_attachment_id, transit_gateway_route_table_id):
        # The route table of a shared gateway is in its owner's account.
        if transit_gateway_route_table_id in self.transit_gateways_route_tables:
            original(self, transit_gateway_attachment_id, transit_gateway_route_table_id)

    def describe(original, self, transit_gateways_attachment_ids=None, filters=None):
        # moto ignores filters that it does not know; `tag:` is one of them.
        named = {k: v for k, v in (filters or {}).items() if not k.startswith("tag:")}
        found = original(self, transit_gateways_attachment_ids=transit_gateways_attachment_ids, filters=named)
        found = [a for a in found if a.resource_type == "vpc"]
        if not filters:
            others = _attached_to(self, set(dict.keys(self.transit_gateways)))
            wanted = transit_gateways_attachment_ids or [a.id for a in others]
            found += [a for a in others if a not in found and a.id in wanted and a.resource_type == "vpc"]
        return describe_tag_filter(filters or {}, found)

    def delete(original, self, transit_gateway_attachment_id):
        if transit_gateway_attachment_id not in self.transit_gateway_attachments:
            message = f"{transit_gateway_attachment_id} does not exist."
            raise EC2ClientError("InvalidTransitGatewayAttachmentID.NotFound", message)
        return original(self, transit_gateway_attachment_id)

    wrap(EC2Response, "create_transit_gateway_vpc_attachment", create)
    wrap(EC2Backend, "set_route_table_association", associate)
    wrap(EC2Backend, "describe_transit_gateway_vpc_attachments", describe)
    wrap(EC2Backend, "delete_transit_gateway_vpc_attachment", delete)
