//! tokio_websockets_client URL CASE... -- the cases with tokio-websockets.

use futures_util::{SinkExt, StreamExt};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use sockless_interop::conversation::{failed, run, Connection, How, Message, Outcome, Problem};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_websockets::{upgrade, ClientBuilder, CloseCode, Config, Error, Limits, MaybeTlsStream, WebSocketStream};

/// The library cuts what is longer than that into fragments.
const FRAGMENT_SIZE: usize = 3;

struct Client {
    runtime: Runtime,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    protocol: Option<String>,
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Upgrade(upgrade::Error::DidNotSwitchProtocols(status)) => Problem::Refused(status),
        other => Problem::Failed(format!("{other:?}")),
    }
}

fn connect(url: &str, how: How) -> Outcome<Box<dyn Connection>> {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut builder =
        ClientBuilder::new().uri(url).expect("a URL").limits(Limits::default().max_payload_len(Some(1 << 20)));
    if how.fragments {
        builder = builder.config(Config::default().frame_size(FRAGMENT_SIZE));
    }
    if !how.protocols.is_empty() {
        let offer = how.protocols.join(", ").parse().expect("tokens");
        builder = builder.add_header(SEC_WEBSOCKET_PROTOCOL, offer).map_err(problem)?;
    }
    let (socket, answer) = runtime.block_on(builder.connect()).map_err(problem)?;
    let field = answer.headers().get(SEC_WEBSOCKET_PROTOCOL);
    let protocol = field.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Ok(Box::new(Client { runtime, socket, protocol }))
}

impl Client {
    fn send_any(&mut self, message: tokio_websockets::Message) -> Outcome<()> {
        self.runtime.block_on(self.socket.send(message)).map_err(problem)
    }

    fn next(&mut self) -> Outcome<tokio_websockets::Message> {
        match self.runtime.block_on(self.socket.next()) {
            Some(message) => message.map_err(problem),
            None => failed("the end"),
        }
    }
}

impl Connection for Client {
    fn protocol(&self) -> Option<String> {
        self.protocol.clone()
    }

    fn send(&mut self, message: Message) -> Outcome<()> {
        self.send_any(match message {
            Message::Text(payload) => tokio_websockets::Message::text(payload),
            Message::Binary(payload) => tokio_websockets::Message::binary(payload),
        })
    }

    fn send_fragments(&mut self, parts: &[&[u8]], ping_between: Option<&[u8]>) -> Outcome<()> {
        if ping_between.is_some() {
            return Err(Problem::CannotDo("sends the fragments of a message at once"));
        }
        self.send(Message::Text(parts.concat()))
    }

    fn receive(&mut self) -> Outcome<Message> {
        loop {
            let message = self.next()?;
            if message.is_text() {
                return Ok(Message::Text(message.as_payload().to_vec()));
            }
            if message.is_binary() {
                return Ok(Message::Binary(message.as_payload().to_vec()));
            }
            if !message.is_ping() {
                return failed(message);
            }
        }
    }

    fn ping(&mut self, payload: &[u8]) -> Outcome<()> {
        self.send_any(tokio_websockets::Message::ping(payload.to_vec()))?;
        let answer = self.next()?;
        if answer.is_pong() && answer.as_payload()[..] == *payload {
            return Ok(());
        }
        failed(("not the pong", answer))
    }

    fn pong(&mut self, payload: &[u8]) -> Outcome<()> {
        self.send_any(tokio_websockets::Message::pong(payload.to_vec()))
    }

    fn close(&mut self, code: Option<u16>, reason: &str) -> Outcome<(u16, String)> {
        let code = code.map(|code| CloseCode::try_from(code).expect("a close code"));
        self.send_any(tokio_websockets::Message::close(code, reason))?;
        self.wait_closed()
    }

    fn wait_closed(&mut self) -> Outcome<(u16, String)> {
        let message = self.next()?;
        let Some((code, reason)) = message.as_close() else { return failed(message) };
        let end = (code.into(), reason.to_owned());
        while self.next().is_ok() {} // sends our answer and waits for the server's end
        Ok(end)
    }
}

fn main() {
    run(connect)
}
