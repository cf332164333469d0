# SPDX-License-Identifier: GPL-2.0-only
"""Comparing two benchmarks.

    cli       the command line
    read      the files, checked
    compare   figures, their verdicts, and the table of them
    baseline  files that are kept, to compare with
"""
