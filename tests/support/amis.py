"""The few machine images that moto is given.

moto loads a thousand for each account and region, which takes longer than most tests.
"""

import gzip
import importlib.util
import json
import os


def recommended(region):
    """moto's entries of the images that AWS recommends for ECS on Amazon Linux 2023 in this region."""
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
    return found
