#!/bin/sh
# Stands in for blkid: every disk has a file system.
case "$*" in *TYPE*) echo ext4 ;; *) echo 00000000-0000-4000-8000-000000000000 ;; esac
