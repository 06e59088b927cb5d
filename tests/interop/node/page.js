// page.js -- the cases of ../README.md inside a browser: what its WebSocket interface lets a page do.
'use strict';

const maxMessage = 1 << 20;

function check(what, got, wanted) {
    if (got !== wanted) throw new Error(`${what}: got ${String(got).slice(0, 60)}, not ${String(wanted).slice(0, 60)}`);
}

class CannotDo extends Error {}

class Connection {
    constructor(url, protocols) {
        this.socket = new WebSocket(url, protocols);
        this.socket.binaryType = 'arraybuffer';
        this.messages = [];
        this.waiting = [];
        this.socket.onmessage = ({ data }) => {
            const waits = this.waiting.shift();
            if (waits) waits.resolve(data);
            else this.messages.push(data);
        };
        this.end = new Promise((resolve) => (this.socket.onclose = resolve));
        this.end.then(({ code }) => {
            for (const waits of this.waiting) waits.reject(new Error(`ended with ${code}`));
        });
        this.opened = new Promise((resolve, reject) => {
            this.socket.onopen = resolve;
            this.end.then(({ code }) => reject(new Error(`not opened, ${code}`)));
        });
        this.opened.catch(() => {});
    }

    next() {
        if (this.messages.length) return Promise.resolve(this.messages.shift());
        return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
    }

    async echo(...messages) {
        for (const message of messages) {
            this.socket.send(message);
            same(await this.next(), message);
        }
    }

    async goodbye() {
        check('messages left', this.messages.length, 0);
        this.socket.close(1000);
        check('code of the answer', (await this.end).code, 1000);
    }
}

function same(got, wanted) {
    if (typeof wanted === 'string') return check('echo', got, wanted);
    check('kind of echo', Object.prototype.toString.call(got), '[object ArrayBuffer]');
    check('size of echo', got.byteLength, wanted.length);
    const octets = new Uint8Array(got);
    for (let i = 0; i < wanted.length; ++i) check(`octet ${i}`, octets[i], wanted[i]);
}

async function connect(url, protocols = []) {
    const connection = new Connection(url, protocols);
    await connection.opened;
    return connection;
}

const pattern = (size) => Uint8Array.from({ length: size }, (_, i) => 32 + (i % 95));
// 20,000 letters over and over: only a large window sees that.
const letters = (size) => {
    const octets = new Uint8Array(size);
    for (let i = 0, x = 1; i < size; ++i) {
        octets[i] = i < 20000 ? 97 + (x % 26) : octets[i - 20000];
        x = (x * 75 + 74) % 65537;
    }
    return octets;
};
// Nothing that can be compressed.
const noise = (size) => {
    let x = 1;
    return Uint8Array.from({ length: size }, () => (x = (x * 75 + 74) % 65537) % 256);
};

// How both compress, in the words of the cases, or what else the browser says of it.
function agreed(extensions) {
    if (!showsTerms) return extensions;
    const word = (end) => {
        const bits = extensions.match(`${end}_max_window_bits=([0-9]+)`);
        return `${bits ? bits[1] : 15}${extensions.includes(`${end}_no_context_takeover`) ? '-anew' : ''}`;
    };
    return `${word('server')}/${word('client')}`;
}

const hundred = (word) => Array.from({ length: 100 }, (_, i) => `${word} ${i}`);

