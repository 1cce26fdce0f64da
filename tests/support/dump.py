"""All that stands in some accounts, as text that is the same where the same stands: see `canonical.py`.

Left out is what goes by itself: deleted things that moto goes on showing, instances of Auto Scaling groups but for
their number, and the history of what was done.
"""

import account_things
import application_things
import network_things
from canonical import canonical


def dump(accounts, wanted, regions):
    """wanted: numbers of accounts by name. Maps `<account> <region> <kind>` to names to fields.

    Of what an account has once, the region is `global`.
    """
    places = {}
    for name, number in sorted(wanted.items()):
        once = accounts.get(number, regions[0])
        places[f"{name} global"] = list(account_things.things(once))
        for region in regions:
            account = accounts.get(number, region)
            places[f"{name} {region}"] = [*network_things.things(account), *application_things.things(account)]
    return canonical(places)
