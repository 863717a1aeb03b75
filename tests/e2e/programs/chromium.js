// SPDX-License-Identifier: Apache-2.0
//
// node chromium.js PROFILE < lines of "NAME URL"
//
// Chromium, headless, with a profile folder that is made ready by the caller, drives through the
// pages and prints {"name", "status", "protocol", "body"} or {"name", "error"} for each.
'use strict';
const readline = require('readline');
const {chromium} = require('playwright-core');

async function main() {
  const browser = await chromium.launchPersistentContext(process.argv[2], {
    executablePath: '/usr/bin/chromium', headless: true, chromiumSandbox: false,
    args: ['--host-resolver-rules=MAP server.example 127.0.0.1', '--no-proxy-server',
           '--disable-component-update', '--disable-background-networking'],
  });
  const page = await browser.newPage();
  for await (const line of readline.createInterface({input: process.stdin})) {
    const [name, url] = line.split(' ');
    try {
      const answer = await page.goto(url);
      console.log(JSON.stringify({name, status: answer.status(), headers: await answer.allHeaders(),
                                  body: (await answer.text()).trim()}));
    } catch (error) {
      console.log(JSON.stringify({name, error: error.message.split('\n')[0]}));
    }
  }
  await browser.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
