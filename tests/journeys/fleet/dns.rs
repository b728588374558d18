//! A question in DNS, byte by byte.

use journeys::Airclass;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

/// What is answered when the address of lessons.example is asked for.
pub(crate) fn address(steer: &Airclass, tcp: bool) -> Vec<u8> {
    let log = steer.log();
    let line = log.lines().find(|line| line.contains("dns listening")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let address: SocketAddr = line["fields"]["listen"].as_str().unwrap().parse().unwrap();
    let mut question = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    question.extend(b"\x07lessons\x07example\0\0\x01\0\x01");
    let mut told = vec![0; 512];
    let length = if tcp {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&[&[0, question.len() as u8], &question[..]].concat()).unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let length = usize::from(u16::from_be_bytes(length));
        stream.read_exact(&mut told[..length]).unwrap();
        length
    } else {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(&question, address).unwrap();
        socket.recv(&mut told).unwrap()
    };
    told.truncate(length);
    told
}
