# SPDX-License-Identifier: GPL-2.0-only
"""The simulator and a real kernel beside each other, on one workload.

    workload    rt-app's files, and the one that both worlds run
    trace       wake-up latencies out of a kernel's trace
    guest       a run of rt-app in the virtual machine
    simulator   the same in `cppland sim`
    table       what is printed
"""
