// Sends every message back: on the output that is named like the input, with the same parameters.
use crate::say::{join, say_event, say_pid};
use dora_node_api::Event;

pub fn run() -> eyre::Result<()> {
    let (mut node, mut events) = join()?;
    let mut begun = false;
    while let Some(event) = events.recv() {
        match event {
            Event::Input { id, metadata, data } => {
                node.send_output(id, metadata.parameters, data)?;
                if !std::mem::replace(&mut begun, true) {
                    say_pid();
                }
            }
            other => say_event(&other),
        }
    }
    Ok(())
}
