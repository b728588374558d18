//! What the stream says of itself: the service, and what is on when.

/// How a channel is told apart from others and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Of this multiplex; whoever puts it together with others gives their own.
    pub transport_stream: u16,
    /// Of the network that made it.
    pub network: u16,
    /// Also the number of the programme in the table of programmes. Not 0.
    pub service: u16,
    /// The channel's name.
    pub name: String,
    /// Who runs it.
    pub provider: String,
    /// ISO 639-2, three letters: `chi`.
    pub language: [u8; 3],
    /// Where its clock is read, ISO 3166 alpha-3: `CHN`.
    pub country: [u8; 3],
    /// That country's time minus UTC, in minutes.
    pub utc_offset_minutes: i32,
}

/// A service that cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// Programme 0 is the network's own table (2.4.4.5).
    #[error("service 0 means the network; take 1 or more")]
    Zero,
    /// A descriptor holds no more.
    #[error("name and provider take {0} bytes, and {max} fit", max = Service::MAX_NAMES)]
    Names(usize),
    /// No zone is that far from Greenwich.
    #[error("a clock {0} minutes from UTC")]
    Offset(i32),
}

impl Service {
    /// Bytes of both names together.
    pub const MAX_NAMES: usize = 240;

    /// Whether it can be told.
    ///
    /// # Errors
    /// What cannot be.
    pub fn check(&self) -> Result<(), ServiceError> {
        let names = self.name.len() + self.provider.len();
        match self {
            Self { service: 0, .. } => Err(ServiceError::Zero),
            _ if names > Self::MAX_NAMES => Err(ServiceError::Names(names)),
            Self { utc_offset_minutes, .. } if utc_offset_minutes.abs() > 15 * 60 => {
                Err(ServiceError::Offset(*utc_offset_minutes))
            }
            _ => Ok(()),
        }
    }
}

/// One programme in the guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its first segment, counted from 1970.
    pub start: u64,
    /// How many it lasts.
    pub segments: u32,
    /// Its name.
    pub title: String,
    /// More about it; may be empty.
    pub text: String,
}

impl Event {
    /// The first segment behind it.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.segments.into())
    }

    /// Unique for three days: what the start is on the grid, in 16 bits.
    pub(crate) fn id(&self) -> u16 {
        (self.start & 0xffff) as u16
    }
}

/// What is on, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guide {
    edition: u32,
    events: Vec<Event>,
}

/// Segments in a day.
const DAY: u64 = grid::SEGMENTS_PER_DAY;

impl Guide {
    /// A guide of some `events`. `edition` has to differ from that of any guide with other events, since receivers look
    /// again only when a table's version changes; 32 editions later it may come again.
    pub fn new(edition: u32, mut events: Vec<Event>) -> Self {
        events.sort_by_key(|event| event.start);
        Self { edition, events }
    }

    /// All of it.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What is on in `segment`, and what comes next.
    pub fn present_and_following(&self, segment: u64) -> (Option<&Event>, Option<&Event>) {
        let next = self.events.partition_point(|event| event.start <= segment);
        let present = self.events[..next].last().filter(|event| event.end() > segment);
        (present, self.events.get(next))
    }

    /// Version of the table of present and following: another one after every change of it.
    ///
    /// Without memory it can only be counted from something: from midnight at the service. Two numbers are kept for the time
    /// before the day's first change, by turns, so that no last change of a day has the number of the next day's first.
    pub(crate) fn present_version(&self, segment: u64, service: &Service) -> u8 {
        let local = |segment: u64| {
            let ahead = i64::from(service.utc_offset_minutes) * 60_000 / grid::SEGMENT_MS.cast_signed();
            segment.saturating_add_signed(ahead)
        };
        let day = local(segment) / DAY;
        let since_midnight = |at: u64| at <= segment && local(at) / DAY == day;
        let starts = self.events.iter().filter(|event| since_midnight(event.start)).count();
        let follows = |end| self.events.binary_search_by_key(&end, |event| event.start).is_ok();
        let ends = self.events.iter().filter(|event| since_midnight(event.end()) && !follows(event.end()));
        let count = match (starts + ends.count()) as u64 {
            0 => day % 2,
            changes => 2 + (changes - 1) % 30,
        };
        version(count + u64::from(self.edition))
    }

    /// Version of the schedule, whose sections are counted from midnight UTC.
    pub(crate) fn schedule_version(&self, segment: u64) -> u8 {
        version(segment / DAY + u64::from(self.edition))
    }
}

fn version(count: u64) -> u8 {
    (count % 32) as u8
}
