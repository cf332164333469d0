# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark.

    cli         the command line
    schedulers  who is compared, and where they are
    workloads   what runs in the guest, and which figures it leaves
    results     medians, ratios, the goals, and the tables made of them
    page        the same as a page with plots
"""
