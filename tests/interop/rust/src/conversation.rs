//! The cases of ../../README.md, told once for all clients in Rust.

use std::sync::mpsc;
use std::time::Duration;
use std::{env, process, thread};

const MAX_MESSAGE: usize = 1 << 20;
const NO_CODE: u16 = 1005;

#[derive(Debug)]
pub enum Problem {
    /// The server answered the handshake with this status.
    Refused(u16),
    /// The client refused a server that agreed to no protocol.
    NoProtocol,
    /// The library offers no way to do that.
    CannotDo(&'static str),
    Failed(String),
}

pub type Outcome<T> = Result<T, Problem>;

pub fn failed<T>(what: impl std::fmt::Debug) -> Outcome<T> {
    Err(Problem::Failed(format!("{what:.200?}")))
}

#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    Text(Vec<u8>),
    Binary(Vec<u8>),
}

/// How to connect: what to offer, and whether fragments will be sent.
#[derive(Default)]
pub struct How {
    pub protocols: Vec<String>,
    pub fragments: bool,
}

/// What a client brings; close() and wait_closed() give code and reason of the server's Close.
pub trait Connection {
    fn protocol(&self) -> Option<String>;
    fn send(&mut self, message: Message) -> Outcome<()>;
    fn send_fragments(&mut self, parts: &[&[u8]], ping_between: Option<&[u8]>) -> Outcome<()>;
    fn receive(&mut self) -> Outcome<Message>;
    fn ping(&mut self, payload: &[u8]) -> Outcome<()>;
    fn pong(&mut self, payload: &[u8]) -> Outcome<()>;
    fn close(&mut self, code: Option<u16>, reason: &str) -> Outcome<(u16, String)>;
    fn wait_closed(&mut self) -> Outcome<(u16, String)>;
}

pub type Connect = fn(url: &str, how: How) -> Outcome<Box<dyn Connection>>;

struct Server {
    connect: Connect,
    url: String,
}

impl Server {
    fn open(&self, path: &str) -> Outcome<Box<dyn Connection>> {
        self.with(path, How::default())
    }

    fn with(&self, path: &str, how: How) -> Outcome<Box<dyn Connection>> {
        (self.connect)(&format!("{}{path}", self.url), how)
    }
}

/// The main program of a client: URL CASE...
pub fn run(connect: Connect) -> ! {
    let mut words = env::args().skip(1);
    let url = words.next().expect("URL CASE...");
    let mut good = true;
    for name in words {
        let result = tell(Server { connect, url: url.clone() }, &name);
        println!("{name}: {result}");
        good &= !result.starts_with("failed");
    }
    process::exit(if good { 0 } else { 1 })
}

fn tell(server: Server, name: &str) -> String {
    let seconds = env::var("INTEROP_SECONDS").ok().and_then(|word| word.parse().ok()).unwrap_or(20);
    let (done, waits) = mpsc::channel();
    let case = name.to_owned();
    thread::spawn(move || done.send(run_case(&server, &case)));
    match waits.recv_timeout(Duration::from_secs(seconds)) {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(Problem::CannotDo(reason))) => format!("cannot: {reason}"),
        Ok(Err(problem)) => format!("failed: {problem:?}"),
        Err(error) => format!("failed: nothing came for {seconds} s, or the client broke ({error})"),
    }
}

