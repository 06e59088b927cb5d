//! The options and the lines of every server in Rust.

use std::env;

pub struct Options {
    pub port: u16,
    pub max_message: usize,
    pub protocols: Vec<String>,
}

impl Options {
    /// [--port N] [--max-message BYTES] [--protocol NAME]...
    pub fn parse() -> Options {
        let mut options = Options { port: 0, max_message: 1 << 20, protocols: vec![] };
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().expect("a value behind each option");
            match word.as_str() {
                "--port" => options.port = value.parse().expect("a port"),
                "--max-message" => options.max_message = value.parse().expect("a number of octets"),
                "--protocol" => options.protocols.push(value),
                _ => panic!("there is no option {word}"),
            }
        }
        options
    }

    /// The first that the client offers and we know.
    pub fn agree<'a>(&self, offered: impl Iterator<Item = &'a str>) -> Option<String> {
        offered
            .flat_map(|line| line.split(','))
            .map(|name| name.trim().to_owned())
            .find(|name| self.protocols.contains(name))
    }
}

/// The code and the reason that /close, /close/CODE or /close/CODE/REASON asks for.
pub fn close_of_path(path: &str) -> (Option<u16>, String) {
    let words: Vec<&str> = path.split('/').collect();
    let code = words.get(2).and_then(|word| word.parse().ok());
    (code, words.get(3).copied().unwrap_or("").to_owned())
}

pub fn say_closed(code: u16, reason: &str) {
    println!("{}", format!("closed {code} {reason}").trim_end());
}
