# SPDX-License-Identifier: Apache-2.0
"""The driver of script/bench: processes, certificates, peers, measures, and the table."""
