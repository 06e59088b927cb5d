"""uvicorn_server.py -- the echo server of ../README.md as a FastAPI application in uvicorn."""

import socket

import serving
import uvicorn
from fastapi import FastAPI, WebSocket

options = serving.options()
application = FastAPI()


@application.websocket('/refuse')
async def refuse(websocket: WebSocket):
    await websocket.close()  # before accept(): uvicorn answers 403


@application.websocket('/{path:path}')
async def talk(websocket: WebSocket, path: str):
    await websocket.accept(serving.agree(websocket.scope['subprotocols'], options.protocol))
    if path == 'greeting':
        for i in range(100):
            await websocket.send_text(f'greeting {i}')
    elif path == 'too-large':
        await websocket.send_bytes(bytes(options.max_message + 1))
    elif path.startswith('close/'):
        await websocket.close(*serving.close_of_path(f'/{path}'))
        return
    while (event := await websocket.receive())['type'] != 'websocket.disconnect':
        if event.get('text') is not None:
            await websocket.send_text(event['text'])
        else:
            await websocket.send_bytes(event['bytes'])
    serving.say_closed(event['code'], event.get('reason') or '')


listener = socket.create_server(('127.0.0.1', options.port))
server = uvicorn.Server(uvicorn.Config(application, ws_max_size=options.max_message, log_level='warning'))
serving.say_listening(listener.getsockname()[1])
server.run(sockets=[listener])
