//! Everybody at once, for something the edge does not have yet.

use journeys::store::{pattern, put, segment};
use journeys::{Airclass, client};
use std::sync::Arc;
use tokio::sync::Barrier;

const STUDENTS: usize = 400;

#[test]
fn hundreds_at_once_are_one_question_to_the_origin() {
    let store = tempfile::tempdir().unwrap();
    let bytes = pattern(700_001);
    put(store.path(), &segment(0), &bytes);
    let origin = Airclass::origin(store.path());
    let edge = Airclass::edge(origin.address(), &[]);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bell = Arc::new(Barrier::new(STUDENTS));
        let students: Vec<_> = (0..STUDENTS)
            .map(|_| {
                let (bell, address) = (Arc::clone(&bell), edge.address());
                tokio::spawn(async move {
                    let mut connection = client::connect(address).await;
                    bell.wait().await;
                    client::ask(&mut connection, "GET", &format!("/{}", segment(0)), &[]).await
                })
            })
            .collect();
        for student in students {
            let answer = student.await.unwrap();
            assert_eq!((answer.status.as_u16(), answer.body.len()), (200, bytes.len()));
            assert!(answer.body == bytes);
        }
        let asked = client::get(origin.admin, "/metrics", &[]).await;
        let asked = String::from_utf8(asked.body.to_vec()).unwrap();
        let total: f64 = asked
            .lines()
            .filter(|line| line.starts_with("origin_requests_total{"))
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum();
        assert!((total - 1.0).abs() < f64::EPSILON, "the origin was asked {total} times\n{asked}");
    });
}
