//! An operator for tests, against the crate before 1.0: the name of an input says what to do with it.

use dora_operator_api::types::arrow::array::{Array, ArrayRef, StringArray, UInt64Array, make_array};
use dora_operator_api::{DoraOperator, DoraOutputSender, DoraStatus, Event, register_operator};

#[derive(Debug, Default)]
struct Probe {
    events: u64,
    kept: Vec<ArrayRef>,
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Ok(path) = std::env::var("PROBE_DROPPED") {
            std::fs::write(path, format!("dropped after {} events", self.events)).unwrap();
        }
    }
}

fn log(output: &mut DoraOutputSender, text: String) -> Result<(), String> {
    output.send("log".to_owned(), StringArray::from(vec![text]))
}

impl DoraOperator for Probe {
    fn on_event(
        &mut self,
        event: &Event,
        output: &mut DoraOutputSender,
    ) -> Result<DoraStatus, String> {
        self.events += 1;
        match event {
            Event::Input { id, data } => {
                let data: ArrayRef = make_array(data.to_data());
                match *id {
                    "echo" => output.send("out".to_owned(), data)?,
                    "slice" => {
                        let length = data.len().saturating_sub(3);
                        output.send("out".to_owned(), data.slice(data.len().min(2), length))?
                    }
                    "burst" => {
                        for i in 0..200u64 {
                            output.send("out".to_owned(), UInt64Array::from(vec![i]))?;
                        }
                    }
                    "keep" => self.kept.push(data),
                    "let-go" => self.kept.clear(),
                    "read-kept" => {
                        for array in self.kept.clone() {
                            output.send("out".to_owned(), array)?;
                        }
                    }
                    "fail" => return Err("the operator says no".to_owned()),
                    "stop" => return Ok(DoraStatus::Stop),
                    _ => {}
                }
            }
            Event::InputParseError { id, error } => {
                log(output, format!("parse error of {id}: {error}"))?
            }
            Event::InputClosed { id } => log(output, format!("closed {id}"))?,
            Event::Stop => {
                log(output, "stop".to_owned())?;
                return Ok(DoraStatus::Stop);
            }
            _ => {}
        }
        Ok(DoraStatus::Continue)
    }
}

register_operator!(Probe);
