"""All that stands in some accounts, as text that is the same where the same stands: see `canonical.py`.

Left out is what goes by itself: deleted things that moto goes on showing, instances of Auto Scaling groups but for
their number, and the history of what was done.

What was read once is read again after a call only that may have changed it; a copy of the process knows what its
original has read: see `changes.py`. `fresh` reads all of it, to see that no call was forgotten there.
"""

import account_things as of_account
import application_things as of_region
import changes
import network_things as of_network
from canonical import canonical

# What time changes, and records of other accounts.
ALWAYS = {of_region.certificates}
ONCE = set(of_account.READERS)


class Dump:
    """Reads accounts."""

    def __init__(self, accounts):
        self.accounts, self.known = accounts, {}

    def called(self, service, region, account, operation):
        """Forgets what a call may have changed."""
        here, everywhere = changes.changed(service, operation)
        if here is None:
            self.known.clear()
            return
        for reader in here:
            self.known.pop((account, None if reader in ONCE else region, reader), None)
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
