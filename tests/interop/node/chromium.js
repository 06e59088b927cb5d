// chromium.js URL CASE... [URL CASE...]... -- the cases in a page of headless Chromium, through playwright-core.
'use strict';

const { chromium } = require('playwright-core');

async function open(profile) {
    const context = await chromium.launchPersistentContext(profile, {
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        headless: true,
        args: [
            ...['--no-sandbox', '--disable-gpu', '--no-first-run'],
            ...['--disable-background-networking', '--no-proxy-server'],
        ],
    });
    return { page: await context.newPage(), close: () => context.close() };
}

async function watchRefusal(page) {
    let refusal = '';
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    session.on('Network.webSocketFrameError', ({ errorMessage }) => (refusal = errorMessage));
    return () => refusal;
}

const expected = { refused: /Unexpected response code: 403/, 'protocol/none': /no response was received/ };
const known = { insists: true, offersWindow: true, showsTerms: true };
require('./browsing.js')({ open, watchRefusal, expected, known });
