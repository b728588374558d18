//! Reads the PROXY header of a connection from a load balancer, to the byte: what follows is the client's.

pub mod header;

use super::Socket;
use crate::options::{Others, ProxyRule};
use header::{BINARY_HEAD, LONGEST_LINE, NoHeader, Origin, SIGNATURE_LENGTH, Version};
use std::io;
use std::net::SocketAddr;
use tokio::io::AsyncReadExt;

/// Who is at the other end, when `sender` has connected to a listener with this rule.
///
/// # Errors
/// No header where there has to be one, or a sender who may not send one. The connection cannot go on.
pub(crate) async fn client(
    rule: &ProxyRule,
    sender: SocketAddr,
    socket: &mut Socket,
) -> io::Result<SocketAddr> {
    if !rule.trusts(sender, socket.is_unix()) {
        return match rule.others {
            Others::Direct => Ok(sender),
            Others::Refuse => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "whoever has connected is not in `proxy_from`, and `proxy_others` refuses it",
            )),
        };
    }
    Ok(match read(socket).await? {
        Origin::Client(client) => client,
        Origin::Sender => sender,
    })
}

async fn read(socket: &mut Socket) -> io::Result<Origin> {
    let bad = |none: NoHeader| io::Error::new(io::ErrorKind::InvalidData, none);
    let mut first = [0; SIGNATURE_LENGTH];
    socket.read_exact(&mut first).await?;
    match header::version(&first).map_err(bad)? {
        Version::Binary => {
            let mut head = [0; BINARY_HEAD];
            head[..SIGNATURE_LENGTH].copy_from_slice(&first);
            socket.read_exact(&mut head[SIGNATURE_LENGTH..]).await?;
            let mut rest = vec![0; header::binary_length(&head).map_err(bad)?];
            socket.read_exact(&mut rest).await?;
            header::binary(&head, &rest).map_err(bad)
        }
        Version::Text => {
            // Byte by byte: a line has no length, and what follows it is not ours to take. Some forty reads a
            // connection; whoever minds speaks version 2.
            let mut line = first.to_vec();
            while !line.ends_with(b"\n") && line.len() < LONGEST_LINE {
                line.push(socket.read_u8().await?);
            }
            header::text(&line).map_err(bad)
        }
    }
}
