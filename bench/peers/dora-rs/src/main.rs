// The nodes that stand for official dora in the benchmark suite; the first argument says which one this process is. The
// work comes in the environment and the result leaves as one line of JSON. peer.ts writes the dataflows.
mod ping;
mod sink;
mod source;
mod work;

fn main() -> eyre::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("source") => source::run(),
        Some("sink") => sink::run(),
        Some("ping") => ping::ping(),
        Some("pong") => ping::pong(),
        other => eyre::bail!("no such node: {other:?}"),
    }
}
