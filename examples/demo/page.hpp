// page.hpp -- the page that the demo serves, whole: no other file, nothing from elsewhere.
#pragma once

#include <string_view>

inline constexpr std::string_view page = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>sockless</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
  form { display: flex; gap: .5rem; margin: .5rem 0; align-items: center; }
  label { flex: 0 0 5.5rem; }
  input { flex: 1; min-width: 0; font: inherit; padding: .3rem .5rem; }
  input.code { flex: 0 0 5rem; }
  button { font: inherit; padding: .3rem .9rem; }
  ol { font: 14px/1.6 ui-monospace, monospace; padding-left: 0; list-style: none; }
  li { border-top: 1px solid #8884; padding: .2rem 0; overflow-wrap: anywhere; }
  .sent::before { content: "\2192  "; }
  .got::before { content: "\2190  "; }
  .note { opacity: .7; }
</style>
<h1>sockless</h1>
<p>What you send comes back. The terminal shows every frame that passes.</p>
<form id="text"><label for="t">Text</label><input id="t" value="Hello"><button>Send</button></form>
<form id="binary"><label for="b">Binary</label><input id="b" value="00 01 FE FF"><button>Send</button></form>
<form id="close"><label for="c">Close</label><input id="c" class="code" value="1000"><input
 id="r" value="bye" aria-label="reason"><button>Close</button></form>
<ol id="log"></ol>
<script>
const log = (kind, text) => {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = text;
  document.getElementById('log').append(line);
};
const hex = buffer => Array.from(new Uint8Array(buffer),
                                 o => o.toString(16).padStart(2, '0').toUpperCase()).join(' ');
const value = id => document.getElementById(id).value;
const on = (id, send) => document.getElementById(id).addEventListener('submit', event => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return log('note', 'not open');
  try { send(); } catch (wrong) { log('note', wrong.message); }
});

const socket = new WebSocket(`ws://${location.host}/`);
socket.binaryType = 'arraybuffer';
socket.onopen = () => log('note', 'open');
socket.onclose = e => log('note', `closed: ${e.code} ${e.reason} ${e.wasClean ? '(clean)' : '(not clean)'}`);
socket.onmessage = ({data}) =>
    log('got', typeof data === 'string' ? `text "${data}"` : `binary ${hex(data)}`);

on('text', () => {
  socket.send(value('t'));
  log('sent', `text "${value('t')}"`);
});
on('binary', () => {
  const octets = Uint8Array.from(value('b').trim().split(/\s+/).filter(o => o), o => parseInt(o, 16));
  socket.send(octets);
  log('sent', `binary ${hex(octets.buffer)}`);
});
on('close', () => {
  socket.close(Number(value('c')), value('r'));
  log('sent', `close ${value('c')} ${value('r')}`);
});
</script>
)";
