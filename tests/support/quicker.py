"""moto, quicker. All of it is about the tests' time alone:

- one AWS partition instead of eight, and its 1,300 managed policies made once: moto makes them for each account
  and partition at the account's first call, which takes a second and ten megabytes
- no line in the log for each call that worked: threads wait for each other there, half of the time
- services and their hosts known, instead of looked up in the file system at each call
- each service's methods known, instead of listed at each call: a fifth of it
- the names that a field of an answer may have in Python known by field and class, instead of made up at each value, and
  names in XML checked once: another third
- what an answer's field is changed by known by its path, instead of looked for at each value
- Flask without what it does for whoever debugs an application, and the ids of requests made in one draw: a tenth
"""

import functools
import string

import moto.backends
import moto.core.responses
import moto.iam.models
import xmltodict
from moto.core.serialize import MISSING, AttributePicker
from moto.core.utils import get_value
from moto.moto_api._internal.moto_random import MotoRandom
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.serving import WSGIRequestHandler

from repairs import wrap

AWS_POLICIES = []
# By table and the paths in it: which of them a field has.
TRANSFORMED = {}


def apply():
    """Puts all of it in place, once, before the server starts."""
    if not hasattr(moto.iam.models, "PARTITION_NAMES"):
        raise SystemExit("this is not the moto that quicker.py knows: see xtask/moto-requirements.txt")
    moto.iam.models.PARTITION_NAMES = ["aws"]
    services = frozenset(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: services
    dispatcher = DomainDispatcherApplication
    dispatcher.get_backend_for_host = functools.lru_cache(dispatcher.get_backend_for_host)
    moto.core.responses.method_names_from_class = functools.lru_cache(
        lambda cls, names=moto.core.responses.method_names_from_class: frozenset(names(cls))
    )
    AttributePicker.__call__ = _picked
    MotoRandom.get_random_string = _random_string
    wrap(dispatcher, "__init__", without_debugging)
    xmltodict._validate_name = functools.lru_cache(maxsize=None)(xmltodict._validate_name)
    wrap(moto.iam.models.IAMBackend, "_init_aws_policies", aws_policies)
    wrap(WSGIRequestHandler, "log_request", log_failures)


def _picked(self, context):
    """The value of a field, as `AttributePicker` finds it; what it is looked up by depends on no value."""
    shape, obj = context.shape, context.obj
    known = shape.__dict__.setdefault("_names_in_python", {})
    asked = (type(self), *self.alias_providers, type(obj), context.key)
    names = known.get(asked)
    if names is None:
        names = known[asked] = list(dict.fromkeys(self.get_possible_keys(context)))
    value = None
    for name in names:
        found = get_value(obj, name, MISSING)
        if found is not MISSING:
            value = found
            break
    if self.response_transformers:
        # Each service has one such table; requests put paths into it and take them out.
        table = self.response_transformers
        ends = TRANSFORMED.setdefault((id(table), *table), {})
        asked = (context.key_path, context.key)
        if asked not in ends:
            path = f"{context.key_path}.{context.key}"
            ends[asked] = next((end for end in table if path.endswith(end)), None)
        if ends[asked]:
            return table[ends[asked]](value)
    return value


def _random_string(self, length=20, include_digits=True, lower_case=False):
    """As moto's own, whose every letter is a draw."""
    made = "".join(self.choices(string.ascii_letters + string.digits * include_digits, k=length))
    return made.lower() if lower_case else made


def without_debugging(original, self, create_app):
    """A mistake in moto still reaches whoever serves it."""

    def create(service):
        app = create_app(service)
        app.debug = False
        app.config["PROPAGATE_EXCEPTIONS"] = True
        return app

    original(self, create)


def aws_policies(original, self):
    """AWS's own managed policies, which are the same in all accounts."""
    if not AWS_POLICIES:
        AWS_POLICIES.extend(original(self))
    return list(AWS_POLICIES)


def log_failures(original, self, code="-", size="-"):
    if int(code) != 200:
        original(self, code, size)
