# SPDX-License-Identifier: Apache-2.0
"""Reads the corpora of tests/e2e/corpus."""

import pathlib
import re

import pytest
import yaml

from harness import configs

CORPUS = pathlib.Path(__file__).resolve().parents[1] / 'corpus'
HOST = 'Host: server.example\r\n'
SMUGGLED = f'GET /smuggled HTTP/1.1\r\n{HOST}\r\n'


def cases(name):
    groups = yaml.safe_load((CORPUS / name).read_text(encoding='utf-8'))
    return [pytest.param(case, id=f'{group["rule"].split(":")[0].replace(" ", "-")}-{case["name"]}')
            for group in groups for case in group['cases']]


def expand(text):
    text = text.replace('{H}', HOST)
    text = re.sub(r'\{X:(\d+)\}', lambda match: 'x' * int(match[1]), text)
    text = re.sub(r'\{R:(\d+):([^{}]*)\}', lambda match: match[2] * int(match[1]), text)
    return text.encode('latin-1')


def check_fields(request, wanted):
    """wanted: {name: value}, value None: must not be there."""
    for name, value in wanted.items():
        assert request.fields.get(name) == value, f'{name} of {request.fields}'


def http_door(pki, port, backend):
    """A listener in front of the backend, with a corner that nobody may enter."""
    return configs.http_side(pki, port, backend, routes=[
        {'match': {'path': '/admin/'}, 'allow': ['cn:nobody'], 'to': 'app'},
        {'allow': ['anyone'], 'to': 'app'}], workers=1)
