// Sends `count` messages: one every `pace`, or as fast as it can. The first message says when the first of them is due.
use crate::work::{DATA, WARM_UP, Work, now_ns, wait_until};
use dora_node_api::{DoraNode, dora_core::config::DataId};
use std::time::Duration;

/// The route of an output settles in the first moments; nothing is measured then.
const SETTLE_NS: i64 = 300_000_000;
/// Closing an output overtakes what is still under way.
const DRAIN: Duration = Duration::from_millis(700);

pub fn run() -> eyre::Result<()> {
    let Work { size, count, pace } = Work::read()?;
    let (mut node, _events) = DoraNode::init_from_env()?;
    let output = DataId::from(DATA.to_owned());
    let bytes: Vec<u8> = (0..size).map(|i| i as u8).collect();
    let mut send = |bytes: &[u8]| {
        node.send_output_raw(output.clone(), Default::default(), bytes.len(), |out| {
            out.copy_from_slice(bytes)
        })
    };
    let pace_ns = pace.as_nanos() as i64;
    let warm_up = if pace.is_zero() { 0 } else { WARM_UP.min(count) };
    let start = now_ns() + SETTLE_NS;
    send(&start.to_le_bytes())?;
    wait_until(start);
    for i in 0..(warm_up + count) as i64 {
        if pace_ns > 0 {
            wait_until(start + i * pace_ns);
        }
        send(&bytes)?;
    }
    std::thread::sleep(DRAIN);
    Ok(())
}
