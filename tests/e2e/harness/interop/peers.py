# SPDX-License-Identifier: Apache-2.0
"""The table of peers."""

from harness.interop.chromium import Chromium
from harness.interop.curl import Curl
from harness.interop.gnutls import Gnutls
from harness.interop.golang import Go
from harness.interop.java import Java
from harness.interop.node import Node
from harness.interop.nss import Nss
from harness.interop.openssl import Openssl

SERVERS = [Openssl(), Gnutls(), Nss(), Java(), Node(), Go()]
CLIENTS = [*SERVERS, Curl(), Chromium()]
