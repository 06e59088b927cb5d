// ws_client.js URL CASE... [URL CASE...]... -- the cases of ../README.md with npm's ws.
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const WebSocket = require('ws');
const deflating = require('./deflating.js');

const maxMessage = 1 << 20;
const seconds = Number(process.env.INTEROP_SECONDS || 20);

class Refused extends Error {}

// A connection whose messages, pongs and end can be awaited in any order.
class Connection {
    constructor(url, protocols, options) {
        this.socket = new WebSocket(url, protocols, options);
        this.messages = [];
        this.pongs = [];
        this.socket.on('message', (data, isBinary) => this.messages.push(isBinary ? data : data.toString()));
        this.socket.on('pong', (payload) => this.pongs.push(payload.toString()));
        this.socket.on('error', (error) => (this.error = error));
        this.end = once(this.socket, 'close').then(([code, reason]) => ({ code, reason: reason.toString() }));
        this.opened = new Promise((open, fail) => {
            this.socket.on('open', open);
            this.socket.on('error', fail);
            this.socket.on('unexpected-response', (_, response) => fail(new Refused(response.statusCode)));
        });
    }

    // The next element that arrives in one of the two lists; an error when the connection ends first.
    async next(list) {
        let ended = false;
        this.end.then(() => (ended = true));
        while (list.length === 0) {
            if (ended) throw this.error || new Error('the connection has ended');
            await new Promise((later) => setTimeout(later, 1));
        }
        return list.shift();
    }

    async echo(...messages) {
        for (const message of messages) {
            this.socket.send(message);
            assert.deepStrictEqual(await this.next(this.messages), message);
        }
    }

    async ping(payload) {
        this.socket.ping(payload);
        assert.strictEqual(await this.next(this.pongs), payload);
    }

    async goodbye() {
        assert.deepStrictEqual([this.messages, this.pongs], [[], []]);
        this.socket.close(1000);
        assert.strictEqual((await this.end).code, 1000);
    }
}

async function connect(path, protocols, options) {
    const connection = new Connection(base + path, protocols, options);
    await connection.opened;
    return connection;
}

const pattern = (size) => Buffer.from(Uint8Array.from({ length: size }, (_, i) => 32 + (i % 95)));
// 20,000 letters over and over: only a large window sees that.
const letters = (size) => {
    const octets = Buffer.alloc(size);
    for (let i = 0, x = 1; i < size; ++i) {
        octets[i] = i < 20000 ? 97 + (x % 26) : octets[i - 20000];
        x = (x * 75 + 74) % 65537;
    }
    return octets;
};
// Nothing that can be compressed.
const noise = (size) => {
    let x = 1;
    return Buffer.from(Uint8Array.from({ length: size }, () => (x = (x * 75 + 74) % 65537) % 256));
};
const hundred = (word) => Array.from({ length: 100 }, (_, i) => `${word} ${i}`);