// Each gets the server's URL and the further words of its name.
const cases = {
    async text(url) {
        const connection = await connect(`${url}/`);
        await connection.echo('Grüße aus Köln, 你好, 👋', 'and one more');
        await connection.goodbye();
    },
    async binary(url) {
        const connection = await connect(`${url}/`);
        await connection.echo(Uint8Array.from({ length: 256 }, (_, i) => i), Uint8Array.of(0));
        await connection.goodbye();
    },
    async empty(url) {
        const connection = await connect(`${url}/`);
        await connection.echo('', new Uint8Array(), 'not empty');
        await connection.goodbye();
    },
    async size(url, octets) {
        const connection = await connect(`${url}/`);
        await connection.echo(pattern(Number(octets)), new TextDecoder().decode(pattern(Number(octets))));
        await connection.goodbye();
    },
    async pong(url, unasked) {
        if (unasked) throw new CannotDo('a page sends no pings, pongs or fragments');
        const connection = await connect(`${url}/ping`);
        check('message after the pong', await connection.next(), 'pong are you there');
        await connection.goodbye();
    },
    async burst(url) {
        const connection = await connect(`${url}/`);
        for (const message of hundred('burst')) connection.socket.send(message);
        for (const message of hundred('burst')) check('echo', await connection.next(), message);
        await connection.goodbye();
    },
    async greeting(url) {
        const connection = await connect(`${url}/greeting`);
        for (const message of hundred('greeting')) check('greeting', await connection.next(), message);
        await connection.echo('thank you');
        await connection.goodbye();
    },
    async protocol(url, kind) {
        if (kind === 'agreed') {
            const connection = await connect(`${url}/`, ['unknown', 'echo.v1', 'echo.v2']);
            check('protocol', connection.socket.protocol, 'echo.v1');
            await connection.echo('spoken');
            return connection.goodbye();
        }
        // A browser may insist on what the page offers (Chromium), or go on without a protocol (Firefox).
        const connection = new Connection(`${url}/`, ['unknown']);
        const opened = await connection.opened.then(() => true, () => false);
        check('opened without a protocol', opened, !insists);
        check('protocol', connection.socket.protocol, '');
        if (opened) await connection.goodbye();
    },
    async refused(url) {
        const connection = new Connection(`${url}/refuse`);
        check('opened', await connection.opened.then(() => true, () => false), false);
        check('code', (await connection.end).code, 1006);
    },
    async close(url, code, reason) {
        if (code && code !== '1000' && code < 3000) throw new CannotDo('a page closes with 1000 or 3000 to 4999 only');
        const connection = await connect(`${url}/`);
        connection.socket.close(...(code ? [Number(code), reason].filter(Boolean) : []));
        const end = await connection.end;
        check('code of the answer', end.code, Number(code || 1005));
        check('clean', end.wasClean, true);
    },
    async closed(url, code, reason = '') {
        const connection = await connect([url, 'close', code, reason].filter(Boolean).join('/'));
        const end = await connection.end;
        check('code', end.code, Number(code || 1005));
        check('reason', end.reason, reason);
        check('clean', end.wasClean, true);
    },
    async 'too-large'(url) {
        const connection = await connect(`${url}/`);
        connection.socket.send(pattern(maxMessage + 1));
        check('code', (await connection.end).code, 1009);
    },
    async deflate(url, server, client, offered) {
        const terms = `${server}/${client}`;
        if (offered) throw new CannotDo('a page has no say in what is offered');
        if (!offersWindow && parseInt(client) < 15) throw new CannotDo('it does not offer to limit its window');
        const connection = await connect(`${url}/`);
        check('agreed', agreed(connection.socket.extensions), showsTerms ? terms : 'permessage-deflate');
        for (const size of [1, 2, 126, 1000, 32768, 65536, maxMessage, 1000, 1]) {
            await connection.echo(letters(size), new TextDecoder().decode(letters(size)));
        }
        await connection.echo(noise(65536));
        await connection.goodbye();
    },
    async terminated(url) {
        const connection = await connect(`${url}/`);
        await connection.echo('open');
        console.log('connected');
        check('code', (await connection.end).code, 1001);
    },
};

const impossible = {
    fragments: 'a page sends no pings, pongs or fragments',
    ping: 'a page sends no pings, pongs or fragments',
    'invalid-text': 'a page sends no invalid text',
};

async function tell(url, name, seconds) {
    const [word, ...rest] = name.split('/');
    if (impossible[word]) return `cannot: ${impossible[word]}`;
    const late = new Promise((_, reject) => {
        setTimeout(() => reject(new Error(`nothing happened for ${seconds} s`)), seconds * 1000);
    });
    try {
        await Promise.race([cases[word](url, ...rest), late]);
        return 'ok';
    } catch (error) {
        return error instanceof CannotDo ? `cannot: ${error.message}` : `failed: ${error.message}`;
    }
}
