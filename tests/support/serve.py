"""`moto_server`, quicker and repaired where our binaries need it (`repaired.py`), that writes calls down (`calls.py`)."""

import sys

import moto.server

import calls
import repaired
import serial

repaired.apply()
application = moto.server.DomainDispatcherApplication
moto.server.DomainDispatcherApplication = calls.recorded(serial.one_after_another(application))
sys.exit(moto.server.main(sys.argv[1:]))
