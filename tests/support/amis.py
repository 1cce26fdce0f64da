"""The few machine images that moto is given.

moto loads a thousand for each account and region, which takes longer than most tests.
"""

import gzip
import importlib.util
import json
import os
import re


# The image that the examples name; it is for the processors of the example's instance type.
EXAMPLE = ("ami-0123456789abcdef0", "arm64")


def recommended(region):
    """moto's entries of the images that AWS recommends in this region: for ECS on Amazon Linux 2023, and plain ones."""
    resources = importlib.util.find_spec("moto").submodule_search_locations[0]

    def read(service):
        path = os.path.join(resources, service, "resources/ecs/optimized_amis", f"{region}.json.gz")
        with gzip.open(path, "rt", encoding="utf-8") as text:
            return json.load(text)

    parameters = read("ssm")["aws"]["service"]["ecs"]["optimized-ami"]["amazon-linux-2023"]
    wanted = {tree["recommended"]["image_id"]["Value"] for tree in (parameters, parameters["arm64"])}
    found = [ami for ami in read("ec2") if ami["ami_id"] in wanted]
    if {ami["ami_id"] for ami in found} != wanted:
        raise RuntimeError(f"moto has no images {wanted}: is it another version?")
    name, architecture = EXAMPLE
    example = [{**ami, "ami_id": name} for ami in found if ami["architecture"] == architecture]
    return found + example + _plain(resources, region, found)


def _plain(resources, region, like):
    """Amazon Linux 2023 without ECS, which moto has the parameters of, and no images for."""
    path = os.path.join(resources, "ssm/resources/ami-amazon-linux-latest", f"{region}.json.gz")
    with gzip.open(path, "rt", encoding="utf-8") as text:
        parameters = json.load(text)
    found = {}
    for parameter in parameters:
        name = re.fullmatch(r".*/al2023-ami-.*(x86_64|arm64)", parameter["Name"])
        if name:
            ami = next(ami for ami in like if ami["architecture"] == name.group(1))
            found[parameter["Value"]] = {**ami, "ami_id": parameter["Value"]}
    return list(found.values())
