// demo_page.js DEMO PICTURE -- starts the demo, and does in headless Chromium what a person would do with its
// page: sends text and octets, looks at what comes back, closes; takes a picture of it. Ends with 0 if all was
// as it should be, on the page and in the terminal.
'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { chromium } = require('playwright-core');

const [demo, picture] = process.argv.slice(2);

// The demo, what it has printed so far, and where it listens.
async function start() {
    const child = spawn(demo, ['--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const running = { child, printed: '' };
    running.url = await new Promise((resolve, reject) => {
        child.once('exit', (code) => reject(new Error(`the demo ended with ${code}`)));
        child.stdout.on('data', (data) => {
            running.printed += data;
            const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(running.printed);
            if (found) resolve(found[0]);
        });
    });
    return running;
}

async function play(page) {
    const line = (text) => page.getByRole('listitem').filter({ hasText: text });
    await line('open').waitFor();
    await page.getByLabel('Text').fill('Grüße, 世界');
    await page.locator('#text button').click();
    await line('text "Grüße, 世界"').nth(1).waitFor();
    await page.getByLabel('Binary').fill('00 7F 80 FF');
    await page.locator('#binary button').click();
    await line('binary 00 7F 80 FF').nth(1).waitFor();
    await page.getByLabel('reason').fill('seen enough');
    await page.locator('#close button').click();
    await line('closed: 1000  (clean)').waitFor();
    const classes = await page.locator('li').evaluateAll((lines) => lines.map((one) => one.className));
    assert.deepEqual(classes, ['note', 'sent', 'got', 'sent', 'got', 'sent', 'note']);
}

function checkTerminal(printed) {
    for (const expected of [
        /client -> server: head\n {4}GET \/ HTTP\/1\.1\n/,
        /server -> client: head\n {4}HTTP\/1\.1 101 Switching Protocols\n/,
        /client -> server: frame, 21 octets[^]*opcode: text[^]*masking key[^]*masked payload[^]*"Grüße, 世界"/,
        /server -> client: frame, 17 octets[^]*0\.\.\. \.\.\.\. {2}MASK[^]*"Grüße, 世界"/,
        /server -> client: frame, 6 octets[^]*opcode: binary[^]*00 7F 80 FF/,
        /status code 1000, normal closure; reason "seen enough"/,
    ]) {
        assert.match(printed, expected);
    }
}

async function main() {
    const running = await start();
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--no-proxy-server'],
    });
    try {
        const page = await browser.newPage({ viewport: { width: 800, height: 640 } });
        page.setDefaultTimeout(10000);
        const wrong = [];
        page.on('pageerror', (error) => wrong.push(error.message));
        page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
        await page.goto(running.url);
        await play(page);
        await page.screenshot({ path: picture });
        assert.deepEqual(wrong, []);
    } finally {
        await browser.close();
        running.child.kill();
    }
    checkTerminal(running.printed);
    console.log(`the page works; a picture of it is in ${picture}`);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
