// Takes what the source sends. Paced: how long each message was under way, since it was due and since the time stamp that
// the sender's library put into its metadata. Otherwise: how many arrived in which time.
use crate::work::{WARM_UP, Work, list, now_ns, since_epoch_ns};
use dora_node_api::{DoraNode, Event};

pub fn run() -> eyre::Result<()> {
    let Work { count, pace, .. } = Work::read()?;
    let (_node, mut events) = DoraNode::init_from_env()?;
    let warm_up = if pace.is_zero() { 0 } else { WARM_UP.min(count) as i64 };
    let mut start: Option<i64> = None;
    let (mut first, mut last) = (0, 0);
    let mut received = 0i64;
    let mut due = Vec::with_capacity(count);
    let mut stamped = Vec::with_capacity(count);
    while let Some(event) = events.recv() {
        let Event::Input { metadata, data, .. } = event else {
            continue;
        };
        let now = now_ns();
        let Some(start) = start else {
            let bytes: Vec<u8> = dora_node_api::into_vec(&data)?;
            start = Some(i64::from_le_bytes(bytes[..8].try_into()?));
            continue;
        };
        if received == 0 {
            first = now;
        }
        last = now;
        if !pace.is_zero() && received >= warm_up {
            due.push(now - (start + received * pace.as_nanos() as i64));
            stamped.push(now - since_epoch_ns(metadata.timestamp().get_time().to_system_time()));
        }
        received += 1;
    }
    let seconds = (last - first) as f64 / 1e9;
    println!(
        "{{\"received\":{},\"seconds\":{seconds},\"due\":{},\"stamped\":{}}}",
        received - warm_up,
        list(&due),
        list(&stamped)
    );
    Ok(())
}
