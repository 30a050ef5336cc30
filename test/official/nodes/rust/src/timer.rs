// Says and counts the ticks of its timers, sends their number on "ticks", and leaves after COUNT of them.
use crate::say::{join, number, say_event};
use dora_node_api::Event;

pub fn run() -> eyre::Result<()> {
    let (mut node, mut events) = join()?;
    let count = number("COUNT", u64::MAX);
    let sends = !node.node_config().outputs.is_empty();
    let mut seen = 0u64;
    while let Some(event) = events.recv() {
        let Event::Input { id, data, .. } = event else {
            say_event(&event);
            continue;
        };
        seen += 1;
        println!(
            "{{\"event\":\"INPUT\",\"id\":{:?},\"length\":{}}}",
            id.as_str(),
            data.len()
        );
        if sends {
            node.send_output("ticks".to_owned().into(), Default::default(), seen as i64)?;
        }
        if seen == count {
            break;
        }
    }
    Ok(())
}
