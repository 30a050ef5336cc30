//! The largest sample of each window.

use dora_operator_api::arrow_v59::array::AsArray;
use dora_operator_api::arrow_v59::datatypes::Float32Type;
use dora_operator_api::{
    DoraOperator, DoraOutputSender, DoraStatus, Event, IntoArrow, register_operator,
};

#[derive(Default)]
struct Peak;

impl DoraOperator for Peak {
    fn on_event(
        &mut self,
        event: &Event,
        output: &mut DoraOutputSender,
    ) -> Result<DoraStatus, String> {
        if let Event::Input { data, .. } = event {
            let samples = data
                .as_array()
                .as_primitive_opt::<Float32Type>()
                .ok_or("a window must be float32")?;
            let peak = samples.values().iter().copied().fold(f32::MIN, f32::max);
            output.send("peak", peak.into_arrow())?;
        }
        Ok(DoraStatus::Continue)
    }
}

register_operator!(Peak);
