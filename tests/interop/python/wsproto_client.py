"""wsproto_client.py URL CASE... -- the cases with Python's wsproto and a blocking socket."""

import contextlib
import socket
import urllib.parse

import conversation
from wsproto import ConnectionType, WSConnection, events
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError


class Connection:
    def __init__(self, url, protocols):
        address = urllib.parse.urlsplit(url)
        self.plug = socket.create_connection((address.hostname, address.port), timeout=20)
        self.engine = WSConnection(ConnectionType.CLIENT)
        self.happened = iter(())
        self.text = []
        self.received = []
        self.write(events.Request(host=address.netloc, target=address.path, subprotocols=list(protocols)))
        answer = self.next_event()
        if isinstance(answer, events.RejectConnection):
            raise conversation.Refused(answer.status_code)
        self.protocol = answer.subprotocol

    def write(self, *many):
        self.plug.sendall(b''.join(self.engine.send(event) for event in many))

    def next_event(self):
        while True:
            for event in self.happened:
                return event
            try:
                self.engine.receive_data(self.plug.recv(1 << 16) or None)
            except RemoteProtocolError as fault:
                self.write(fault.event_hint)
                return fault.event_hint
            self.happened = self.engine.events()

    def next_of(self, *kinds):
        """The next event of these kinds; messages that come before it are kept."""
        while True:
            event = self.next_event()
            if isinstance(event, events.Ping):
                self.write(event.response())
            elif isinstance(event, events.Message) and not isinstance(event, kinds):
                self.received.append(event)
            elif isinstance(event, kinds):
                return event
            elif isinstance(event, events.CloseConnection):
                raise conversation.Failed(f'closed with {event.code} {event.reason}')

    def send(self, message):
        with contextlib.suppress(ConnectionError):  # the Close that was received tells why
            self.write(events.Message(message))

    def send_together(self, messages):
        self.write(*(events.TextMessage(message) for message in messages))

    def send_fragments(self, parts, between=None):
        if isinstance(parts[0], bytes):
            raise conversation.CannotDo('cuts text between characters only')
        for i, part in enumerate(parts):
            if i == 1 and between:
                between()
            self.write(events.TextMessage(part, message_finished=i == len(parts) - 1))

    def send_as_text(self, octets):
        raise conversation.CannotDo('sends no invalid text')

    def receive(self):
        parts = []
        while True:
            event = self.received.pop(0) if self.received else self.next_of(events.Message)
            parts.append(event.data)
            if event.message_finished:
                return parts[0][:0].join(parts)

    def ping(self, payload):
        self.write(events.Ping(payload))
        conversation.expect('pong', bytes(self.next_of(events.Pong).payload), payload)

    def pong(self, payload):
        self.write(events.Pong(payload))

    def close(self, code, reason):
        self.write(events.CloseConnection(code or CloseReason.NO_STATUS_RCVD, reason or None))
        return self.end_of_connection()

    def wait_closed(self):
        event = self.next_of(events.CloseConnection, events.Message)
        if isinstance(event, events.Message):
            if len(event.data) > conversation.MAX_MESSAGE:
                raise conversation.CannotDo('has no limit of its own')
            raise conversation.Failed(f'a message: {conversation.shorten(event.data)}')
        with contextlib.suppress(Exception):  # it may be the one that we have sent already
            self.write(event.response())
        return int(event.code), event.reason or ''

    def end_of_connection(self):
        event = self.next_of(events.CloseConnection)
        conversation.expect('octets after the Close', self.plug.recv(1), b'')
        return int(event.code), event.reason or ''


conversation.run(Connection)
