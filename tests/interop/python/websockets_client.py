"""websockets_client.py URL CASE... -- the cases with Python's websockets, its threading flavour."""

import conversation
import deflating
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect as websockets_connect


class Connection:
    def __init__(self, websocket):
        self.websocket = websocket
        self.protocol = websocket.subprotocol
        self.agreed = deflating.agreed(websocket.protocol, is_server=False)

    def send(self, message):
        try:
            self.websocket.send(message)
        except ConnectionClosed:
            pass  # the server may end the connection before all of it is out: the Close tells why

    def send_together(self, messages):
        for message in messages:
            self.websocket.send(message)

    def send_fragments(self, parts, between=None):
        def one_by_one():
            for i, part in enumerate(parts):
                if i == 1 and between:
                    between()
                yield part

        self.websocket.send(one_by_one(), text=True)

    def send_as_text(self, octets):
        self.websocket.send(octets, text=True)

    def receive(self):
        return self.websocket.recv(timeout=10)

    def ping(self, payload):
        conversation.expect('pong', self.websocket.ping(payload).wait(10), True)

    def pong(self, payload):
        self.websocket.pong(payload)

    def close(self, code, reason):
        if code is None:
            with self.websocket.send_context():
                self.websocket.protocol.send_close()
        else:
            self.websocket.close(code, reason)
        try:
            while True:
                self.receive()
        except ConnectionClosed as end:
            return self.code_and_reason(end.rcvd)

    def wait_closed(self):
        try:
            raise conversation.Failed(f'a message: {conversation.shorten(self.receive())}')
        except ConnectionClosed as end:
            return self.code_and_reason(end.sent if end.sent and not end.rcvd_then_sent else end.rcvd)

    @staticmethod
    def code_and_reason(close):
        return (close.code, close.reason) if close else (1006, '')


def connect(url, protocols, offer=None):
    how = {}  # what it offers by itself
    if offer:
        wishes = deflating.parameters(offer)
        wishes['client_max_window_bits'] = wishes['client_max_window_bits'] or True
        how = {'compression': None, 'extensions': [ClientPerMessageDeflateFactory(**wishes)]}
    try:
        opening = websockets_connect(url, subprotocols=protocols or None, proxy=None, **how)
        return Connection(opening.__enter__())
    except InvalidStatus as refusal:
        raise conversation.Refused(refusal.response.status_code) from None


conversation.run(connect)
