//! Students who come to a door, wait as they are told and come again, each over connections of their own.

use crate::clock;
use crate::site::Site;
use anyhow::{Context, Result};
use hyper::{StatusCode, header};
use journeys::client;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

/// The field of a place in line.
const TICKET: &str = "airclass-ticket";
/// Connections open at once: those who are answered, not those who wait.
const AT_ONCE: usize = 1_000;
/// After this nobody waits any longer.
const PATIENCE: Duration = Duration::from_secs(300);

/// Somebody who is going to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coming {
    pub(super) grade: u8,
    /// So long after the first.
    pub(super) after: Duration,
}

/// Somebody who got in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inside {
    pub(super) grade: u8,
    /// When they came first, and when they got in, from when the first came.
    pub(super) came: Duration,
    pub(super) at: Duration,
}

/// Lets everybody come. Who gets in, in no order; who does not is left out.
pub(super) fn crowd(edge: SocketAddr, coming: &[Coming]) -> Result<Vec<Inside>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = clock::now();
    let doors = Rc::new(Semaphore::new(AT_ONCE));
    LocalSet::new().block_on(&runtime, async {
        let students: Vec<_> = coming
            .iter()
            .map(|&who| tokio::task::spawn_local(student(edge, who, began, Rc::clone(&doors))))
            .collect();
        let mut inside = Vec::with_capacity(students.len());
        for student in students {
            inside.extend(student.await.context("a student")?);
        }
        Ok(inside)
    })
}

async fn student(edge: SocketAddr, who: Coming, began: Instant, doors: Rc<Semaphore>) -> Option<Inside> {
    tokio::time::sleep_until((began + who.after).into()).await;
    let pointer = Site::pointer(who.grade);
    let mut ticket: Option<String> = None;
    let mut came = None;
    while clock::now() - began < PATIENCE {
        let answer = {
            let _open = doors.acquire().await.ok()?;
            came.get_or_insert(clock::now() - began);
            let brought = ticket.as_deref().map(|ticket| (TICKET, ticket));
            client::get(edge, &pointer, brought.as_slice()).await
        };
        match answer.status {
            StatusCode::OK => {
                return Some(Inside { grade: who.grade, came: came?, at: clock::now() - began });
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let seconds: u64 = answer.field(header::RETRY_AFTER.as_str()).parse().ok()?;
                let place = answer.field(TICKET);
                ticket = (!place.is_empty()).then(|| place.to_owned());
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            _ => return None,
        }
    }
    None
}
