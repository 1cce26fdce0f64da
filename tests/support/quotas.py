"""What moto lacks of quotas: Service Quotas for more than VPC, and what services say of their own.

The account is one that has grown: where AWS's default would be in the way of tests that are about something else, it has
more. A request for another value holds at once (AWS decides within hours, and does not lower a quota).
"""

import json

import moto.route53.urls
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance
from moto.route53.responses import Route53
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.responses import ServiceQuotasResponse

# By service: code, name, value.
VALUES = {
    "elasticloadbalancing": {
        "L-53DA6B97": ("Application Load Balancers per Region", 50),
        "L-69A177A2": ("Network Load Balancers per Region", 50),
        "L-B22855CB": ("Target Groups per Region", 3000),
        "L-B6DF7632": ("Listeners per Application Load Balancer", 50),
        "L-57A373D6": ("Listeners per Network Load Balancer", 50),
    },
    "vpc": {
        "L-F678F1CE": ("VPCs per Region", 100),
        "L-A4707A72": ("Internet gateways per Region", 100),
        "L-45FE3B85": ("Egress-only internet gateways per Region", 100),
        "L-1B52E74A": ("Gateway VPC endpoints per Region", 100),
        "L-E79EC296": ("VPC security groups per Region", 2500),
        "L-0EA8095F": ("Inbound or outbound rules per security group", 60),
    },
    "ec2": {
        "L-0263D0A3": ("EC2-VPC Elastic IPs", 100),
        "L-A2478D36": ("Transit gateways per account", 5),
        "L-7029FAB6": ("Virtual private gateways per region", 100),
        "L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 1152),
        "L-34B43A08": ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 1152),
        "L-DB2E81BA": ("Running On-Demand G and VT instances", 0),
    },
    "autoscaling": {"L-CDE20ADC": ("Auto Scaling groups per region", 500)},
    "route53": {"L-4EA4796A": ("Hosted zones", 500)},
}


def _asked(backend):
    """What was asked for in this account and region, by service and code."""
    if not hasattr(backend, "asked"):
        backend.asked = {}
    return backend.asked


def _value(backend, service, code):
    return _asked(backend).get((service, code), VALUES[service][code][1])


def _quota(backend, service, code):
    return {
        "ServiceCode": service,
        "QuotaCode": code,
        "QuotaName": VALUES[service][code][0],
        "Value": float(_value(backend, service, code)),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": service in ("iam", "route53"),
    }


def _require(service, code):
    if code not in VALUES.get(service, {}):
        raise NoSuchResource


def list_service_quotas(self):
    service = json.loads(self.body)["ServiceCode"]
    if service not in VALUES:
        raise NoSuchResource
    return json.dumps({"Quotas": [_quota(self.backend, service, code) for code in VALUES[service]]})


def get_service_quota(self):
    request = json.loads(self.body)
    service, code = request["ServiceCode"], request["QuotaCode"]
    _require(service, code)
    return json.dumps({"Quota": _quota(self.backend, service, code)})


def request_service_quota_increase(self):
    request = json.loads(self.body)
    service, code = request["ServiceCode"], request["QuotaCode"]
    _require(service, code)
    _asked(self.backend)[service, code] = int(request["DesiredValue"])
    return json.dumps({"RequestedQuota": {"ServiceCode": service, "QuotaCode": code, "Status": "APPROVED"}})


def _of_region(response, service, code):
    from moto.servicequotas.models import servicequotas_backends

    # Of a service without regions they are those of the partition's first one.
    region = "us-east-1" if service == "route53" else response.region
    return _value(servicequotas_backends[response.current_account][region], service, code)


def describe_account_limits(self):
    return ActionResult(
        {
            "MaxNumberOfAutoScalingGroups": _of_region(self, "autoscaling", "L-CDE20ADC"),
            "MaxNumberOfLaunchConfigurations": 200,
            "NumberOfAutoScalingGroups": len(self.autoscaling_backend.autoscaling_groups),
            "NumberOfLaunchConfigurations": 0,
        }
    )


def get_account_limit(self):
    kind = self.path.rstrip("/").rsplit("/", 1)[-1]
    return ActionResult(
        {
            "Limit": {"Type": kind, "Value": _of_region(self, "route53", "L-4EA4796A")},
            "Count": len(self.backend.zones),
        }
    )


def _processors():
    """Instances do not tell their cores and threads."""

    def cpu_options(self):
        of = INSTANCE_TYPES.get(self.instance_type, {}).get("VCpuInfo", {})
        threads = of.get("DefaultThreadsPerCore", 1)
        return {"CoreCount": of.get("DefaultVCpus", 1) // threads, "ThreadsPerCore": threads}

    Instance.cpu_options = property(cpu_options)


def apply():
    """Puts all of it in place, once, before the server starts."""
    _processors()
    for function in (list_service_quotas, get_service_quota, request_service_quota_increase):
        setattr(ServiceQuotasResponse, function.__name__, function)
    AutoScalingResponse.describe_account_limits = describe_account_limits
    Route53.get_account_limit = get_account_limit
    limit = r"{0}/(?P<api_version>[\d_-]+)/accountlimit/(?P<limit_type>[^/]+)$"
    moto.route53.urls.url_paths[limit] = Route53.dispatch
