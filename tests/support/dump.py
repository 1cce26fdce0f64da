"""All that stands in some accounts, as text that is the same where the same stands: see `canonical.py`.

Left out is what goes by itself: deleted things that moto goes on showing, instances of Auto Scaling groups but for
their number, and the history of what was done.

What was read once is read again after a call only that may have changed it; a copy of the process knows what its
original has read. `fresh` reads all of it, to see that no call was forgotten here.
"""

import account_things as of_account
import application_things as of_region
import network_things as of_network
from canonical import canonical

# What calls to a service may change in the same account, and region where it has several.
CHANGES = {
    "ec2": {*of_network.READERS, of_region.instances, of_region.templates, of_region.scaling_groups},
    "autoscaling": {of_region.instances, of_region.scaling_groups, of_region.target_groups, of_network.nat},
    "elbv2": {of_region.balancers, of_region.target_groups},
    "ssm": {of_region.parameters},
    "logs": {of_region.logs},
    "acm": {of_region.certificates},
    "ram": set(),
    "cloudtrail": {of_region.trails},
    "iam": {of_account.roles, of_account.identity},
    "route53": {of_account.zones},
    "s3": {of_account.buckets},
    "s3control": {of_account.buckets},
    "budgets": {of_account.billing},
    "ce": {of_account.billing},
    "organizations": set(),
    "sts": set(),
}
# The same of some calls only.
CHANGES_OF = {
    "CreateSecurityGroup": {of_network.security_groups},
    "DeleteSecurityGroup": {of_network.security_groups},
    "AuthorizeSecurityGroupIngress": {of_network.security_groups},
    "RevokeSecurityGroupIngress": {of_network.security_groups},
    "CreateLaunchTemplate": {of_region.templates},
    "DeleteLaunchTemplate": {of_region.templates},
    "CreateKeyPair": {of_region.templates},
    "DeleteKeyPair": {of_region.templates},
}
# What calls of one account may change in all of them, by a word of the operation. A tag may be on anything.
EVERYWHERE = {
    "TransitGateway": {of_network.transit},
    "VpcPeering": {of_network.peerings},
    "Vpc": {of_network.peerings},
    "Tags": {of_network.transit, of_network.peerings},
}
EVERYWHERE_OF = {"ram": {of_region.shares, of_network.transit}, "organizations": {of_account.organization}}
# What time changes, and records of other accounts.
ALWAYS = {of_region.certificates}
ONCE = set(of_account.READERS)
READS = ("describe", "get", "list", "head", "search", "lookup")


class Dump:
    """Reads accounts."""

    def __init__(self, accounts):
        self.accounts, self.known = accounts, {}

    def called(self, service, region, account, operation):
        """Forgets what a call may have changed."""
        if operation.lower().startswith(READS):
            return
        changed = CHANGES_OF.get(operation) or CHANGES.get(service)
        if changed is None:
            self.known.clear()
            return
        for reader in changed:
            self.known.pop((account, None if reader in ONCE else region, reader), None)
        everywhere = set(EVERYWHERE_OF.get(service, ()))
        if service == "ec2":
            everywhere.update(*(readers for word, readers in EVERYWHERE.items() if word in operation))
        for key in [key for key in self.known if key[2] in everywhere]:
            del self.known[key]

    def _read(self, number, region, readers, regions, fresh):
        account = self.accounts.get(number, region or regions[0])
        for reader in readers:
            key = (number, region, reader)
            if fresh or reader in ALWAYS or key not in self.known:
                self.known[key] = list(reader(account))
            yield from self.known[key]

    def dump(self, accounts, regions, texts, fresh):
        """accounts: numbers by name. Maps `<account> <region> <kind>` to names to fields.

        Of what an account has once, the region is `global`. texts: what to write instead of some texts.
        """
        places = {}
        for name, number in sorted(accounts.items()):
            places[f"{name} global"] = list(self._read(number, None, of_account.READERS, regions, fresh))
            for region in regions:
                readers = (*of_network.READERS, *of_region.READERS)
                places[f"{name} {region}"] = list(self._read(number, region, readers, regions, fresh))
        return canonical(places, texts)
