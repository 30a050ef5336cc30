// Round trips, one after the other: ping sends when the answer to the message before is there, pong answers.
use crate::work::{DATA, WARM_UP, Work, list};
use dora_node_api::dora_core::config::DataId;
use dora_node_api::{DoraNode, Event, EventStream};
use std::time::{Duration, Instant};

/// As in the source.
const SETTLE: Duration = Duration::from_millis(300);

pub fn ping() -> eyre::Result<()> {
    let Work { size, count, .. } = Work::read()?;
    let (mut node, mut events) = DoraNode::init_from_env()?;
    let bytes: Vec<u8> = (0..size).map(|i| i as u8).collect();
    std::thread::sleep(SETTLE);
    let mut times = Vec::with_capacity(count);
    for i in 0..WARM_UP + count {
        let before = Instant::now();
        send(&mut node, &bytes)?;
        if !input(&mut events) {
            break;
        }
        if i >= WARM_UP {
            times.push(before.elapsed().as_nanos() as i64);
        }
    }
    println!("{{\"roundTrips\":{}}}", list(&times));
    Ok(())
}

pub fn pong() -> eyre::Result<()> {
    let Work { size, .. } = Work::read()?;
    let (mut node, mut events) = DoraNode::init_from_env()?;
    let bytes: Vec<u8> = (0..size).map(|i| i as u8).collect();
    while input(&mut events) {
        send(&mut node, &bytes)?;
    }
    Ok(())
}

fn send(node: &mut DoraNode, bytes: &[u8]) -> eyre::Result<()> {
    node.send_output_raw(
        DataId::from(DATA.to_owned()),
        Default::default(),
        bytes.len(),
        |out| out.copy_from_slice(bytes),
    )?;
    Ok(())
}

/// Waits for a message; false at the end.
fn input(events: &mut EventStream) -> bool {
    loop {
        match events.recv() {
            Some(Event::Input { .. }) => return true,
            Some(Event::Stop(_)) | None => return false,
            Some(_) => {}
        }
    }
}
