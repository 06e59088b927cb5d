//! What the clients and servers in Rust share: the cases of ../README.md, and a server's options and lines.

pub mod conversation;
pub mod serving;
