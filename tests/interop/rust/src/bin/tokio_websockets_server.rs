//! tokio_websockets_server -- the echo server of ../../../README.md with tokio-websockets.
//!
//! Its own handshake accepts every request and agrees to no protocol; those cases are left out.

use futures_util::{SinkExt, StreamExt};
use sockless_interop::serving::{close_of_path, say_closed, Options};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use tokio::time::timeout;
use tokio_websockets::{CloseCode, Error, Limits, Message, ServerBuilder, WebSocketStream};

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, serve(Rc::new(Options::parse())));
}

async fn serve(options: Rc<Options>) {
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await.expect("a free port");
    println!("listening on {}", listener.local_addr().expect("an address"));
    while let Ok((stream, _)) = listener.accept().await {
        let options = options.clone();
        tokio::task::spawn_local(async move { talk(stream, &options).await });
    }
}

async fn talk(stream: TcpStream, options: &Options) {
    let limits = Limits::default().max_payload_len(Some(options.max_message));
    let Ok((request, mut socket)) = ServerBuilder::new().limits(limits).accept(stream).await else { return };
    let mut end = (1006, String::new());
    if begin(&mut socket, request.uri().path(), options).await.is_ok() {
        if let Err(Error::PayloadTooLong { .. }) = echo(&mut socket, &mut end).await {
            socket.next().await; // sends the Close
                                 // What the client still sends is read, so that no reset overtakes our Close.
            let stream = socket.get_mut();
            let _ = timeout(Duration::from_secs(1), async {
                while stream.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {}
            })
            .await;
        }
    }
    say_closed(end.0, &end.1);
}

async fn begin(socket: &mut WebSocketStream<TcpStream>, path: &str, options: &Options) -> Result<(), Error> {
    match path {
        "/ping" => socket.send(Message::ping("are you there")).await,
        "/greeting" => {
            for i in 0..100 {
                socket.feed(Message::text(format!("greeting {i}"))).await?;
            }
            socket.flush().await
        }
        "/too-large" => socket.send(Message::binary(vec![0; options.max_message + 1])).await,
        "/invalid-text" => socket.send(Message::text(b"caf\xe9".to_vec())).await,
        _ if path.starts_with("/close") => {
            let (code, reason) = close_of_path(path);
            let code = code.map(|code| CloseCode::try_from(code).expect("a close code"));
            socket.send(Message::close(code, &reason)).await
        }
        _ => Ok(()),
    }
}

async fn echo(socket: &mut WebSocketStream<TcpStream>, end: &mut (u16, String)) -> Result<(), Error> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        } else if message.is_pong() && message.as_payload()[..] == *b"are you there" {
            socket.send(Message::text("pong are you there")).await?;
        } else if let Some((code, reason)) = message.as_close() {
            *end = (code.into(), reason.to_owned());
        }
    }
    Ok(())
}
