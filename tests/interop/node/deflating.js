// deflating.js -- permessage-deflate of npm's ws, in the words of the cases: "9-anew/15".
'use strict';

const anew = (word) => word.endsWith('-anew') || undefined;
const bits = (word) => (parseInt(word) < 15 ? parseInt(word) : undefined);

// Its options.
exports.wishes = (terms) => {
    const [server, client] = terms.split('/');
    return {
        serverNoContextTakeover: anew(server),
        clientNoContextTakeover: anew(client),
        serverMaxWindowBits: bits(server),
        clientMaxWindowBits: bits(client),
        threshold: 0,
    };
};

// What both ends of a connection have agreed on, or nothing.
exports.agreed = (socket) => {
    const { params } = socket._extensions['permessage-deflate'] || {};
    const word = (end) =>
        `${params[`${end}_max_window_bits`] || 15}${params[`${end}_no_context_takeover`] ? '-anew' : ''}`;
    return params && `${word('server')}/${word('client')}`;
};
