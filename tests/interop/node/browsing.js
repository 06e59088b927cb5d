// browsing.js -- runs the cases of page.js in a browser that chromium.js or firefox.js has opened.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const seconds = Number(process.env.INTEROP_SECONDS || 20);

function servePage(known) {
    const script = `const { insists, offersWindow, showsTerms } = ${JSON.stringify(known)};\n${fs.readFileSync(path.join(__dirname, 'page.js'))}`;
    const server = http.createServer((request, response) => {
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        response.end(`<!doctype html><title>interop</title><link rel="icon" href="data:,"><script>${script}</script>`);
    });
    return new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(server)));
}

// open(profile) gives { page, close }. watchRefusal(page) gives a function for what the browser, not the page,
// knows of the last handshake, and expected what that must look like in some cases. What is known of the browser:
// does it refuse a server that agrees to no protocol, does it offer to limit the window that it compresses with, and
// does it show a page what was agreed on about that?
module.exports = async function run({ open, watchRefusal, expected, known }) {
    let base;
    const server = await servePage(known);
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'interop-'));
    const { page, close } = await open(profile);
    let good = true;
    try {
        const refusal = await watchRefusal(page);
        page.on('console', (message) => {
            if (message.text() === 'connected') console.log('connected');
        });
        await page.goto(`http://127.0.0.1:${server.address().port}/`);
        for (const name of process.argv.slice(2)) {
            if (name.startsWith('ws:')) {
                base = name;
                continue;
            }
            let result = await page.evaluate(([url, word, limit]) => tell(url, word, limit), [base, name, seconds]);
            if (result === 'ok' && expected[name] && !expected[name].test(refusal())) result = `failed: ${refusal()}`;
            good = good && !result.startsWith('failed');
            console.log(`${name}: ${result.replace(/\s+/g, ' ')}`);
        }
    } finally {
        await close();
        server.close();
        fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    }
    process.exit(good ? 0 : 1);
};
