"""`moto_server`, quicker (`quicker.py`), repaired where our binaries need it (`repairs.py`, `sharing.py`), that writes
calls down (`calls.py`)."""

import sys

import moto.server

import calls
import quicker
import repairs
import sharing

quicker.apply()
repairs.apply()
sharing.apply()
moto.server.DomainDispatcherApplication = calls.recorded(moto.server.DomainDispatcherApplication)
sys.exit(moto.server.main(sys.argv[1:]))
