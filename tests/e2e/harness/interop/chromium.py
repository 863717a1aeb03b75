# SPDX-License-Identifier: Apache-2.0
"""Chromium, a client only, driven through Playwright. Certificates come from an NSS database in a
home of its own, and which to show is told by the preference behind AutoSelectCertificateForUrls."""

import json
import os
import shutil
import subprocess

from harness import certs, node, waiting
from harness.interop import Peer, Seen, process

PREFERENCES = {'profile': {'managed_auto_select_certificate_for_urls': ['{"pattern": "*", "filter": {}}']}}


def prepare(folder, leaf, root):
    """A home and a profile within folder; the profile and the environment to run with."""
    home, profile = folder / 'home', folder / 'profile'
    database = home / '.pki/nssdb'
    database.mkdir(parents=True)
    certs.nss_database(database, leaf, root)
    (profile / 'Default').mkdir(parents=True)
    (profile / 'Default/Preferences').write_text(json.dumps(PREFERENCES))
    return profile, {**node.env(), 'HOME': str(home), 'XDG_CONFIG_HOME': str(home / '.config'),
                     'XDG_DATA_HOME': str(home / '.local/share')}


def browse(folder, leaf, root, urls):
    """Goes through the urls with one certificate: [what chromium.js tells of each]."""
    profile, env = prepare(folder, leaf, root)
    lines = ''.join(f'{number} {url}\n' for number, url in enumerate(urls))
    shown = subprocess.run(node.command('chromium.js', profile), input=lines, capture_output=True,
                           text=True, env=env, timeout=3 * waiting.SECONDS + len(urls), check=False)
    assert shown.returncode == 0, shown
    return [json.loads(line) for line in shown.stdout.splitlines()]


class Chromium(Peer):
    name = 'chromium'
    asks_its_user = True
    cannot = {
        'rsa-pss': 'Chromium takes no RSA-PSS keys',
        'ed25519': 'Chromium does not offer Ed25519',
        'p521': 'Chromium does not offer ECDSA with P-521',
    }

    def missing(self):
        if not shutil.which('chromium'):
            return 'chromium is not installed'
        return node.missing('playwright-core')

    def visit(self, doors, folder):
        """A browser for each kind of key."""
        seen = {}
        for key in dict.fromkeys(door.combo.key for door in doors):
            mine = [door for door in doors if door.combo.key == key]
            place = folder / key
            place.mkdir()
            told = browse(place, mine[0].leaf, mine[0].root,
                          [f'https://server.example:{door.port}/{n}' for door in mine for n in (1, 2)])
            for number, door in enumerate(mine):
                seen[door] = [Seen(page.get('body', page.get('error')), None)
                              for page in told[2 * number:2 * number + 2]]
        return seen
