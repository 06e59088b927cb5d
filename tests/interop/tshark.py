"""tshark.py -- our client talks to our server, and tshark says what it sees in the capture.

tshark's reading is all that counts here: which frames from which side, masked or not, and the messages in
them. Every message must have been echoed, which also shows that tshark unmasks what our client masks.
"""

import xml.etree.ElementTree as xml
from dataclasses import dataclass

import relay
from processes import output_of, server

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SECONDS = 30

# The frames that our client must have sent, and those of our server where they are not free.
CASES = {
    'text': None,
    'binary': None,
    'empty': None,
    'size/125': None,
    'size/126': None,
    'size/65535': None,
    'size/65536': None,
    'fragments': [TEXT, 0, 0, CLOSE],
    'fragments/ping': [TEXT, PING, 0, 0, CLOSE],
    'ping': [PING, PING, PING, TEXT, CLOSE],
    'pong': [PONG, CLOSE],
    'burst': [TEXT] * 100 + [CLOSE],
    'greeting': [TEXT, CLOSE],
    'close': [CLOSE],
    'close/3000/bye': [CLOSE],
    'closed/4999/over': [CLOSE],
    'protocol/agreed': [TEXT, CLOSE],
}


class Failed(Exception):
    """tshark sees something that should not be there, or misses what should."""


@dataclass
class Frame:
    from_client: bool
    opcode: int
    last: bool
    masked: bool
    reserved: int
    size: int
    payload: bytes  # as tshark has it: unmasked, and the whole message in its last frame
    close: tuple


def look(capture):
    """What tshark sees: the frames in their order, and its complaints."""
    said = output_of(['tshark', '-r', capture, '-Y', 'http or websocket', '-T', 'pdml'], SECONDS)
    tree = xml.fromstring(said[said.index('<?xml') :])  # it may warn of running as root
    frames, complaints, upgraded, extended = [], [], False, False
    for packet in tree.iter('packet'):
        from_client = show(packet, 'ip.src') == relay.CLIENT[0]
        upgraded |= show(packet, 'http.response.code') == '101'
        extended |= upgraded and show(packet, 'http.sec_websocket_extensions') is not None
        for field in packet.iter():
            if field.get('name') == '_ws.malformed':
                complaints.append('malformed')
            if field.get('name') == '_ws.expert.severity' and int(field.get('show'), 0) > 0x200000:
                complaints.append(field.get('showname'))
        for protocol in packet.findall('proto'):
            if protocol.get('name') == 'websocket':
                frames.append(read_frame(protocol, from_client))
            elif frames:
                read_payload(protocol, frames[-1])
    if not extended and any(frame.reserved for frame in frames):
        complaints.append('reserved bits without an extension')
    return frames, complaints, upgraded


def show(node, name):
    field = node.find(f'.//field[@name="{name}"]')
    return None if field is None else field.get('show')


def read_frame(protocol, from_client):
    lengths = [show(protocol, f'websocket.payload_length{end}') for end in ('_ext_64', '_ext_16', '')]
    code = show(protocol, 'websocket.payload.close.status_code')
    frame = Frame(
        from_client,
        int(show(protocol, 'websocket.opcode')),
        show(protocol, 'websocket.fin') in ('1', 'True'),
        show(protocol, 'websocket.mask') in ('1', 'True'),
        int(show(protocol, 'websocket.rsv'), 0),
        int(next(length for length in lengths if length)),
        b'',
        (int(code or 1005), show(protocol, 'websocket.payload.close.reason') or ''),
    )
    read_payload(protocol, frame)
    return frame


def read_payload(node, frame):
    for name in ('websocket.payload.text', 'data.data', 'websocket.payload.ping', 'websocket.payload.pong'):
        field = node.find(f'.//field[@name="{name}"]')
        if field is not None and not frame.payload:
            frame.payload = bytes.fromhex(field.get('value'))


def check(case, frames, complaints, upgraded):
    if complaints or not upgraded:
        raise Failed(f'tshark complains: {complaints}' if complaints else 'tshark sees no 101')
    if wrong := [frame for frame in frames if frame.masked != frame.from_client]:
        raise Failed(f'tshark sees a mask, or none, where it must not be: {wrong[0]}')
    sent = [frame for frame in frames if frame.from_client]
    opcodes = [frame.opcode for frame in sent]
    if CASES[case] and opcodes != CASES[case]:
        raise Failed(f'tshark sees opcodes {opcodes} from the client')
    check_echo(sent, [frame for frame in frames if not frame.from_client], case)
    words = case.split('/')
    if words[0] == 'size' and int(words[1]) not in [frame.size for frame in sent]:
        raise Failed(f'tshark sees sizes {[frame.size for frame in sent]}')
    if words[0].startswith('close'):
        first = next(frame for frame in frames if frame.opcode == CLOSE)
        wanted = (int(words[1]) if words[1:] else 1005, ''.join(words[2:]))
        if first.close != wanted:
            raise Failed(f'tshark sees close {first.close}')


def messages(frames):
    """Opcode and payload of the whole messages, and of pings as the pongs that must answer them."""
    found, opcode = [], 0
    for frame in frames:
        opcode = frame.opcode if frame.opcode in (TEXT, BINARY) else opcode
        if frame.opcode < CLOSE and frame.last:
            found.append((opcode, frame.payload))
    return found


def check_echo(sent, answered, case):
    told = messages(sent)
    heard = messages(answered)[-len(told) :] if told else []  # a greeting or the like may come first
    if told != heard:
        raise Failed(f'tshark sees {str(told)[:200]} answered by {str(heard)[:200]}')
    pings = [frame.payload for frame in sent if frame.opcode == PING]
    if pings != [frame.payload for frame in answered if frame.opcode == PONG]:
        raise Failed('tshark sees pongs that are not those of the pings')
    if not (told or pings or case in ('pong', 'close') or case.startswith('close')):
        raise Failed('tshark sees no message')


def run(ours, with_options, folder, run_client):
    """Each case through a relay of its own; their results."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    with server(with_options(ours.server)) as (_, port):
        for case in CASES:
            between = relay.Relay(port)
            said = run_client(ours.client, [(f'ws://127.0.0.1:{between.port}', [case])], SECONDS)[case]
            capture = folder / f'{case.replace("/", "-")}.pcap'
            relay.write_capture(capture, between.finish())
            try:
                if said == 'ok':
                    check(case, *look(capture))
                results[case] = said
            except Exception as error:
                results[case] = f'failed: {type(error).__name__} {error}'
    return results
