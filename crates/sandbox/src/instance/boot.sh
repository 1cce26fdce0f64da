#!/bin/sh
# Runs the boot script. A busybox prefers its own programs to those on the PATH, so what stands in for them is said here:
# an instance of the sandbox has no disks to prepare.
{
    echo 'mount() { :; }; truncate() { :; }; sysctl() { :; }'
    cat
} | sh
