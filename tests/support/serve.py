"""`moto_server`, repaired where `overlord` needs it (`repairs.py`, `sharing.py`), that writes calls down (`calls.py`).

And quicker, which is about the tests' time alone:
- with one AWS partition instead of eight, and its 1,300 managed policies made once: moto makes them for each account
  and partition at the account's first call, which takes a second and ten megabytes
- without a line in the log for each call that worked: threads wait for each other there, half of the time
- with its services and their hosts known, instead of looked up in the file system at each call
"""

import functools
import sys

import moto.backends
import moto.iam.models
import moto.server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.serving import WSGIRequestHandler

import calls
import repairs
import sharing

if not hasattr(moto.iam.models, "PARTITION_NAMES"):
    raise SystemExit("this is not the moto that serve.py knows: see xtask/moto-requirements.txt")
moto.iam.models.PARTITION_NAMES = ["aws"]
AWS_POLICIES = []


def aws_policies(original, self):
    """AWS's own managed policies, which are the same in all accounts."""
    if not AWS_POLICIES:
        AWS_POLICIES.extend(original(self))
    return list(AWS_POLICIES)


def log_failures(original, self, code="-", size="-"):
    if int(code) != 200:
        original(self, code, size)


SERVICES = frozenset(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: SERVICES
DomainDispatcherApplication.get_backend_for_host = functools.lru_cache(DomainDispatcherApplication.get_backend_for_host)
repairs.wrap(moto.iam.models.IAMBackend, "_init_aws_policies", aws_policies)
repairs.wrap(WSGIRequestHandler, "log_request", log_failures)
repairs.apply()
sharing.apply()
moto.server.DomainDispatcherApplication = calls.recorded(moto.server.DomainDispatcherApplication)
sys.exit(moto.server.main(sys.argv[1:]))
