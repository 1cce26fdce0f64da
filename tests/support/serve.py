"""`moto_server`, repaired where `overlord` needs it (`repairs.py`, `sharing.py`), that writes calls down (`calls.py`).

And with one AWS partition instead of eight: for each account moto reads AWS's 1,300 managed policies once per
partition, at each account's first call: a second, which is more than most tests take.
"""

import sys

import moto.iam.models
import moto.server

import calls
import repairs
import sharing

if not hasattr(moto.iam.models, "PARTITION_NAMES"):
    raise SystemExit("this is not the moto that serve.py knows: see xtask/moto-requirements.txt")
moto.iam.models.PARTITION_NAMES = ["aws"]
repairs.apply()
sharing.apply()
moto.server.DomainDispatcherApplication = calls.recorded(moto.server.DomainDispatcherApplication)
sys.exit(moto.server.main(sys.argv[1:]))