const cases = {
    async text() {
        const connection = await connect('/');
        await connection.echo('Grüße aus Köln, 你好, 👋', 'and one more');
        await connection.goodbye();
    },
    async binary() {
        const connection = await connect('/');
        await connection.echo(Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i)), Buffer.from([0]));
        await connection.goodbye();
    },
    async empty() {
        const connection = await connect('/');
        await connection.echo('', Buffer.alloc(0), 'not empty');
        await connection.goodbye();
    },
    async size(octets) {
        const connection = await connect('/');
        await connection.echo(pattern(Number(octets)), pattern(Number(octets)).toString());
        await connection.goodbye();
    },
    async fragments(kind) {
        const connection = await connect('/');
        const parts = {
            undefined: ['one, ', '', 'three'],
            cut: [[0x67, 0x72, 0xc3], [], [0xbc, 0xc3], [0x9f, 0x65]].map((octets) => Buffer.from(octets)),
            ping: ['one, ', 'two, ', 'three'],
        }[kind];
        for (const [i, part] of parts.entries()) {
            connection.socket.send(part, { binary: false, fin: i === parts.length - 1 });
            if (kind === 'ping' && i === 0) await connection.ping('between');
        }
        const whole = Buffer.concat(parts.map((part) => Buffer.from(part))).toString();
        assert.strictEqual(await connection.next(connection.messages), whole);
        await connection.goodbye();
    },
    async ping() {
        const connection = await connect('/');
        for (const payload of ['hello', '', pattern(125).toString()]) await connection.ping(payload);
        await connection.echo('still there');
        await connection.goodbye();
    },
    async pong(unasked) {
        const connection = await connect(unasked ? '/' : '/ping');
        if (unasked) {
            connection.socket.pong('nobody asked');
            await connection.echo('still there');
        } else {
            assert.strictEqual(await connection.next(connection.messages), 'pong are you there');
        }
        await connection.goodbye();
    },
    async burst() {
        const connection = await connect('/');
        connection.socket._socket.cork(); // so that all of it is one write
        for (const message of hundred('burst')) connection.socket.send(message);
        connection.socket._socket.uncork();
        for (const message of hundred('burst')) {
            assert.strictEqual(await connection.next(connection.messages), message);
        }
        await connection.goodbye();
    },
    async greeting() {
        const connection = await connect('/greeting');
        for (const message of hundred('greeting')) {
            assert.strictEqual(await connection.next(connection.messages), message);
        }
        await connection.echo('thank you');
        await connection.goodbye();
    },
    async protocol(kind) {
        if (kind === 'none') {
            // ws insists on what it offers, so it must refuse a server that agrees to none of it.
            await assert.rejects(connect('/', ['unknown']), /Server sent no subprotocol/);
            return;
        }
        const connection = await connect('/', ['unknown', 'echo.v1', 'echo.v2']);
        assert.strictEqual(connection.socket.protocol, 'echo.v1');
        await connection.echo('spoken');
        await connection.goodbye();
    },
    async refused() {
        await assert.rejects(connect('/refuse'), (error) => error instanceof Refused && error.message === '403');
    },
    async close(code, reason = '') {
        const connection = await connect('/');
        connection.socket.close(code && Number(code), reason);
        const end = await connection.end;
        assert.strictEqual(end.code, Number(code || 1005));
        assert.ok(end.reason === '' || end.reason === reason, `reason ${end.reason}`);
    },
    async closed(code, reason = '') {
        const connection = await connect(['/close', code, reason].filter(Boolean).join('/'));
        assert.deepStrictEqual(await connection.end, { code: Number(code || 1005), reason });
    },
    async 'too-large'() {
        const connection = await connect('/');
        connection.socket.send(pattern(maxMessage + 1));
        assert.strictEqual((await connection.end).code, 1009);
    },
    async 'invalid-text'() {
        const connection = await connect('/');
        connection.socket.send(Buffer.from('café', 'latin1'), { binary: false });
        assert.strictEqual((await connection.end).code, 1007);
    },
    async deflate(server, client, offered) {
        const terms = `${server}/${client}`;
        const connection = await connect('/', [], offered && { perMessageDeflate: deflating.wishes(terms) });
        assert.strictEqual(deflating.agreed(connection.socket), terms);
        for (const size of [1, 2, 126, 1000, 32768, 65536, maxMessage, 1000, 1]) {
            await connection.echo(letters(size), letters(size).toString());
        }
        await connection.echo(noise(65536));
        await connection.goodbye();
    },
    async terminated() {
        const connection = await connect('/');
        await connection.echo('open');
        console.log('connected');
        assert.strictEqual((await connection.end).code, 1001);
    },
};

async function tell(name) {
    const [word, ...rest] = name.split('/');
    let timer;
    const late = new Promise((_, fail) => {
        timer = setTimeout(() => fail(new Error(`nothing happened for ${seconds} s`)), seconds * 1000);
    });
    let result = 'ok';
    try {
        if (!cases[word]) result = 'cannot: this client has no such case';
        else await Promise.race([cases[word](...rest), late]);
    } catch (error) {
        result = `failed: ${error.name} ${error.message}`.replace(/\s+/g, ' ').slice(0, 300);
    }
    clearTimeout(timer);
    console.log(`${name}: ${result}`);
    return !result.startsWith('failed');
}

let base;
process.on('unhandledRejection', () => {}); // of a promise that nobody awaits any more

(async () => {
    let good = true;
    for (const word of process.argv.slice(2)) {
        if (word.startsWith('ws:')) base = word;
        else good = (await tell(word)) && good;
    }
    process.exit(good ? 0 : 1);
})();
