//! tungstenite_client URL CASE... -- the cases with tungstenite.

use sockless_interop::conversation::{failed, run, Connection, How, Message, Outcome, Problem};
use std::net::TcpStream;
use tungstenite::error::{ProtocolError, SubProtocolError};
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{client, ClientRequestBuilder, Error, HandshakeError, Message as Tung, WebSocket};

struct Client {
    socket: WebSocket<TcpStream>,
    protocol: Option<String>,
}

fn problem(error: Error) -> Problem {
    Problem::Failed(error.to_string())
}

fn connect(url: &str, how: How) -> Outcome<Box<dyn Connection>> {
    let uri: http::Uri = url.parse().expect("a URL");
    let address = uri.authority().expect("host and port").to_string();
    let stream = TcpStream::connect(address).map_err(|error| Problem::Failed(error.to_string()))?;
    let mut request = ClientRequestBuilder::new(uri);
    for name in how.protocols {
        request = request.with_sub_protocol(name);
    }
    let no_protocol = ProtocolError::SecWebSocketSubProtocolError(SubProtocolError::NoSubProtocol);
    match client(request, stream) {
        Ok((socket, answer)) => {
            let field = answer.headers().get("Sec-WebSocket-Protocol");
            let protocol = field.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            Ok(Box::new(Client { socket, protocol }))
        }
        Err(HandshakeError::Failure(Error::Http(answer))) => Err(Problem::Refused(answer.status().as_u16())),
        Err(HandshakeError::Failure(Error::Protocol(error))) if error == no_protocol => Err(Problem::NoProtocol),
        Err(error) => failed(error),
    }
}

impl Client {
    fn send_any(&mut self, message: Tung) -> Outcome<()> {
        self.socket.send(message).map_err(problem)
    }
}

impl Connection for Client {
    fn protocol(&self) -> Option<String> {
        self.protocol.clone()
    }

    fn send(&mut self, message: Message) -> Outcome<()> {
        let (data, payload) = match message {
            Message::Text(payload) => (Data::Text, payload),
            Message::Binary(payload) => (Data::Binary, payload),
        };
        self.send_any(Tung::Frame(Frame::message(payload, OpCode::Data(data), true)))
    }

    fn send_fragments(&mut self, parts: &[&[u8]], ping_between: Option<&[u8]>) -> Outcome<()> {
        for (i, part) in parts.iter().enumerate() {
            if let (1, Some(payload)) = (i, ping_between) {
                self.ping(payload)?;
            }
            let data = if i == 0 { Data::Text } else { Data::Continue };
            let last = i + 1 == parts.len();
            self.send_any(Tung::Frame(Frame::message(part.to_vec(), OpCode::Data(data), last)))?;
        }
        Ok(())
    }

    fn receive(&mut self) -> Outcome<Message> {
        loop {
            match self.socket.read().map_err(problem)? {
                Tung::Text(words) => return Ok(Message::Text(words.as_bytes().to_vec())),
                Tung::Binary(octets) => return Ok(Message::Binary(octets.to_vec())),
                Tung::Ping(_) => self.socket.flush().map_err(problem)?,
                other => return failed(other),
            }
        }
    }

    fn ping(&mut self, payload: &[u8]) -> Outcome<()> {
        self.send_any(Tung::Ping(payload.to_vec().into()))?;
        match self.socket.read().map_err(problem)? {
            Tung::Pong(got) if got == payload => Ok(()),
            other => failed(("not the pong", other)),
        }
    }

    fn pong(&mut self, payload: &[u8]) -> Outcome<()> {
        self.send_any(Tung::Pong(payload.to_vec().into()))
    }

    fn close(&mut self, code: Option<u16>, reason: &str) -> Outcome<(u16, String)> {
        let frame = code.map(|code| CloseFrame { code: code.into(), reason: reason.to_owned().into() });
        self.socket.close(frame).map_err(problem)?;
        self.wait_closed()
    }

    fn wait_closed(&mut self) -> Outcome<(u16, String)> {
        let end = match self.socket.read().map_err(problem)? {
            Tung::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            Tung::Close(None) => (1005, String::new()),
            other => return failed(other),
        };
        while self.socket.read().is_ok() {} // sends our answer and waits for the server's end
        Ok(end)
    }
}

fn main() {
    run(connect)
}
