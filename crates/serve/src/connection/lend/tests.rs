use super::*;
use lendable::BLOCK;
use std::alloc::{Layout, alloc, dealloc};
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};

/// A block as the program's allocator gives it.
struct Block(*mut u8);

fn layout() -> Layout {
    Layout::from_size_align(BLOCK, BLOCK).unwrap()
}

#[expect(unsafe_code, reason = "stands for the allocator")]
impl Block {
    fn new(byte: u8) -> Self {
        // SAFETY: the layout is not empty, and all of it is written to.
        let block = unsafe { alloc(layout()) };
        unsafe { block.write_bytes(byte, BLOCK) };
        lendable::took(block);
        let block = Self(block);
        lendable::offer(block.bytes());
        block
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: written to, and its own until the end.
        unsafe { std::slice::from_raw_parts(self.0, BLOCK) }
    }
}

#[expect(unsafe_code, reason = "stands for the allocator")]
impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        if unsafe { lendable::reclaim(self.0) } {
            unsafe { dealloc(self.0, layout()) };
        }
    }
}

fn lender() -> Lender {
    let lending = Rc::new(Lending::new(IntCounter::new("lent", "bytes").unwrap()));
    Lender::new(&lending, Some(true)).unwrap()
}

/// A server's end, which never waits, and a client's.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_nonblocking(true).unwrap();
    (server, client)
}

/// What is left of `parts` once so many bytes have gone.
fn rest<'a>(parts: &[&'a [u8]], mut sent: usize) -> Vec<IoSlice<'a>> {
    let cut = parts.iter().map(|part| {
        let gone = sent.min(part.len());
        sent -= gone;
        IoSlice::new(&part[gone..])
    });
    cut.filter(|part| !part.is_empty()).collect()
}

#[test]
fn a_client_that_takes_it_by_and_by_has_every_byte_once() {
    let lender = lender();
    let (server, mut client) = pair();
    let blocks: Vec<_> = (1..=24).map(Block::new).collect();
    // From within a page to within a page, as a range has it.
    let mut parts: Vec<&[u8]> = vec![b"a head"];
    parts.extend(blocks.iter().map(Block::bytes));
    parts[1] = &blocks[0].bytes()[1_000..];
    parts[24] = &blocks[23].bytes()[..BLOCK - 1_000];
    let whole = parts.concat();
    let (mut sent, mut refused, mut got) = (0, 0, Vec::new());
    loop {
        let slices = rest(&parts, sent);
        match lender.send(&server, &slices[..slices.len().min(5)]) {
            None => break,
            Some(Ok(count)) => sent += count,
            Some(Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                refused += 1;
                let mut some = vec![0; 300_000];
                let count = client.read(&mut some).unwrap();
                got.extend_from_slice(&some[..count]);
            }
        }
    }
    assert!(whole.len() - sent < LEAST, "what is short is copied");
    assert!(refused > 0, "the kernel had no room at times");
    let lent = lender.lending.lent.get();
    assert_eq!(lent, (sent - b"a head".len()) as u64);
    // The memory is another's before the client has all of it.
    drop((blocks, server));
    let others: Vec<_> = (101..=124).map(Block::new).collect();
    client.read_to_end(&mut got).unwrap();
    assert!(got == whole[..sent], "{} of {sent} bytes", got.len());
    drop(others);
}

#[test]
fn what_is_little_or_not_to_be_lent_is_copied() {
    let lender = lender();
    let (server, _client) = pair();
    let (one, other, own) = (Block::new(1), Block::new(2), vec![0; BLOCK]);
    for parts in [vec![one.bytes()], vec![&own, &own, &own], vec![one.bytes(), &own, other.bytes()], vec![]] {
        assert!(lender.send(&server, &rest(&parts, 0)).is_none());
    }
    assert!(Lender::new(&lender.lending, Some(false)).is_none());
    assert!(Lender::new(&lender.lending, None).is_some());
}

#[test]
fn where_splice_is_refused_all_is_copied() {
    let lender = lender();
    let (one, other) = (Block::new(1), Block::new(2));
    // As under a seccomp profile that forbids it, which leaves `vmsplice` alone: to a file that is appended to nothing is spliced.
    let file = tempfile::tempfile().unwrap();
    rustix::fs::fcntl_setfl(&file, rustix::fs::OFlags::APPEND).unwrap();
    for _ in 0..2 {
        assert!(lender.send(&file, &rest(&[one.bytes(), other.bytes()], 0)).is_none());
    }
    assert_eq!((lender.lending.lent.get(), file.metadata().unwrap().len()), (0, 0));
}

#[test]
fn a_client_that_is_gone_is_an_error() {
    let lender = lender();
    let (server, client) = pair();
    let (one, other) = (Block::new(1), Block::new(2));
    drop(client);
    let mut outcome = None;
    // The first bytes bring the reset.
    while !matches!(outcome, Some(Err(_))) {
        outcome = lender.send(&server, &rest(&[b"a head", one.bytes(), other.bytes()], 0));
        assert!(outcome.is_some());
    }
    let kind = outcome.unwrap().unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind}");
}
