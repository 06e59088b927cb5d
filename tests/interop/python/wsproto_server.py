"""wsproto_server.py -- the echo server of ../README.md with Python's wsproto, a thread for each connection."""

import socket
import threading

import serving
from wsproto import ConnectionType, WSConnection, events
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError

options = serving.options()


class Connection:
    def __init__(self, plug):
        self.plug = plug
        self.engine = WSConnection(ConnectionType.SERVER)
        self.parts = []
        self.closing = False

    def write(self, *many):
        self.plug.sendall(b''.join(self.engine.send(event) for event in many))

    def serve(self):
        received = 1006, ''
        try:
            while octets := self.plug.recv(1 << 16):
                try:
                    self.engine.receive_data(octets)
                    for event in self.engine.events():
                        if isinstance(event, events.CloseConnection):
                            received = event.code, event.reason or ''
                        self.handle(event)
                except RemoteProtocolError as fault:
                    self.write(fault.event_hint)
                    break
                if self.engine.state.name in ('CLOSED', 'REJECTING'):
                    break
        except OSError:
            pass
        self.plug.close()
        if self.engine.state.name not in ('CONNECTING', 'REJECTING'):
            serving.say_closed(*received)

    def handle(self, event):
        if isinstance(event, events.Request):
            if event.target == '/refuse':
                self.write(events.RejectConnection(status_code=403))
            else:
                self.open(event)
        elif isinstance(event, events.Message):
            self.echo(event)
        elif isinstance(event, events.Ping):
            self.write(event.response())
        elif isinstance(event, events.Pong) and bytes(event.payload) == b'are you there':
            self.write(events.TextMessage('pong are you there'))
        elif isinstance(event, events.CloseConnection) and not self.closing:
            self.write(event.response())

    def open(self, request):
        """Accepts, and sends what the path asks for in the same write."""
        path = request.target
        answer = [events.AcceptConnection(subprotocol=serving.agree(request.subprotocols, options.protocol))]
        if path == '/ping':
            answer.append(events.Ping(b'are you there'))
        elif path == '/greeting':
            answer += [events.TextMessage(f'greeting {i}') for i in range(100)]
        elif path == '/too-large':
            answer.append(events.BytesMessage(bytes(options.max_message + 1)))
        elif path.startswith('/close'):
            code, reason = serving.close_of_path(path)
            answer.append(events.CloseConnection(code or CloseReason.NO_STATUS_RCVD, reason or None))
            self.closing = True
        self.write(*answer)

    def echo(self, event):
        if self.closing:
            return
        self.parts.append(event.data)
        if sum(len(part if isinstance(part, bytes) else part.encode()) for part in self.parts) > options.max_message:
            self.write(events.CloseConnection(1009))
            self.closing = True
        elif event.message_finished:
            whole = self.parts[0][:0].join(self.parts)
            self.parts.clear()
            self.write(events.Message(whole))


listener = socket.create_server(('127.0.0.1', options.port))
serving.say_listening(listener.getsockname()[1])
while True:
    plug, _ = listener.accept()
    threading.Thread(target=Connection(plug).serve, daemon=True).start()
