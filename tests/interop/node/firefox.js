// firefox.js URL CASE... [URL CASE...]... -- the cases in a page of headless Firefox, through puppeteer-core and WebDriver BiDi.
'use strict';

const puppeteer = require('puppeteer-core');

async function open(profile) {
    const browser = await puppeteer.launch({
        browser: 'firefox',
        executablePath: process.env.FIREFOX || '/usr/bin/firefox-esr',
        headless: true,
        userDataDir: profile,
        env: { ...process.env, HOME: profile },
        extraPrefsFirefox: { 'network.proxy.type': 0 },
    });
    return { page: await browser.newPage(), close: () => browser.close() };
}

async function watchRefusal(page) {
    let status = 0;
    page.on('response', (response) => (status = response.status()));
    return () => `${status}`;
}

const known = { insists: false, offersWindow: false, showsTerms: false };
require('./browsing.js')({ open, watchRefusal, expected: { refused: /^403$/ }, known });
