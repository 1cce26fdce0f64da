"""`moto_server`, quicker and repaired where our binaries need it (`repaired.py`), that writes calls down (`calls.py`)."""

import sys

import moto.server

import calls
import repaired

repaired.apply()
moto.server.DomainDispatcherApplication = calls.recorded(moto.server.DomainDispatcherApplication)
sys.exit(moto.server.main(sys.argv[1:]))
