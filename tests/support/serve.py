"""`moto_server`, with one AWS partition instead of eight.

For each account moto reads AWS's 1,300 managed policies once per partition, at each account's first
call: a second, which is more than most tests take.
"""

import sys

import moto.iam.models
from moto.server import main

if not hasattr(moto.iam.models, "PARTITION_NAMES"):
    raise SystemExit("this is not the moto that serve.py knows: see xtask/moto-requirements.txt")
moto.iam.models.PARTITION_NAMES = ["aws"]
sys.exit(main(sys.argv[1:]))
