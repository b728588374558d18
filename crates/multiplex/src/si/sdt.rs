//! SDT: what the service is called (EN 300 468 5.2.3).

use super::section::{Head, descriptor, reserved, section, version_of};
use super::text::text;
use crate::guide::Service;

/// `service_descriptor` (6.2.33).
const SERVICE: u8 = 0x48;
/// Digital television; the types for H.264 are unknown to some receivers, and this one to none.
const TELEVISION: u8 = 0x01;
/// `running_status` (table 6).
pub(super) const RUNNING: u16 = 4;

/// The services of this stream: one, with schedule and present/following, running, not scrambled.
pub(crate) fn services(service: &Service) -> Vec<u8> {
    let (provider, name) = (text(&service.provider, 255), text(&service.name, 255));
    let mut content = vec![TELEVISION, provider.len() as u8];
    content.extend_from_slice(&provider);
    content.push(name.len() as u8);
    content.extend_from_slice(&name);
    let descriptor = descriptor(SERVICE, &content);
    let mut fields = service.network.to_be_bytes().to_vec();
    fields.push(0xff);
    fields.extend_from_slice(&service.service.to_be_bytes());
    fields.push(0xff);
    fields.extend_from_slice(&reserved(RUNNING << 13, descriptor.len() as u16));
    fields.extend_from_slice(&descriptor);
    let extension = service.transport_stream;
    section(Head { table: 0x42, extension, version: version_of(&fields), number: 0, last: 0 }, &fields)
}
