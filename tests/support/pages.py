"""Listings in pages."""


def pages(client, operation, key, **arguments):
    """All items of a listing of boto3, whether it has pages or not."""
    if client.can_paginate(operation):
        found = client.get_paginator(operation).paginate(**arguments)
    else:
        found = [getattr(client, operation)(**arguments)]
    return [item for page in found for item in page.get(key, [])]
