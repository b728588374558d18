//! A client's line as TCP has found it, looked at when the connection ends, and how far a client that keeps us waiting has come.

use prometheus::{Histogram, IntCounter};
use std::mem::{offset_of, size_of, zeroed};
use std::os::fd::{AsRawFd, RawFd};
use telemetry::Telemetry;
use tokio::net::TcpStream;

/// From the same house, by way of a city's and a village's line, to a satellite's; in seconds.
const ROUND_TRIP_BUCKETS: [f64; 9] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 2.0];

/// What is counted of lines. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    round_trip: Histogram,
    again: IntCounter,
}

impl Lines {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        Self {
            round_trip: telemetry.seconds(
                "serve_tcp_round_trip_seconds",
                "Round trip to a client as TCP had smoothed it when the connection ended",
                &ROUND_TRIP_BUCKETS,
            ),
            again: telemetry.counter(
                "serve_tcp_sent_again_bytes_total",
                "Bytes that TCP sent again because they were lost or late, in whole segments, counted when the connection ends",
            ),
        }
    }

    /// Notes how the line of `socket` was. Nothing where the kernel does not say.
    pub(crate) fn ended(&self, socket: &TcpStream) {
        let Some(info) = info(socket.as_raw_fd()) else { return };
        self.round_trip.observe(f64::from(info.tcpi_rtt) / 1e6);
        self.again.inc_by(u64::from(info.tcpi_total_retrans) * u64::from(info.tcpi_snd_mss));
    }
}

/// Where the kernel says how far a client has come. A number and no hold: it is asked only while its connection is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach(Option<RawFd>);

impl Reach {
    /// Nobody says.
    pub(super) const UNKNOWN: Self = Self(None);

    pub(super) fn of(socket: &TcpStream) -> Self {
        Self(Some(socket.as_raw_fd()))
    }

    /// Bytes that the client's kernel has said it has.
    pub(super) fn bytes(self) -> Option<u64> {
        info(self.0?).map(|info| info.tcpi_bytes_acked)
    }

    /// Whether the kernel still has something that has not come to the client, as far as it says.
    pub(super) fn is_owed(self) -> bool {
        let info = self.0.and_then(info);
        info.is_some_and(|info| info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0)
    }
}

/// `TCP_INFO` (tcp(7)): round trips in microseconds. `None` where the kernel does not say, or knows less than Linux 4.1.
#[expect(unsafe_code, reason = "libc has no safe getsockopt")]
fn info(socket: RawFd) -> Option<libc::tcp_info> {
    const KNOWN: usize = offset_of!(libc::tcp_info, tcpi_bytes_acked) + size_of::<u64>();
    // SAFETY: a `tcp_info` is integers only, for which all bits zero are a value.
    let mut info: libc::tcp_info = unsafe { zeroed() };
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).ok()?;
    let (place, level, name) = (&raw mut info, libc::IPPROTO_TCP, libc::TCP_INFO);
    // SAFETY: the kernel writes at most `length` bytes to `place`, which has so many.
    let said = unsafe { libc::getsockopt(socket, level, name, place.cast(), &raw mut length) };
    (said == 0 && usize::try_from(length).is_ok_and(|length| length >= KNOWN)).then_some(info)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_line_is_looked_at_when_it_ends() {
        let lines = Lines::register(&Telemetry::new("test"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"pictures").await.unwrap();
        client.read_exact(&mut [0; 8]).await.unwrap();
        lines.ended(&socket);
        assert_eq!(lines.round_trip.get_sample_count(), 1);
        assert_eq!(Reach::of(&socket).bytes(), Some(8), "as far as the client has it");
        assert!(!Reach::of(&socket).is_owed());
        let seconds = lines.round_trip.get_sample_sum();
        assert!(seconds > 0.0 && seconds < 60.0, "{seconds}");
        assert_eq!(lines.again.get() % u64::from(info(socket.as_raw_fd()).unwrap().tcpi_snd_mss), 0);
    }
}
