"""websockets_server.py -- the echo server of ../README.md with Python's websockets."""

import asyncio
import http
import signal

import deflating
import serving
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

options = serving.options()


def refuse(connection, request):
    return connection.respond(http.HTTPStatus.FORBIDDEN, 'no\n') if request.path == '/refuse' else None


async def begin(websocket, path):
    """What the path asks for, before the echo."""
    if path == '/ping':
        await (await websocket.ping(b'are you there'))
        await websocket.send('pong are you there')
    elif path == '/greeting':
        for i in range(100):
            await websocket.send(f'greeting {i}')
    elif path == '/too-large':
        await websocket.send(bytes(options.max_message + 1))
    elif path == '/invalid-text':
        await websocket.send(b'caf\xe9', text=True)
    elif path == '/close':
        async with websocket.send_context():
            websocket.protocol.send_close()
    elif path.startswith('/close/'):
        await websocket.close(*serving.close_of_path(path))


async def talk(websocket):
    try:
        reading = asyncio.create_task(echo(websocket))
        await begin(websocket, websocket.request.path)
        await reading
    except ConnectionClosed:
        pass
    await websocket.wait_closed()
    if agreed := deflating.agreed(websocket.protocol, is_server=True):
        print(f'agreed {agreed}', flush=True)
    received = websocket.protocol.close_rcvd
    serving.say_closed(*((received.code, received.reason) if received else (1006, '')))


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


async def main():
    extensions = [ServerPerMessageDeflateFactory(**deflating.parameters(options.deflate))] if options.deflate else None
    async with serve(
        talk,
        '127.0.0.1',
        options.port,
        max_size=options.max_message,
        compression=None,
        extensions=extensions,
        process_request=refuse,
        select_subprotocol=lambda _, offered: serving.agree(offered, options.protocol),
    ) as server:
        serving.say_listening(server.sockets[0].getsockname()[1])
        stop = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set_result, None)
        await stop


asyncio.run(main())
