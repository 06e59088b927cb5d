//! tungstenite_server -- the echo server of ../../../README.md with tungstenite, a thread for each connection.

use sockless_interop::serving::{close_of_path, say_closed, Options};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{accept_hdr_with_config, Error, Message, WebSocket};

fn main() {
    let options = Arc::new(Options::parse());
    let listener = TcpListener::bind(("127.0.0.1", options.port)).expect("a free port");
    println!("listening on {}", listener.local_addr().expect("an address"));
    for stream in listener.incoming().flatten() {
        let options = options.clone();
        thread::spawn(move || talk(stream, &options));
    }
}

fn talk(stream: TcpStream, options: &Options) {
    let mut path = String::new();
    let judge = |request: &Request, mut response: Response| {
        path = request.uri().path().to_owned();
        if path == "/refuse" {
            let mut refusal = ErrorResponse::new(Some("no\n".to_owned()));
            *refusal.status_mut() = http::StatusCode::FORBIDDEN;
            return Err(refusal);
        }
        let offered = request.headers().get_all("Sec-WebSocket-Protocol").iter();
        if let Some(name) = options.agree(offered.filter_map(|line| line.to_str().ok())) {
            response.headers_mut().insert("Sec-WebSocket-Protocol", name.parse().expect("a token"));
        }
        Ok(response)
    };
    let config = WebSocketConfig::default().max_message_size(Some(options.max_message));
    let Ok(mut socket) = accept_hdr_with_config(stream, judge, Some(config)) else { return };
    let mut end = (1006, String::new());
    if begin(&mut socket, &path, options).is_ok() {
        let error = echo(&mut socket, &mut end);
        if let Err(Error::Capacity(_)) = error {
            let frame = CloseFrame { code: CloseCode::Size, reason: "".into() };
            let _ = socket.close(Some(frame)).and_then(|()| socket.flush());
            // What the client still sends is read, so that no reset overtakes our Close.
            let _ = socket.get_mut().set_read_timeout(Some(std::time::Duration::from_secs(1)));
            while socket.get_mut().read(&mut [0; 4096]).is_ok_and(|size| size > 0) {}
        }
    }
    say_closed(end.0, &end.1);
}

fn begin(socket: &mut WebSocket<TcpStream>, path: &str, options: &Options) -> Result<(), Error> {
    match path {
        "/ping" => socket.send(Message::Ping(b"are you there".to_vec().into())),
        "/greeting" => (0..100).try_for_each(|i| socket.send(Message::text(format!("greeting {i}")))),
        "/too-large" => socket.send(Message::binary(vec![0; options.max_message + 1])),
        "/invalid-text" => {
            let frame = Frame::message(b"caf\xe9".to_vec(), OpCode::Data(Data::Text), true);
            socket.send(Message::Frame(frame))
        }
        _ if path.starts_with("/close") => {
            let (code, reason) = close_of_path(path);
            socket.close(code.map(|code| CloseFrame { code: code.into(), reason: reason.into() }))?;
            socket.flush()
        }
        _ => Ok(()),
    }
}

fn echo(socket: &mut WebSocket<TcpStream>, end: &mut (u16, String)) -> Result<(), Error> {
    loop {
        match socket.read()? {
            message @ (Message::Text(_) | Message::Binary(_)) => socket.send(message)?,
            Message::Pong(payload) if payload == "are you there" => socket.send(Message::text("pong are you there"))?,
            Message::Close(None) => *end = (1005, String::new()),
            Message::Close(Some(frame)) => *end = (frame.code.into(), frame.reason.to_string()),
            _ => {}
        }
    }
}
