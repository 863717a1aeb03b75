# SPDX-License-Identifier: Apache-2.0
"""What the end to end tests stand on: certificates, the daemon, its clients and its backends."""
