# SPDX-License-Identifier: Apache-2.0
"""What the numbers were measured on."""

import os
import pathlib
import platform
import subprocess


def _cpu():
    fields = {}
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if not line:
            break
        key, _, value = line.partition(':')
        fields[key.strip()] = value.strip()
    name = fields.get('model name', platform.machine())
    if 'cpu family' in fields:
        name += f' (family {fields["cpu family"]}, model {fields.get("model", "?")})'
    return name


def _distribution():
    try:
        return platform.freedesktop_os_release()['PRETTY_NAME']
    except (OSError, KeyError):
        return '?'


def describe():
    openssl = subprocess.run(['openssl', 'version'], capture_output=True, text=True, check=False)
    return {
        'cpu': _cpu(),
        'cores': os.cpu_count(),
        'kernel': platform.release(),
        'system': _distribution(),
        'openssl': openssl.stdout.split('(')[0].strip(),
        'load_before': round(os.getloadavg()[0], 2),
    }
