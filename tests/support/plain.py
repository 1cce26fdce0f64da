"""`moto_server` as it is, but for an answer that the SDK cannot read and a console that never says anything: for tests of
one kind of resource alone."""

import sys

import moto.server

import repairs
import serial

repairs.versioning()
repairs.consoles()
moto.server.DomainDispatcherApplication = serial.one_after_another(moto.server.DomainDispatcherApplication)
sys.exit(moto.server.main(sys.argv[1:]))
