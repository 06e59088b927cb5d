// ws_server.js [--port N] [--max-message BYTES] [--protocol NAME]... [--deflate TERMS] -- the echo server of
// ../README.md with npm's ws.
'use strict';

const http = require('node:http');
const { parseArgs } = require('node:util');
const { WebSocketServer } = require('ws');
const deflating = require('./deflating.js');

const { values: options } = parseArgs({
    options: {
        port: { type: 'string', default: '0' },
        'max-message': { type: 'string', default: String(1 << 20) },
        protocol: { type: 'string', multiple: true, default: [] },
        deflate: { type: 'string' },
    },
});
const maxMessage = Number(options['max-message']);

const server = http.createServer();
const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessage,
    perMessageDeflate: options.deflate ? deflating.wishes(options.deflate) : false,
    handleProtocols: (offered) => [...offered].find((name) => options.protocol.includes(name)) || false,
});

server.on('upgrade', (request, plug, head) => {
    if (request.url === '/refuse') {
        plug.end('HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno\n');
        return;
    }
    plug.cork(); // the answer and the first frames are one write
    sockets.handleUpgrade(request, plug, head, (socket) => talk(socket, request.url));
    process.nextTick(() => plug.uncork());
});

function talk(socket, path) {
    socket.on('error', () => {}); // what is wrong shows in the close code
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    const agreed = deflating.agreed(socket);
    socket.on('close', (code, reason) => {
        if (agreed) console.log(`agreed ${agreed}`);
        console.log(`closed ${code} ${reason}`.trimEnd());
    });
    const words = path.split('/').slice(1);
    if (words[0] === 'close') {
        socket.close(words[1] && Number(words[1]), words[2]);
    } else if (words[0] === 'ping') {
        socket.on('pong', (payload) => socket.send(`pong ${payload}`));
        socket.ping('are you there');
    } else if (words[0] === 'greeting') {
        for (let i = 0; i < 100; ++i) socket.send(`greeting ${i}`);
    } else if (words[0] === 'too-large') {
        socket.send(Buffer.alloc(maxMessage + 1));
    } else if (words[0] === 'invalid-text') {
        socket.send(Buffer.from('café', 'latin1'), { binary: false });
    }
}

process.on('SIGTERM', () => {
    for (const socket of sockets.clients) socket.close(1001);
    server.close();
});

server.listen(Number(options.port), '127.0.0.1', () => {
    console.log(`listening on 127.0.0.1:${server.address().port}`);
});
