//! Finds the disc in each clean picture, and shows once a second where it is and how far from the truth that was at worst.

use dora_node_api::arrow_v59::array::AsArray;
use dora_node_api::arrow_v59::datatypes::UInt8Type;
use dora_node_api::{DoraNode, Event, get_integer_param};
use eyre::OptionExt;
use std::time::{Duration, Instant};

const BRIGHT: u8 = 128;
/// Nearer to the border only a part of the disc is in the picture.
const BORDER: usize = 40;
/// Characters of the line that shows the width of a picture.
const TRACK: usize = 40;

fn main() -> eyre::Result<()> {
    let (_node, mut events) = DoraNode::init_from_env()?;
    let (mut pictures, mut worst) = (0u64, 0f64);
    let mut said = Instant::now();
    while let Some(event) = events.recv() {
        let Event::Input { metadata, data, .. } = event else {
            continue;
        };
        let number = |key| {
            let value = get_integer_param(&metadata.parameters, key);
            Ok::<_, eyre::Report>(usize::try_from(value.ok_or_eyre(key)?)?)
        };
        let (width, frame, center) = (number("width")?, number("frame")?, number("center")?);
        let pixels = data.as_array().as_primitive::<UInt8Type>().values();
        let found = disc(pixels, width);
        if (BORDER..width.saturating_sub(BORDER)).contains(&center) {
            worst = worst.max((found - center as f64).abs());
        }
        pictures += 1;
        if said.elapsed() >= Duration::from_secs(1) {
            said = Instant::now();
            let track = track(found / width as f64);
            println!("{track} picture {frame}, the disc found within {worst:.1} pixels");
        }
    }
    println!("{pictures} pictures, worst {worst:.2} pixels");
    Ok(())
}

/// The mean column of the bright pixels.
fn disc(pixels: &[u8], width: usize) -> f64 {
    let bright = pixels
        .iter()
        .enumerate()
        .filter(|(_, pixel)| **pixel >= BRIGHT);
    let (sum, count) = bright.fold((0, 0), |(sum, count), (i, _)| (sum + i % width, count + 1));
    sum as f64 / f64::from(count.max(1))
}

fn track(place: f64) -> String {
    let at = ((place * TRACK as f64) as usize).min(TRACK - 1);
    format!("{}●{}", "·".repeat(at), "·".repeat(TRACK - 1 - at))
}
