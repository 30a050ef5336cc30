// What all nodes share: joining the dataflow, numbers from the environment, and saying what they see as lines of JSON.
use dora_node_api::dora_core::config::NodeId;
use dora_node_api::{DoraNode, Event, EventStream, StopCause};
use std::str::FromStr;

/// Joins the dataflow: as a dynamic node when NODE_ID is set.
pub fn join() -> eyre::Result<(DoraNode, EventStream)> {
    let joined = match std::env::var("NODE_ID") {
        Ok(id) => DoraNode::init_from_node_id(NodeId::from(id))?,
        Err(_) => DoraNode::init_from_env()?,
    };
    Ok(joined)
}

/// A number from the environment.
pub fn number<T: FromStr>(name: &str, otherwise: T) -> T {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Says which process this is: a node does so at its first message, so that who kills it knows that it is at work.
pub fn say_pid() {
    println!("{{\"pid\":{}}}", std::process::id());
}

/// Says an event that is no input, in the words that Python uses.
pub fn say_event(event: &Event) {
    let text = |text: &str| format!("{text:?}");
    let (name, rest) = match event {
        Event::InputClosed { id } => ("INPUT_CLOSED", format!(",\"id\":{}", text(id.as_ref()))),
        Event::InputRecovered { id } => {
            ("INPUT_RECOVERED", format!(",\"id\":{}", text(id.as_ref())))
        }
        Event::NodeRestarted { id } => ("NODE_RESTARTED", format!(",\"id\":{}", text(id.as_ref()))),
        Event::NodeFailed { source_node_id, .. } => (
            "NODE_FAILED",
            format!(",\"source_node_id\":{}", text(source_node_id.as_ref())),
        ),
        Event::Stop(StopCause::Manual) => ("STOP", ",\"id\":\"MANUAL\"".to_owned()),
        Event::Stop(StopCause::AllInputsClosed) => {
            ("STOP", ",\"id\":\"ALL_INPUTS_CLOSED\"".to_owned())
        }
        Event::ParamUpdate { key, value } => (
            "PARAM_UPDATE",
            format!(",\"key\":{},\"value\":{value}", text(key)),
        ),
        Event::ParamDeleted { key } => ("PARAM_DELETED", format!(",\"key\":{}", text(key))),
        Event::Error(error) => ("ERROR", format!(",\"error\":{}", text(error))),
        _ => ("OTHER", String::new()),
    };
    println!("{{\"event\":\"{name}\"{rest}}}");
}
