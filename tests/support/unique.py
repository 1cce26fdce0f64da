"""Calls that are made twice: AWS makes one thing where moto makes two.

By name: a load balancer, target group or listener that is asked for again is the one that there is, and another error
when it is asked for with other settings. By token: EC2 gives the first call's answer again. By reference: Route 53
refuses.
"""

import json

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import AutoScalingBackend
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.elbv2.exceptions import DuplicateListenerError, DuplicateLoadBalancerName, DuplicateTargetGroupName
from moto.elbv2.responses import ELBV2Response
from moto.route53.exceptions import Route53ClientError
from moto.route53.models import Route53Backend

from repairs import wrap

# EC2's calls with a ClientToken, of those that are made here.
WITH_TOKEN = {
    "CreateEgressOnlyInternetGateway",
    "CreateFlowLogs",
    "CreateLaunchTemplate",
    "CreateNatGateway",
    "CreateRouteTable",
    "CreateVpcEndpoint",
    "RunInstances",
}


def apply():
    """Puts all of it in place, once, before the server starts."""
    _balancing()
    _scaling()
    _tokens()
    wrap(Route53Backend, "create_hosted_zone", _create_hosted_zone)


def _settings(value):
    """What was asked for, in one form: without tags, and without the order of lists."""
    if isinstance(value, dict):
        return {key: _settings(item) for key, item in sorted(value.items()) if key != "Tags"}
    if isinstance(value, list):
        return sorted(map(_settings, value), key=lambda item: json.dumps(item, default=str))
    return str(value)


def _balancing():
    def once(operation, answered, standing, duplicate):
        def create(original, self):
            asked = _settings(self._get_params())
            for thing in standing(self, self._get_params()):
                if getattr(thing, "asked", None) != asked:
                    raise duplicate()
                return ActionResult({answered: [thing]})
            answer = original(self)
            answer.result[answered][0].asked = asked
            return answer

        wrap(ELBV2Response, operation, create)

    def balancers(self, asked):
        return [b for b in self.elbv2_backend.load_balancers.values() if b.name == asked.get("Name")]

    def groups(self, asked):
        return [g for g in self.elbv2_backend.target_groups.values() if g.name == asked.get("Name")]

    def listeners(self, asked):
        balancer = self.elbv2_backend.load_balancers.get(asked.get("LoadBalancerArn"))
        found = balancer.listeners.values() if balancer else []
        return [listener for listener in found if str(listener.port) == str(asked.get("Port"))]

    once("create_load_balancer", "LoadBalancers", balancers, DuplicateLoadBalancerName)
    once("create_target_group", "TargetGroups", groups, DuplicateTargetGroupName)
    once("create_listener", "Listeners", listeners, DuplicateListenerError)


def _scaling():
    """A group of a name that there is replaces it; and so does a policy of another group's policy's name."""

    def create(original, self, name, *arguments, **named):
        if name in self.autoscaling_groups:
            message = f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
            raise AutoscalingClientError("AlreadyExists", message)
        return original(self, name, *arguments, **named)

    def put_policy(original, self, name, *arguments, **named):
        # By group and name; moto has them by name.
        others = {key: policy for key, policy in self.policies.items() if key == name}
        policy = original(self, name, *arguments, **named)
        del self.policies[name]
        self.policies.update(others)
        self.policies[f"{policy.auto_scaling_group_name}/{name}"] = policy
        return policy

    wrap(AutoScalingBackend, "create_auto_scaling_group", create)
    wrap(AutoScalingBackend, "put_scaling_policy", put_policy)


def _tokens():
    answers = {}

    def call(original, self):
        action, token = self._get_action(), self.querystring.get("ClientToken", [None])[0]
        if not token or action not in WITH_TOKEN:
            return original(self)
        key = (self.current_account, self.region, action, token)
        asked, answer = answers.get(key, (None, None))
        if answer is None:
            answer = original(self)
            if answer[0] == 200:
                answers[key] = (dict(self.querystring), answer)
        elif asked != self.querystring:
            message = f"The request with token {token} was made before with other parameters."
            return self.serialized(ActionResult(EC2ClientError("IdempotentParameterMismatch", message)))
        status, headers, body = answer
        return status, dict(headers), body

    wrap(EC2Response, "call_action", call)


def _create_hosted_zone(original, self, *arguments, **named):
    reference = named.get("caller_reference")
    if reference and any(zone.caller_reference == reference for zone in self.zones.values()):
        message = f"A hosted zone has already been created with the specified caller reference: {reference}"
        raise Route53ClientError("HostedZoneAlreadyExists", message)
    return original(self, *arguments, **named)