fn run_case(server: &Server, name: &str) -> Outcome<()> {
    let words: Vec<&str> = name.split('/').collect();
    let code = words.get(1).and_then(|word| word.parse().ok());
    match words[..] {
        ["text"] => echoes(server, &[text("Grüße aus Köln, 你好, 👋"), text("and one more")]),
        ["binary"] => echoes(server, &[Message::Binary((0..=255).collect()), Message::Binary(vec![0])]),
        ["empty"] => echoes(server, &[text(""), Message::Binary(vec![]), text("not empty")]),
        ["size", octets] => {
            let octets = pattern(octets.parse().expect("a number"));
            echoes(server, &[Message::Binary(octets.clone()), Message::Text(octets)])
        }
        ["fragments"] => fragments(server, &[b"one, ", b"", b"three"], None),
        ["fragments", "cut"] => fragments(server, &[b"gr\xc3", b"", b"\xbc\xc3", b"\x9fe"], None),
        ["fragments", "ping"] => fragments(server, &[b"one, ", b"two, ", b"three"], Some(b"between")),
        ["ping"] => pings(server),
        ["pong"] => {
            let mut connection = server.open("/ping")?;
            expect(connection.receive()?, text("pong are you there"))?;
            goodbye(connection)
        }
        ["pong", _] => {
            let mut connection = server.open("/")?;
            connection.pong(b"nobody asked")?;
            echo(&mut connection, text("still there"))?;
            goodbye(connection)
        }
        ["burst"] => burst(server),
        ["greeting"] => hundred(server.open("/greeting")?, "greeting"),
        ["protocol", "agreed"] => protocol(server, &["unknown", "echo.v1", "echo.v2"], Some("echo.v1")),
        ["protocol", _] => match protocol(server, &["unknown"], None) {
            Err(Problem::NoProtocol) => Ok(()), // some clients insist, as they may
            other => other,
        },
        ["refused"] => match server.open("/refuse") {
            Err(Problem::Refused(403)) => Ok(()),
            Err(other) => Err(other),
            Ok(_) => failed("the handshake was accepted"),
        },
        ["close", ..] => {
            let reason = words.get(2).copied().unwrap_or("");
            let (got, said) = server.open("/")?.close(code, reason)?;
            let good = got == code.unwrap_or(NO_CODE) && (said.is_empty() || said == reason);
            if good {
                Ok(())
            } else {
                failed(("our Close was answered with", got, said))
            }
        }
        ["closed", ..] => {
            let mut connection = server.open(&format!("/close{}", &name["closed".len()..]))?;
            let wanted = (code.unwrap_or(NO_CODE), words.get(2).copied().unwrap_or("").to_owned());
            expect(connection.wait_closed()?, wanted)
        }
        ["too-large"] => answered_with(server, Message::Binary(pattern(MAX_MESSAGE + 1)), 1009),
        ["invalid-text"] => answered_with(server, Message::Text(b"caf\xe9".to_vec()), 1007),
        ["terminated"] => {
            let mut connection = server.open("/")?;
            echo(&mut connection, text("open"))?;
            println!("connected");
            expect(connection.wait_closed()?.0, 1001)
        }
        _ => Err(Problem::CannotDo("this client has no such case")),
    }
}

fn text(words: &str) -> Message {
    Message::Text(words.as_bytes().to_vec())
}

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| 32 + (i % 95) as u8).collect()
}

fn expect<T: std::fmt::Debug + PartialEq>(got: T, wanted: T) -> Outcome<()> {
    if got == wanted {
        return Ok(());
    }
    let short = |value: T| format!("{value:?}").chars().take(80).collect::<String>();
    failed(format!("got {}, not {}", short(got), short(wanted)))
}

fn echo(connection: &mut Box<dyn Connection>, message: Message) -> Outcome<()> {
    connection.send(message.clone())?;
    expect(connection.receive()?, message)
}

fn goodbye(mut connection: Box<dyn Connection>) -> Outcome<()> {
    expect(connection.close(Some(1000), "")?.0, 1000)
}

fn echoes(server: &Server, messages: &[Message]) -> Outcome<()> {
    let mut connection = server.open("/")?;
    for message in messages {
        echo(&mut connection, message.clone())?;
    }
    goodbye(connection)
}

fn fragments(server: &Server, parts: &[&[u8]], ping_between: Option<&[u8]>) -> Outcome<()> {
    let mut connection = server.with("/", How { fragments: true, ..How::default() })?;
    connection.send_fragments(parts, ping_between)?;
    expect(connection.receive()?, Message::Text(parts.concat()))?;
    goodbye(connection)
}

fn pings(server: &Server) -> Outcome<()> {
    let mut connection = server.open("/")?;
    for payload in [&b"hello"[..], b"", &pattern(125)] {
        connection.ping(payload)?;
    }
    echo(&mut connection, text("still there"))?;
    goodbye(connection)
}

fn burst(server: &Server) -> Outcome<()> {
    let mut connection = server.open("/")?;
    for i in 0..100 {
        connection.send(text(&format!("burst {i}")))?;
    }
    hundred(connection, "burst")
}

fn hundred(mut connection: Box<dyn Connection>, word: &str) -> Outcome<()> {
    for i in 0..100 {
        expect(connection.receive()?, text(&format!("{word} {i}")))?;
    }
    echo(&mut connection, text("thank you"))?;
    goodbye(connection)
}

fn protocol(server: &Server, offered: &[&str], wanted: Option<&str>) -> Outcome<()> {
    let protocols = offered.iter().map(|name| name.to_string()).collect();
    let mut connection = server.with("/", How { protocols, ..How::default() })?;
    expect(connection.protocol().as_deref(), wanted)?;
    echo(&mut connection, text("spoken"))?;
    goodbye(connection)
}

fn answered_with(server: &Server, message: Message, code: u16) -> Outcome<()> {
    let mut connection = server.open("/")?;
    let _ = connection.send(message); // the Close that comes tells more than this error
    expect(connection.wait_closed()?.0, code)
}
