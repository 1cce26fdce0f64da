"""`moto_server`, quicker and repaired where our binaries need it (`repaired.py`), that writes calls
(`calls.py`) and the fields of marked ones (`fields.py`) down."""

import sys

import moto.server

import calls
import fields
import repaired
import serial

repaired.apply()
application = moto.server.DomainDispatcherApplication
moto.server.DomainDispatcherApplication = fields.recorded(
    calls.recorded(serial.one_after_another(application))
)
sys.exit(moto.server.main(sys.argv[1:]))
