// Nodes that tests run beside ours; the first argument says which one this process is. Each has its twin in ../python.
mod arrow_types;
mod burst;
mod bytes;
mod echo;
mod say;
mod sink;
mod source;
mod timer;

fn main() -> eyre::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("burst") => burst::run(),
        Some("bytes") => bytes::run(),
        Some("check") => bytes::check(),
        Some("count") => burst::count(),
        Some("echo") => echo::run(),
        Some("sink") => sink::run(),
        Some("source") => source::run(),
        Some("timer") => timer::run(),
        other => eyre::bail!("no such node: {other:?}"),
    }
}
