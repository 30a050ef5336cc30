//! An operator for tests: the name of an input says what to do with it.

use dora_operator_api::arrow_v59::array::{Array, ArrayRef};
use dora_operator_api::arrow_v59::compute::concat;
use dora_operator_api::{
    DoraOperator, DoraOutputSender, DoraStatus, Event, IntoArrow, register_operator,
};
use std::sync::Mutex;

#[derive(Debug)]
struct Probe {
    events: u64,
    kept: Vec<ArrayRef>,
    panic_in_drop: bool,
}

impl Default for Probe {
    fn default() -> Self {
        if std::env::var("PROBE_PANICS_IN").as_deref() == Ok("default") {
            panic!("no state today");
        }
        Self { events: 0, kept: Vec::new(), panic_in_drop: false }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if self.panic_in_drop {
            panic!("drop went wrong");
        }
        if let Ok(path) = std::env::var("PROBE_DROPPED") {
            std::fs::write(path, format!("dropped after {} events", self.events)).unwrap();
        }
    }
}

impl DoraOperator for Probe {
    fn on_event(
        &mut self,
        event: &Event,
        output: &mut DoraOutputSender,
    ) -> Result<DoraStatus, String> {
        self.events += 1;
        match event {
            Event::Input { id, metadata, data } => {
                if *id == "context" {
                    let text = metadata.open_telemetry_context.to_string();
                    output.send("log", text.into_arrow())?;
                    return Ok(DoraStatus::Continue);
                }
                return self.on_input(id, data.as_array(), output);
            }
            Event::InputParseError { id, error } => {
                output.send("log", format!("parse error of {id}: {error}").into_arrow())?;
            }
            Event::InputClosed { id } => output.send("log", format!("closed {id}").into_arrow())?,
            Event::Stop => {
                output.send("log", "stop".into_arrow())?;
                return Ok(DoraStatus::Stop);
            }
            Event::Error { error } => output.send("log", format!("error: {error}").into_arrow())?,
            other => output.send("log", format!("unknown {other:?}").into_arrow())?,
        }
        Ok(DoraStatus::Continue)
    }
}

impl Probe {
    fn on_input(
        &mut self,
        id: &str,
        data: &ArrayRef,
        output: &mut DoraOutputSender,
    ) -> Result<DoraStatus, String> {
        match id {
            "echo" => output.send("out", data.clone())?,
            "slice" => {
                let length = data.len().saturating_sub(3);
                output.send("out", data.slice(data.len().min(2), length))?
            }
            "double" => {
                let twice = concat(&[data.as_ref(), data.as_ref()]).map_err(|e| e.to_string())?;
                output.send("out", twice)?
            }
            "burst" => {
                for i in 0..200u64 {
                    output.send("out", i.into_arrow())?;
                }
            }
            "large" => output.send("out", vec![7u8; 4 << 20].into_arrow())?,
            "keep" => self.kept.push(data.clone()),
            "let-go" => self.kept.clear(),
            "let-go-elsewhere" => {
                let kept = std::mem::take(&mut self.kept);
                std::thread::spawn(move || drop(kept)).join().unwrap();
            }
            "read-kept" => {
                for array in self.kept.clone() {
                    output.send("out", array)?;
                }
            }
            "threads" => self.send_from_threads(output),
            "ids" => self.try_ids(output)?,
            "fail" => return Err("the operator says no".to_owned()),
            "panic" => panic!("it went wrong on purpose"),
            "panic-in-drop" => self.panic_in_drop = true,
            "stop" => return Ok(DoraStatus::Stop),
            "stop-all" => return Ok(DoraStatus::StopAll),
            "exit" => std::process::exit(7),
            "abort" => std::process::abort(),
            "segfault" => unsafe { std::ptr::null_mut::<u8>().write_volatile(1) },
            _ => {}
        }
        Ok(DoraStatus::Continue)
    }

    /// The sender may be lent to other threads while `on_event` runs.
    fn send_from_threads(&self, output: &mut DoraOutputSender) {
        let sender = Mutex::new(output);
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let sender = &sender;
                scope.spawn(move || {
                    for i in 0..25u64 {
                        let value = (thread * 1000 + i).into_arrow();
                        sender.lock().unwrap().send("out", value).unwrap();
                    }
                });
            }
        });
    }

    fn try_ids(&self, output: &mut DoraOutputSender) -> Result<(), String> {
        for id in ["a b", "", "nobody-declared-me"] {
            let text = match output.send(id, 1u8.into_arrow()) {
                Ok(()) => format!("{id}: sent"),
                Err(error) => format!("{id}: {error}"),
            };
            output.send("log", text.into_arrow())?;
        }
        Ok(())
    }
}

register_operator!(Probe);
