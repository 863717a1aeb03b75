# SPDX-License-Identifier: Apache-2.0
"""The conformance table of doors: the same verdict on a peer, whatever the door, the TLS version, the
kind of handshake, and the source that knows of the revocation."""
