#!/bin/sh
# Stands in for programs that prepare disks: there are none.
exit 0
