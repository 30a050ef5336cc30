// Sends one message of every Arrow type on "types", each with its name and one parameter of every kind.
use crate::arrow_types::arrays;
use crate::say::join;
use dora_node_api::{DoraArray, MetadataParameters, Parameter};

/// The parameters of every message, in all languages.
pub fn parameters(name: &str) -> MetadataParameters {
    let strings = vec!["a".to_owned(), "ü".to_owned()];
    [
        ("name", Parameter::String(name.to_owned())),
        ("bool", Parameter::Bool(true)),
        ("integer", Parameter::Integer(-(1 << 53))),
        ("float", Parameter::Float(0.5)),
        ("integers", Parameter::ListInt(vec![1, -2, i64::MAX])),
        ("floats", Parameter::ListFloat(vec![1.5, -2.5])),
        ("strings", Parameter::ListString(strings)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

pub fn run() -> eyre::Result<()> {
    let (mut node, _events) = join()?;
    for (name, array) in arrays() {
        node.send_output(
            "types".to_owned().into(),
            parameters(&name),
            DoraArray::from(array),
        )?;
    }
    Ok(())
}
