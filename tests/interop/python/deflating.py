"""deflating.py -- permessage-deflate of Python's websockets, in the words of the cases: "9-anew/15"."""


def parameters(terms):
    """What the factories of websockets call them."""
    server, client = terms.split('/')
    return {
        'server_no_context_takeover': server.endswith('-anew'),
        'client_no_context_takeover': client.endswith('-anew'),
        'server_max_window_bits': window(server),
        'client_max_window_bits': window(client),
    }


def window(word):
    """None stands for the largest."""
    bits = int(word.split('-')[0])
    return bits if bits < 15 else None


def agreed(protocol, is_server):
    """What both have agreed on, or None."""
    for extension in protocol.extensions:
        ours = word(extension.local_max_window_bits, extension.local_no_context_takeover)
        theirs = word(extension.remote_max_window_bits, extension.remote_no_context_takeover)
        return f'{ours}/{theirs}' if is_server else f'{theirs}/{ours}'
    return None


def word(bits, anew):
    return f'{bits}-anew' if anew else f'{bits}'
