//! The usual first operator: counts ticks, and turns each number into a line of text.

use dora_operator_api::{
    DoraOperator, DoraOutputSender, DoraStatus, Event, IntoArrow, register_operator,
};

register_operator!(Reporter);

#[derive(Debug, Default)]
struct Reporter {
    ticks: usize,
}

impl DoraOperator for Reporter {
    fn on_event(
        &mut self,
        event: &Event,
        output_sender: &mut DoraOutputSender,
    ) -> Result<DoraStatus, String> {
        match event {
            Event::Input { id, data, .. } => match *id {
                "tick" => self.ticks += 1,
                "random" => {
                    let value = u64::try_from(data).map_err(|err| format!("unexpected data: {err}"))?;
                    let text = format!("got {value:#x} after {} ticks", self.ticks);
                    output_sender.send("status", text.into_arrow())?;
                }
                other => eprintln!("input {other} is none of mine"),
            },
            Event::Stop => {}
            Event::InputClosed { id } => {
                println!("input {id} is closed");
                if *id == "random" {
                    return Ok(DoraStatus::Stop);
                }
            }
            other => println!("{other:?}"),
        }
        Ok(DoraStatus::Continue)
    }
}
