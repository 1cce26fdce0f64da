"""The order in which AWS lets things be deleted, where moto deletes what is in use.

AWS answers DependencyViolation, InvalidIPAddress.InUse or ResourceInUse.
"""

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.responses import AutoScalingResponse
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response
from moto.elbv2.models import elbv2_backends

from repairs import wrap

IN_USE = "has dependencies and cannot be deleted"


def apply():
    """Puts all of it in place, once, before the server starts."""
    wrap(EC2Backend, "delete_vpc", _delete_vpc)
    wrap(EC2Backend, "delete_subnet", _delete_subnet)
    wrap(EC2Backend, "detach_internet_gateway", _detach_internet_gateway)
    wrap(EC2Backend, "delete_security_group", _delete_group)
    wrap(EC2Response, "release_address", _release)
    wrap(AutoScalingResponse, "delete_auto_scaling_group", _delete_scaling_group)


def nat_gateways(backend):
    """Those that stand."""
    return [g for g in backend.nat_gateways.values() if g.state not in ("deleted", "failed")]


def instances(backend):
    """Those that are not terminated."""
    every = [i for r in backend.all_reservations() for i in r.instances]
    return [i for i in every if i.state not in ("terminated", "shutting-down")]


def balancers(backend):
    """Load balancers of the account and region. `dict.get`, since asking moto for them makes what holds them."""
    found = dict.get(elbv2_backends.get(backend.account_id) or {}, backend.region_name)
    return list(found.load_balancers.values()) if found else []


def _delete_vpc(original, self, vpc_id):
    held = [f"internet gateway {g.id}" for g in self.internet_gateways.values() if g.vpc and g.vpc.id == vpc_id]
    held += [g.id for g in self.egress_only_internet_gateways.values() if g.vpc_id == vpc_id]
    held += [e.id for e in self.vpc_end_points.values() if e.vpc_id == vpc_id and e.state != "deleted"]
    held += [g.id for g in nat_gateways(self) if g.vpc_id == vpc_id]
    held += [g.id for g in self.groups.get(vpc_id, {}).values() if g.name != "default"]
    if held:
        raise DependencyViolationError(f"The vpc '{vpc_id}' {IN_USE}: {', '.join(held)}")
    return original(self, vpc_id)


def _delete_subnet(original, self, subnet_id):
    held = [g.id for g in nat_gateways(self) if g.subnet_id == subnet_id]
    held += [a.id for a in self.transit_gateway_attachments.values() if subnet_id in getattr(a, "subnet_ids", [])]
    held += [i.id for i in instances(self) if i.subnet_id == subnet_id]
    held += [b.name for b in balancers(self) if any(s.id == subnet_id for s in b.subnets)]
    if held:
        raise DependencyViolationError(f"The subnet '{subnet_id}' {IN_USE}: {', '.join(held)}")
    # Its association with a route table goes with it; moto keeps it, and the table cannot be deleted.
    for table in self.route_tables.values():
        for association in [k for k, subnet in table._associations.items() if subnet == subnet_id]:
            del table._associations[association]
    return original(self, subnet_id)


def _detach_internet_gateway(original, self, internet_gateway_id, vpc_id):
    mapped = [g.id for g in nat_gateways(self) if g.vpc_id == vpc_id]
    mapped += [a.id for a in self.addresses if a.instance in instances(self) and a.instance.vpc_id == vpc_id]
    mapped += [b.name for b in balancers(self) if b.vpc_id == vpc_id and b.scheme == "internet-facing"]
    if mapped:
        message = (
            f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway."
        )
        raise DependencyViolationError(message)
    return original(self, internet_gateway_id, vpc_id)


def _release(original, self):
    backend, allocation = self.ec2_backend, self._get_param("AllocationId")
    users = [g.id for g in nat_gateways(backend) if any(a.get("allocationId") == allocation for a in g.address_set)]
    users += [a.instance.id for a in backend.addresses if a.id == allocation and a.instance in instances(backend)]
    if allocation and users:
        message = f"Address with allocation id {allocation} is in use by {', '.join(users)}"
        raise EC2ClientError("InvalidIPAddress.InUse", message)
    return original(self)


def _delete_group(original, self, name=None, group_id=None):
    # Those of the same VPC: what refers to it through a peering is left with a rule that leads nowhere.
    same = next((groups for groups in self.groups.values() if group_id in groups), {})
    others = [g for g in same.values() if g.id != group_id]
    used = any(group.id == group_id for i in instances(self) for group in i.security_groups)
    used = used or any(group_id in (b.security_groups or []) for b in balancers(self))
    used = used or any(
        source.get("GroupId") == group_id
        for group in others
        for rule in (*group.ingress_rules, *group.egress_rules)
        for source in rule.source_groups
    )
    if used:
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    return original(self, name, group_id)


def _delete_scaling_group(original, self):
    name = self._get_param("AutoScalingGroupName")
    group = self.autoscaling_backend.autoscaling_groups.get(name)
    forced = str(self._get_param("ForceDelete", False)).lower() == "true"
    if group and group.instance_states and not forced:
        message = (
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
            "still in the group."
        )
        raise AutoscalingClientError("ResourceInUse", message)
    answer = original(self)
    # They go with it; moto keeps them.
    policies = self.autoscaling_backend.policies
    for key in [key for key, policy in policies.items() if policy.auto_scaling_group_name == name]:
        del policies[key]
    return answer
