# SPDX-License-Identifier: GPL-2.0-only
"""What the checks in tools/check_*.py share."""
