//! Sends more per tick than a queue holds, and leaves while it is being read.

use dora_operator_api::{
    DoraOperator, DoraOutputSender, DoraStatus, Event, IntoArrow, register_operator,
};

const MESSAGES: usize = 20;
const BYTES: usize = 512 * 1024;

#[derive(Debug, Default)]
struct Burst {
    sent: usize,
}

impl Drop for Burst {
    fn drop(&mut self) {
        println!("burst dropped after {} messages", self.sent);
    }
}

impl DoraOperator for Burst {
    fn on_event(
        &mut self,
        event: &Event,
        output_sender: &mut DoraOutputSender,
    ) -> Result<DoraStatus, String> {
        match event {
            Event::Input { id, .. } if *id == "tick" => {
                for i in 0..MESSAGES {
                    output_sender.send("data", vec![i as u8; BYTES].into_arrow())?;
                    self.sent += 1;
                }
                Ok(DoraStatus::Continue)
            }
            Event::Stop => Ok(DoraStatus::Stop),
            _ => Ok(DoraStatus::Continue),
        }
    }
}

register_operator!(Burst);
