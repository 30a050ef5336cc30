// Compares what arrives on "types" with what the source of every language sends, and says what was right and what not.
use crate::arrow_types::arrays;
use crate::say::{join, say_event};
use crate::source::parameters;
use dora_node_api::{Event, get_string_param};
use std::collections::BTreeMap;

pub fn run() -> eyre::Result<()> {
    let (_node, mut events) = join()?;
    let mut expected: BTreeMap<_, _> = arrays().into_iter().collect();
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    while let Some(event) = events.recv() {
        let Event::Input { metadata, data, .. } = event else {
            say_event(&event);
            continue;
        };
        let name = get_string_param(&metadata.parameters, "name")
            .unwrap_or("")
            .to_owned();
        let mut found = metadata.parameters.clone();
        found.remove("_framing");
        let array = data.into_inner();
        match expected.remove(&name) {
            None => wrong.push(format!("{name}: not expected")),
            Some(wanted) if *wanted != *array => {
                wrong.push(format!("{name}: {:?} {array:?}", array.data_type()))
            }
            Some(_) if found != parameters(&name) => wrong.push(format!("{name}: {found:?}")),
            Some(_) => right.push(name),
        }
    }
    println!(
        "{{\"right\":{right:?},\"wrong\":{wrong:?},\"missing\":{:?}}}",
        expected.keys()
    );
    eyre::ensure!(wrong.is_empty(), "not what was sent: {wrong:?}");
    Ok(())
}
